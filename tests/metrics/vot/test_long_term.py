"""VOT's long-term measures against plain loops over the definitions, and cases that can be worked out by hand."""

import math

import numpy as np
import pytest

from sctrpn_jax.metrics.vot import long_term


def run(overlaps, scores, known=None, visible=None):
    count = len(overlaps)
    yes = np.ones(count, bool)
    return long_term.measure(
        np.asarray(overlaps, float),
        np.asarray(scores, float),
        yes if known is None else np.asarray(known, bool),
        yes if visible is None else np.asarray(visible, bool),
    )


def example(rng, count):
    """Overlaps, scores, whether there is a region, whether there is a target; a third of the scores is common."""
    visible, known = rng.random(count) < 0.8, rng.random(count) < 0.9
    visible[0] = True
    scores = np.where(rng.random(count) < 0.3, 0.5, rng.random(count))
    return np.where(visible, rng.random(count) ** 0.5, rng.random(count)), scores, known, visible


def by_loops(sequences, levels):
    """Best (precision, recall, F) of lists of (overlaps, scores, known, visible), frame by frame."""
    every = []
    for _, scores, known, _ in sequences:
        every += [scores[t] for t in range(len(scores)) if t == 0 or known[t]]
    every.sort(reverse=True)
    if len(every) > levels - 2:
        step = math.floor(len(every) / (levels - 2))
        picked = []
        for k in range(levels - 2):
            # Half to even, as in NumPy and Python.
            picked.append(every[round(step + k * (len(every) - 2 * step) / (levels - 3))])
        every = picked
    best = (0.0, 0.0, -1.0)
    for threshold in [math.inf, *every, -math.inf]:
        precisions, recalls = [], []
        for overlaps, scores, known, visible in sequences:
            total, found, targets = 0.0, 0, 0
            for t in range(len(overlaps)):
                targets += bool(visible[t])
                if (t == 0 or known[t]) and scores[t] >= threshold:
                    found += 1
                    total += overlaps[t] if t > 0 and visible[t] else 0
            precisions.append(total / found if found else 1.0)
            recalls.append(total / targets if targets else 0.0)
        precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
        f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        if f > best[2] + 1e-12:
            best = precision, recall, f
    return best


@pytest.mark.parametrize(('counts', 'levels'), [((40, 70, 25), 100), ((300, 40), 100), ((5,), 100), ((90, 90), 12)])
def test_plain_loops_give_the_same(counts, levels):
    rng = np.random.default_rng(sum(counts))
    sequences = [example(rng, count) for count in counts]
    found = long_term.score([long_term.measure(*each) for each in sequences], levels)
    np.testing.assert_allclose((found.precision, found.recall, found.f_score), by_loops(sequences, levels), atol=1e-9)
    assert len(found.curve) == min(levels, 2 + sum(int(each[2][1:].sum()) + 1 for each in sequences))


def test_a_tracker_that_knows_when_the_target_is_away():
    visible = [True] * 5 + [False] * 5
    overlaps = [1, 0.8, 0.8, 0.8, 0.8, 0, 0, 0, 0, 0]
    knows = long_term.score([run(overlaps, [0.2, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1], visible=visible)])
    assert knows.precision == pytest.approx(0.8) and knows.recall == pytest.approx(0.64)  # 4 of 5 frames, 0.8 each
    assert knows.f_score == pytest.approx(2 * 0.8 * 0.64 / 1.44)
    blind = long_term.score([run(overlaps, np.ones(10), visible=visible)])
    assert blind.precision == pytest.approx(0.32) and blind.recall == pytest.approx(0.64)
    silent = long_term.score([run(overlaps, np.ones(10), known=[True] * 5 + [False] * 5, visible=visible)])
    assert silent.precision == pytest.approx(0.64)  # the first frame counts as found, with overlap 0


def test_sequences_count_the_same_whatever_their_length():
    good, bad = run(np.ones(11), np.ones(11)), run(np.zeros(101), np.ones(101))
    found = long_term.score([good, bad])
    assert found.recall == pytest.approx(10 / 11 / 2) and found.curve[0] == 0
    np.testing.assert_allclose(found.precisions[:, -1], [10 / 11, 0])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match='got no sequence'):
        long_term.score([])
    with pytest.raises(ValueError, match=r'four of the shape \[T\]'):
        run([0.5, 0.5], [1.0])
    empty = long_term.score([run([0.5], [1.0], visible=[False])])
    assert (empty.recall, empty.f_score) == (0, 0)

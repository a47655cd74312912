"""Recall of proposals against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.metrics import proposal_recall

places, sides = st.sampled_from([0.0, 2.0, 5.0, 30.0]), st.sampled_from([4.0, 6.0, 10.0])
box = st.tuples(places, places, sides, sides)
frames = st.lists(
    st.tuples(st.lists(box | st.just((np.nan,) * 4), max_size=6), box | st.just((np.nan, 0.0, 1.0, 1.0))),
    min_size=1,
    max_size=6,
)


@given(frames)
@settings(max_examples=60)
def test_against_a_plain_loop(frames):
    counts, thresholds = (1, 2, 4, 100), (0.25, 0.5, 0.7)
    proposals = [np.array(boxes).reshape(-1, 4) for boxes, _ in frames]
    truth = np.array([target for _, target in frames])
    hits, total = np.zeros((3, 4)), 0
    for boxes, (u, v, s, r) in frames:
        if np.isnan(u):
            continue
        total += 1
        for row, threshold in enumerate(thresholds):
            for column, count in enumerate(counts):
                for x, y, w, h in boxes[:count]:
                    inter = max(0, min(x + w, u + s) - max(x, u)) * max(0, min(y + h, v + r) - max(y, v))
                    if inter / (w * h + s * r - inter) >= threshold:
                        hits[row, column] += 1
                        break
    best = proposal_recall.best_overlaps(proposals, truth, counts)
    if not total:
        with pytest.raises(ValueError, match='no frame'):
            proposal_recall.recall(best, thresholds)
        return
    np.testing.assert_allclose(proposal_recall.recall(best, thresholds), hits / total)
    np.testing.assert_allclose(proposal_recall.recall([best[:2], best[2:]], thresholds), hits / total)


def test_table_2_has_five_counts_and_more_proposals_never_hurt():
    rng = np.random.default_rng(0)
    truth = rng.uniform(20, 60, (30, 4))
    proposals = truth[:, None] + rng.normal(0, 8, (30, 1000, 4))
    best = proposal_recall.best_overlaps(proposals, truth)
    found = proposal_recall.recall(best)
    assert best.shape == (30, 5) and found.shape == (2, 5)
    assert (np.diff(found, axis=1) >= 0).all() and (found[0] >= found[1]).all() and found[0, -1] == 1


@pytest.mark.parametrize(
    ('proposals', 'truth', 'counts', 'message'),
    [
        ([np.ones((3, 4))], np.ones((2, 4)), (1,), 'for 1 frames'),
        ([np.ones((3, 5))], np.ones((1, 4)), (1,), 'frame 0'),
        ([np.ones((3, 4))], np.ones((1, 4)), (0, 1), 'from 1 on'),
        ([np.ones((3, 4))], np.ones((1, 4)), (), 'from 1 on'),
    ],
)
def test_bad_input(proposals, truth, counts, message):
    with pytest.raises(ValueError, match=message):
        proposal_recall.best_overlaps(proposals, truth, counts)

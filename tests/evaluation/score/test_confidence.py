"""The score's worth, against a count of all pairs of frames."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.score import confidence
from sctrpn_jax.tracking import results

FRAMES = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=2, max_size=30)


@hypothesis.given(FRAMES)
def test_against_all_pairs_and_all_thresholds(frames):
    scores, good = np.array([score / 10 for score, _ in frames]), np.array([is_good for _, is_good in frames])
    hypothesis.assume(good.any() and not good.all())
    found = confidence.measure(scores, np.where(good, 0.8, 0.2))
    pairs = [(a > b) + (a == b) / 2 for a in scores[good] for b in scores[~good]]
    assert found.roc_auc == pytest.approx(np.mean(pairs))
    assert (found.tracked, found.lost) == (good.sum(), (~good).sum())
    rates = {level: ((scores[good] >= level).mean(), (scores[~good] >= level).mean()) for level in scores}
    assert rates[found.threshold] == pytest.approx((found.found, found.mistaken))
    assert found.found - found.mistaken == pytest.approx(max(a - b for a, b in rates.values()))


@pytest.mark.parametrize('overlaps', [[0.9, 0.8], [0.1, 0.2], [0.9, 0.8, 0.1]])
def test_what_cannot_be_measured_says_why(overlaps):
    with pytest.raises(ValueError, match='confidence: '):
        confidence.measure(np.array([0.1, 0.2]), np.array(overlaps))


def test_of_result_files(tmp_path):
    truth = {name: truth_lib.Truth(np.array([[10.0, 10, 20, 20]] * 4)) for name in ('a', 'b', 'short', 'missing')}
    truth['a'].boxes[3] = np.nan  # not judged
    boxes = {'a': [10, 10, 60, 10], 'b': [10, 80, 80, 10], 'short': [10, 10]}
    scores = {'a': [1, 0.9, 0.3, 0.99], 'b': [1, 0.2, 0.4, 0.6], 'short': [1, 0.1]}
    for name in boxes:
        with results.ResultWriter(tmp_path / f'{name}.csv') as writer:
            for x, score in zip(boxes[name], scores[name], strict=True):
                writer.write(np.array([x, 10, 20, 20]), score)
    found = confidence.of_results(tmp_path, truth)
    assert (found.tracked, found.lost, found.roc_auc, found.threshold) == (2, 3, 1.0, 0.6)
    assert 'tells 2 tracked frames (overlap above 0.5) from 3 others with ROC AUC 1.000' in confidence.line('x', found)
    assert confidence.of_results(tmp_path / 'none', truth) is None

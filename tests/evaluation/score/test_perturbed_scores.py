"""Scores of runs from perturbed starts: the scale taken out again, and runs pooled by their frames."""

import math

import numpy as np
import pytest

from sctrpn_jax.evaluation.run import perturbed_starts
from sctrpn_jax.evaluation.score import perturbed_scores
from sctrpn_jax.metrics import one_pass


def test_the_scale_of_a_start_is_taken_out_again():
    box = np.array([[100.0, 60, 50, 40], [101, 61, 50, 40]])
    np.testing.assert_array_equal(perturbed_scores.unscaled(box, 'left'), box)
    larger = np.stack([perturbed_starts.spatial_starts(each, (320, 240))['scale_12'] for each in box])
    np.testing.assert_array_equal(larger[:, 2:], [[60, 48]] * 2)
    np.testing.assert_allclose(perturbed_scores.unscaled(larger, 'scale_12'), box, atol=1)
    np.testing.assert_array_equal(perturbed_scores.unscaled(larger, 'scale_12')[:, 2:], box[:, 2:])
    assert np.isnan(perturbed_scores.unscaled(np.full((1, 4), np.inf), 'scale_8')[:, :2]).all()


def test_runs_are_pooled_by_their_frames():
    truth = np.tile([50.0, 50, 20, 20], (60, 1))
    lost = truth + [100, 0, 0, 0]
    scores = perturbed_scores.score_temporal({0: truth, 40: lost[40:]}, truth)
    assert scores.frames == 80 and scores.precision == pytest.approx((60 + 1) / 80)
    assert scores.precision_curve[0] == pytest.approx(61 / 80)
    scores = perturbed_scores.score_spatial(
        dict.fromkeys(perturbed_starts.PERTURBATIONS[:8], truth) | {'scale_8': lost}, truth
    )
    assert scores.precision == pytest.approx((8 * 60 + 1) / (9 * 60))
    scores = perturbed_scores.score_temporal({0: lost, 40: truth[40:]}, truth, np.arange(60) >= 40)
    assert scores.frames == 40 and scores.precision == pytest.approx(1 / 40)  # no frame of the other run counts
    assert isinstance(scores, one_pass.Scores) and isinstance(scores.success, float)
    nowhere = perturbed_scores.score_temporal({0: truth, 40: truth[40:]}, truth, np.ones(60, bool))
    assert nowhere.frames == 0 and math.isnan(nowhere.success) and np.isnan(nowhere.precision_curve).all()
    with pytest.raises(ValueError, match='got none'):
        perturbed_scores.pooled([])


def test_what_the_files_count_from_matters_to_conventions_that_look_at_it():
    # 1 in files that count from 1, and 0 is invalid by the Matlab toolkit.
    truth = np.tile([0.0, 0, 20, 20], (30, 1))
    runs = {0: truth, 10: truth[10:]}
    assert perturbed_scores.score_temporal(runs, truth, convention='otb-matlab').success > 0.9
    assert perturbed_scores.score_temporal(runs, truth, convention='otb-matlab', origin=0).success == 0
    runs = dict.fromkeys(perturbed_starts.PERTURBATIONS[:2], truth)
    assert perturbed_scores.score_spatial(runs, truth, convention='otb-matlab').success > 0.9
    assert perturbed_scores.score_spatial(runs, truth, convention='otb-matlab', origin=0).success == 0

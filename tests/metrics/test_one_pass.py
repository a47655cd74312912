"""One-pass scores against a plain loop, and how sure a mean is (the conventions: test_conventions)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sctrpn_jax.metrics import one_pass


def check(scores, success, precision, normalized):
    found = (scores.success, scores.precision, scores.normalized_precision)
    np.testing.assert_allclose(found, (success, precision, normalized), atol=6e-7)


def test_curves_against_a_plain_loop(closed_form):
    predicted, truth = closed_form
    scores = one_pass.score_sequence(predicted, truth)
    overlaps, errors, relative = [], [], []
    for (x, y, w, h), (u, v, s, t) in zip(predicted, truth, strict=True):
        across = max(0, min(x + w, u + s) - max(x, u))
        down = max(0, min(y + h, v + t) - max(y, v))
        overlaps.append(across * down / (w * h + s * t - across * down))
        dx, dy = x + w / 2 - u - s / 2, y + h / 2 - v - t / 2
        errors.append((dx**2 + dy**2) ** 0.5)
        relative.append(((dx / s) ** 2 + (dy / t) ** 2) ** 0.5)
    curve = [sum(o > k / 20 for o in overlaps) / 200 for k in range(21)]
    np.testing.assert_allclose(scores.success_curve, curve, atol=1e-12)
    np.testing.assert_allclose(scores.precision_curve, [sum(e <= k for e in errors) / 200 for k in range(51)])
    np.testing.assert_allclose(scores.normalized_curve, [sum(e <= k / 100 for e in relative) / 200 for k in range(51)])
    assert one_pass.success_auc(predicted, truth) == scores.success
    assert one_pass.precision(predicted, truth) == scores.precision


def test_first_frame_counts_as_exact_and_a_broken_prediction_as_a_miss():
    truth = np.tile([10.0, 10, 20, 20], (4, 1))
    predicted = truth.copy()
    predicted[0] = np.nan
    check(one_pass.score_sequence(predicted, truth), 20 / 21, 1, 1)
    predicted[2] = np.nan
    check(one_pass.score_sequence(predicted, truth), 0.75 * 20 / 21, 0.75, 0.75)
    assert np.isnan(predicted[0]).all()  # the argument stays as it was


@pytest.mark.parametrize('shift', [(1, 1), (-50, 3.5), (0.125, 49)])
def test_the_common_origin_does_not_matter(closed_form, shift):
    predicted, truth = closed_form
    here = one_pass.score_sequence(predicted, truth)
    there = one_pass.score_sequence(predicted + [*shift, 0, 0], truth + [*shift, 0, 0])
    # A share may flip where an error lies on a threshold to the last digit.
    np.testing.assert_allclose(there.success_curve, here.success_curve, atol=0.011)
    np.testing.assert_allclose(there.precision_curve, here.precision_curve, atol=0.011)


def test_no_counted_frame_gives_nan():
    truth = np.full((3, 4), np.nan)
    scores = one_pass.score_sequence(np.ones((3, 4)), truth)
    assert np.isnan([scores.success, scores.precision, scores.normalized_precision]).all() and scores.frames == 0
    assert one_pass.score_sequence(np.ones((3, 4)), truth, convention='otb-miss').success == 0


@pytest.mark.parametrize(
    ('predicted', 'truth', 'options', 'message'),
    [
        (np.ones((3, 4)), np.ones((4, 4)), {}, 'two of the shape'),
        (np.ones((0, 4)), np.ones((0, 4)), {}, 'two of the shape'),
        (np.ones((3, 4)), np.ones((3, 4)), {'convention': 'skip'}, 'otb, otb-miss'),
        (np.ones((3, 4)), np.ones((3, 4)), {'absent': np.zeros(2, bool)}, 'absent'),
    ],
)
def test_bad_input(predicted, truth, options, message):
    with pytest.raises(ValueError, match=message):
        one_pass.score_sequence(predicted, truth, **options)


def test_overlap_of_empty_boxes():
    empty, box = np.zeros(4), np.array([0.0, 0, 4, 4])
    assert one_pass.overlap(empty, empty) == 0 and one_pass.overlap(empty, box) == 0 and one_pass.overlap(box, box) == 1
    assert np.isnan(one_pass.overlap(np.full(4, np.nan), box))


def test_bootstrap_interval_has_the_width_that_theory_gives():
    values = np.random.default_rng(1).normal(0.5, 0.2, 100)
    low, high = one_pass.bootstrap_interval(values)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 10, rel=0.05)
    assert low < values.mean() < high
    assert (low, high) == one_pass.bootstrap_interval(values)
    assert (low, high) != one_pass.bootstrap_interval(values, seed=1)
    wider = one_pass.bootstrap_interval(values, level=0.99)
    assert wider[0] < low and wider[1] > high


@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
@settings(max_examples=30, deadline=None)
def test_bootstrap_interval_lies_within_the_values(values):
    low, high = one_pass.bootstrap_interval(values, samples=200)
    assert values.min() - 1e-12 <= low <= high <= values.max() + 1e-12


def test_pairing_shows_a_gain_that_separate_intervals_hide():
    rng = np.random.default_rng(2)
    b = rng.uniform(0.1, 0.9, 20)
    a = b + 0.02 + rng.normal(0, 0.01, 20)
    mean, low, high = one_pass.paired_difference(a, b)
    assert 0 < low < mean < high
    assert one_pass.bootstrap_interval(a)[0] < one_pass.bootstrap_interval(b)[1]
    assert mean == pytest.approx(a.mean() - b.mean())


@pytest.mark.parametrize('values', [[], [0.1, np.nan], [[0.1, 0.2]]])
def test_bootstrap_refuses(values):
    with pytest.raises(ValueError, match='values'):
        one_pass.bootstrap_interval(values)


def test_paired_scores_must_match():
    with pytest.raises(ValueError, match='paired'):
        one_pass.paired_difference([0.1, 0.2], [0.1])

"""TrackingNet's scores against golden values and a plain reading of its devkit's formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.metrics import trackingnet


def test_golden_values(closed_form):
    scores = trackingnet.score_sequence(*closed_form)
    found = (scores.success, scores.precision, scores.normalized_precision)
    np.testing.assert_allclose(found, (0.612625, 0.803625, 0.618875), atol=6e-7)


def test_truth_against_itself_is_one(closed_form):
    scores = trackingnet.score_sequence(closed_form[1], closed_form[1])
    assert scores.success == scores.precision == scores.normalized_precision == 1


def devkit(predicted, truth):
    """Curves of the devkit, with its own corners, centres and steps, in its order."""
    success, precision, normalized = ([0] * 21 for _ in range(3))
    for t, (p, g) in enumerate(zip(predicted, truth, strict=True)):
        (x, y, w, h), (u, v, s, r) = np.round(p if t else g), np.round(g)
        low = np.fmax(u, x), np.fmax(v, y)
        high = np.fmin(u + s - 1, x + w - 1), np.fmin(v + r - 1, y + h - 1)
        inter = max(round(high[0] - low[0] + 1), 0) * max(round(high[1] - low[1] + 1), 0)
        iou = inter / (s * r + w * h - inter)
        dx, dy = u + (s + 1) / 2 - x - (w + 1) / 2, v + (r + 1) / 2 - y - (h + 1) / 2
        for k in range(21):
            success[k] += iou >= np.linspace(0, 1, 21)[k]
            precision[k] += (dx * dx + dy * dy) ** 0.5 <= np.linspace(0, 50, 21)[k]
            normalized[k] += ((dx / s) ** 2 + (dy / r) ** 2) ** 0.5 <= np.linspace(0, 0.5, 21)[k]
    return np.array([success, precision, normalized]) / len(truth)


box = st.tuples(*[st.floats(-20, 40)] * 2, *[st.floats(1.5, 40)] * 2)
pairs = st.lists(st.tuples(box | st.just((np.nan,) * 4) | st.just((0.0,) * 4), box), min_size=1, max_size=8)


@given(pairs)
@settings(max_examples=60)
def test_against_the_devkits_formulas(pairs):
    predicted, truth = np.array(pairs).transpose(1, 0, 2)
    scores = trackingnet.score_sequence(predicted, truth)
    curves = devkit(predicted, truth)
    found = (scores.success_curve, scores.precision_curve, scores.normalized_curve)
    np.testing.assert_allclose(found, curves, atol=1e-12)
    areas = [(curve[1:] + curve[:-1]).sum() / 40 for curve in curves]
    np.testing.assert_allclose((scores.success, scores.precision, scores.normalized_precision), areas, atol=1e-12)


def test_mean_over_sequences_not_frames(closed_form):
    predicted, truth = closed_form
    a = trackingnet.score_sequence(predicted, truth)
    b = trackingnet.score_sequence(truth[:10], truth[:10])
    mean = trackingnet.mean_scores([a, b])
    assert mean.success == pytest.approx((a.success + 1) / 2) and mean.frames == 210
    assert mean.precision == pytest.approx((a.precision + 1) / 2)
    assert predicted[0].tolist() == closed_form[0][0].tolist()


def test_bad_input():
    with pytest.raises(ValueError, match='two of the shape'):
        trackingnet.score_sequence(np.ones((2, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match='got none'):
        trackingnet.mean_scores([])

"""Golden values of each convention on closed-form tracks (the toolkits' own functions gave them), and plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sctrpn_jax.metrics import conventions, one_pass

ABSENT = (np.arange(200) >= 60) & (np.arange(200) < 75)
CLEAN = (0.599286, 0.9, 0.705)
VALID = (0.600257, 0.891892, 0.724324)
MISSED = (0.555238, 0.825, 0.67)

GOLDEN = [
    *(('clean', name, CLEAN) for name in conventions.CONVENTIONS if name != 'got10k'),
    ('clean', 'got10k', (0.599286, 0.9, 0.615392)),
    ('flagged', 'otb', VALID),
    ('flagged', 'otb-miss', MISSED),
    ('flagged', 'pysot', MISSED),
    ('flagged', 'pytracking-lasot', MISSED),
    ('flagged', 'lasot', MISSED),
    ('flagged', 'pytracking-lasot-valid', VALID),
    ('flagged', 'got10k', (0.599286, 0.9, 0.615392)),
    ('zeros', 'pysot', MISSED),
    ('zeros', 'pytracking-lasot', MISSED),
    ('zeros', 'lasot', MISSED),
    ('zeros', 'got10k', (0.555238, 0.825, 0.571373)),
    ('nan', 'otb', VALID),
    ('nan', 'otb-miss', MISSED),
    ('nan', 'pysot', (0.555238, 0.9, 0.745)),
    ('nan', 'pytracking-uav', (0.555238, 0.9, 0.745)),
    ('nan', 'got10k', (0.600257, 0.891892, 0.6177)),
    ('nan', 'pytracking-uav-valid', (0.600257, 0.972973, 0.805405)),
]


@pytest.mark.parametrize(('case', 'name', 'expected'), GOLDEN)
def test_golden_values(closed_form, case, name, expected):
    predicted, truth = closed_form
    if case in ('zeros', 'nan'):
        truth[ABSENT] = 0 if case == 'zeros' else np.nan
    absent = ABSENT if case in ('flagged', 'zeros') else None
    scores = one_pass.score_sequence(predicted, truth, absent, name)
    found = (scores.success, scores.precision, scores.normalized_precision)
    np.testing.assert_allclose(found, expected, atol=6e-7)


@pytest.mark.parametrize('name', conventions.CONVENTIONS)
def test_truth_against_itself_is_not_one(closed_form, name):
    truth = closed_form[1]
    scores = one_pass.score_sequence(truth, truth, convention=name)
    assert scores.success == pytest.approx(20 / 21) and scores.precision == scores.normalized_precision == 1


def test_a_result_counted_from_0_against_truth_counted_from_1_costs_a_pixel(closed_form):
    truth = closed_form[1]
    scores = one_pass.score_sequence(truth - [1, 1, 0, 0], truth)
    assert scores.precision_curve[:3].tolist() == [1 / 200, 1 / 200, 1]


def loop(predicted, truth, absent, origin, name):
    """Overlap and centre error of each frame by the toolkits' texts, frame by frame; and by how many is divided."""
    frames = []
    previous = predicted[0]
    for t, ((x, y, w, h), (u, v, s, r)) in enumerate(zip(predicted, truth, strict=True)):
        numbers = np.isfinite([u, v, s, r]).all()
        broken = np.isnan([x, y, w, h]).any() or w <= 0 or h <= 0
        if (name == 'lasot' and t and broken and numbers) or (
            name.startswith('pytracking') and t and (w == 0 or h == 0) and numbers
        ):
            x, y, w, h = previous
        previous = x, y, w, h
        if t == 0 and name != 'pysot':
            x, y, w, h = u, v, s, r
        overlap, error = -1, np.inf
        if np.isfinite([x, y, w, h, u, v, s, r]).all():
            across, down = max(0, min(x + w, u + s) - max(x, u)), max(0, min(y + h, v + r) - max(y, v))
            union = w * h + s * r - across * down
            overlap = across * down / union if union > 0 else 0
            error = np.hypot(x + w / 2 - u - s / 2, y + h / 2 - v - r / 2)
        positive = u + origin > 0 and v + origin > 0 and s > 0 and r > 0
        if name == 'otb':
            if not numbers or s <= 0 or r <= 0 or absent[t]:
                continue
        elif name == 'got10k':
            if not numbers:
                continue
        elif name == 'pysot':
            if not (s > 0 and r > 0) or absent[t]:
                overlap = -1
            if not (u + origin + (s - 1) / 2 > 0 and v + origin + (r - 1) / 2 > 0):
                error = -1
            if absent[t]:
                error = np.inf
        elif not positive or absent[t]:
            overlap = -1
            error = np.inf if name in ('pytracking', 'pytracking-lasot') or (name == 'lasot' and absent[t]) else -1
        frames.append((overlap, error))
    count = len(frames) if name in ('otb', 'got10k') else len(truth)
    success = [sum(o > k * 0.05 for o, _ in frames) / count if count else np.nan for k in range(21)]
    return success, [sum(e <= k for _, e in frames) / count if count else np.nan for k in range(51)]


sides = st.sampled_from([0.0, 4.0, 10.0, 12.5, -3.0, np.nan])
places = st.sampled_from([-6.0, -1.0, -0.5, 0.0, 3.0, 8.25, np.nan])
boxes = st.lists(st.tuples(places, places, sides, sides), min_size=6, max_size=6).map(np.array)


@given(boxes, boxes, hnp.arrays(bool, 6), st.sampled_from([0, 1]))
@settings(max_examples=80)
@pytest.mark.parametrize(
    'name', ['otb', 'got10k', 'pysot', 'lasot', 'pytracking', 'pytracking-uav', 'pytracking-lasot']
)
def test_against_a_plain_loop(name, predicted, truth, absent, origin):
    scores = one_pass.score_sequence(predicted, truth, absent, name, origin)
    success, precision = loop(predicted, truth, absent & (name != 'got10k'), origin, name)
    np.testing.assert_allclose(scores.success_curve, success, atol=1e-12)
    np.testing.assert_allclose(scores.precision_curve, precision, atol=1e-12)


def test_the_mean_of_the_lasot_toolkit_leaves_out_curves_of_zeros(closed_form):
    predicted, truth = closed_form
    good = one_pass.score_sequence(predicted, truth, convention='lasot')
    lost = one_pass.score_sequence(truth + [500, 0, 0, 0], truth, np.arange(200) == 0, convention='lasot')
    assert lost.success == 0 and not lost.success_curve.any() and not lost.precision_curve.any()
    assert one_pass.mean_scores([good, lost], 'lasot').success == good.success
    mean = one_pass.mean_scores([good, lost])
    assert mean.success == pytest.approx(good.success / 2) and mean.frames == 400
    assert one_pass.mean_scores([lost], 'lasot').success == 0


def test_the_mean_leaves_out_sequences_of_which_no_frame_counts(closed_form):
    good = one_pass.score_sequence(*closed_form)
    none = one_pass.score_sequence(np.ones((3, 4)), np.full((3, 4), np.nan))
    assert one_pass.mean_scores([good, none]).precision == good.precision
    assert np.isnan(one_pass.mean_scores([none]).success)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match=r"got 'otb2', accepted are otb, otb-miss"):
        conventions.convention('otb2')


def test_rows_of_inf_are_not_repaired():
    truth = np.tile([10.0, 10, 20, 20], (4, 1))
    predicted = truth.copy()
    predicted[2], predicted[3] = np.nan, np.inf
    assert one_pass.score_sequence(predicted, truth, convention='lasot').precision == 0.75
    assert one_pass.score_sequence(predicted, truth, convention='pysot').precision == 0.5


@pytest.mark.parametrize('each', conventions.CONVENTIONS.values(), ids=list(conventions.CONVENTIONS))
def test_every_convention_says_what_it_is(each):
    assert each.about.startswith('success: mean over overlap > 0') and '\n' not in each.about
    assert len({other.about for other in conventions.CONVENTIONS.values()}) == len(conventions.CONVENTIONS)


values = st.floats(-50, 400)
tracks = st.lists(
    st.tuples(*[values] * 2, *[st.floats(0, 200)] * 2, *[values] * 2, *[st.floats(0.5, 200)] * 2),
    min_size=2,
    max_size=8,
).map(np.array)


@given(tracks)
@settings(max_examples=60)
def test_against_the_got10k_toolkit_itself(track):
    metrics = pytest.importorskip('got10k.utils.metrics')
    predicted, truth = track[:, :4], track[:, 4:]
    scores = one_pass.score_sequence(predicted, truth, convention='got10k')
    given = np.concatenate([truth[:1], predicted[1:]])
    overlaps, errors = metrics.rect_iou(given, truth), metrics.center_error(given, truth)
    # A value on a threshold may fall on either side of it, so the curves are compared with what lies clearly within.
    for curve, kept, thresholds in (
        (scores.success_curve, lambda t, d: overlaps > t + d, one_pass.OVERLAP_THRESHOLDS),
        (scores.precision_curve, lambda t, d: errors <= t - d, one_pass.ERROR_THRESHOLDS),
    ):
        for share, threshold in zip(curve, thresholds, strict=True):
            assert kept(threshold, 1e-9).mean() - 1e-12 <= share <= kept(threshold, -1e-9).mean() + 1e-12

"""Perturbed starts against the Matlab toolkit's text followed line by line, and how runs are pooled."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.evaluation import perturbed
from sctrpn_jax.metrics import one_pass


def rounded(value):
    """Matlab's round."""
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def segments_by_the_text(truth, omitted, segments=20):
    """splitSeqTRE: 1-based indices of frames, its colon expression walked step by step."""
    index = [
        t + 1 for t, (x, y, w, h) in enumerate(truth) if x + 1 > 0 and y + 1 > 0 and w > 0 and h > 0 and not omitted[t]
    ]
    end = max((i + 1 for i, frame in enumerate(index) if len(truth) - frame + 1 >= 20), default=None)
    if end is None:
        return None
    places = [math.floor(1 + k * end / (segments - 1)) for k in range(segments) if 1 + k * end / (segments - 1) <= end]
    return sorted({index[place - 1] - 1 for place in [*places, end]})


@given(st.integers(1, 300), st.lists(st.integers(0, 299), max_size=80), st.lists(st.integers(0, 299), max_size=80))
@settings(max_examples=80)
def test_temporal_starts(count, hidden, nowhere):
    truth = np.tile([5.0, 5, 10, 10], (count, 1))
    truth[[t for t in nowhere if t < count]] = np.nan
    omitted = np.isin(np.arange(count), hidden)
    expected = segments_by_the_text(truth, omitted)
    if expected is None:
        with pytest.raises(ValueError, match='temporal starts'):
            perturbed.temporal_starts(truth, omitted)
        return
    assert perturbed.temporal_starts(truth, omitted).tolist() == expected


def test_twenty_segments_of_a_usual_sequence():
    starts = perturbed.temporal_starts(np.tile([5.0, 5, 10, 10], (400, 1)))
    assert len(starts) == 20 and starts[0] == 0 and starts[-1] == 380  # the last run has 20 frames
    assert set(np.diff(starts)) <= {20, 21}


def test_omitted_frames(tmp_path):
    path = tmp_path / 'tiger1.txt'
    path.write_text('1 5\n9\t12 \n\n30 99\n')
    found = perturbed.read_omitted(path, 3, 30)
    assert np.flatnonzero(found).tolist() == [0, 1, 2, 6, 7, 8, 9, 27, 28, 29]
    path.write_text('1 5\n9\n')
    with pytest.raises(ValueError, match=r"tiger1\.txt:2: got '9'"):
        perturbed.read_omitted(path, 1, 30)


def shift_by_the_text(box, kind, width, height):
    """shiftInitBB on 1-based numbers."""
    r = [box[0] + 1, box[1] + 1, box[2], box[3]]
    cx, cy = r[0] + r[2] / 2, r[1] + r[3] / 2
    right, bottom = r[0] + r[2] - 1, r[1] + r[3] - 1
    if kind.startswith('scale_'):
        ratio = {'8': 0.8, '9': 0.9, '11': 1.1, '12': 1.2}[kind[6:]]
        w, h = ratio * r[2], ratio * r[3]
        r = [rounded(v) for v in (cx - w / 2, cy - h / 2, w, h)]
    elif kind in ('left', 'right'):
        r[0] += math.ceil(0.1 * r[2]) * (-1 if kind == 'left' else 1)
    elif kind in ('up', 'down'):
        r[1] += math.ceil(0.1 * r[3]) * (-1 if kind == 'up' else 1)
    else:
        w, h = r[2], r[3]
        if 'Left' in kind:
            r[0] = rounded(r[0] - 0.1 * w)
        else:
            right = rounded(right + 0.1 * w)
        if 'top' in kind:
            r[1] = rounded(r[1] - 0.1 * h)
        else:
            bottom = rounded(bottom + 0.1 * h)
        r[2], r[3] = right - r[0] + 1, bottom - r[1] + 1
    r[0], r[1] = max(r[0], 1), max(r[1], 1)
    if r[0] + r[2] - 1 > width:
        r[2] = width - r[0] + 1
    if r[1] + r[3] - 1 > height:
        r[3] = height - r[1] + 1
    return [r[0] - 1, r[1] - 1, r[2], r[3]]


@given(st.integers(0, 250), st.integers(0, 170), st.integers(2, 120), st.integers(2, 120), st.sampled_from([0, 0.5]))
@settings(max_examples=100)
def test_spatial_starts(x, y, w, h, part):
    starts = perturbed.spatial_starts((x + part, y, w, h), (320, 240))
    assert tuple(starts) == perturbed.PERTURBATIONS and len(starts) == 12
    for kind, start in starts.items():
        np.testing.assert_allclose(start, shift_by_the_text((x + part, y, w, h), kind, 320, 240), err_msg=kind)


def test_a_start_outside_the_image_is_refused():
    with pytest.raises(ValueError, match='has no size in an image'):
        perturbed.spatial_starts((400, 10, 20, 20), (320, 240))


def test_the_scale_of_a_start_is_taken_out_again():
    box = np.array([[100.0, 60, 50, 40], [101, 61, 50, 40]])
    np.testing.assert_array_equal(perturbed.unscaled(box, 'left'), box)
    larger = np.stack([perturbed.spatial_starts(each, (320, 240))['scale_12'] for each in box])
    np.testing.assert_array_equal(larger[:, 2:], [[60, 48]] * 2)
    np.testing.assert_allclose(perturbed.unscaled(larger, 'scale_12'), box, atol=1)
    np.testing.assert_array_equal(perturbed.unscaled(larger, 'scale_12')[:, 2:], box[:, 2:])
    assert np.isnan(perturbed.unscaled(np.full((1, 4), np.inf), 'scale_8')[:, :2]).all()


def test_runs_are_pooled_by_their_frames():
    truth = np.tile([50.0, 50, 20, 20], (60, 1))
    lost = truth + [100, 0, 0, 0]
    scores = perturbed.score_temporal({0: truth, 40: lost[40:]}, truth)
    assert scores.frames == 80 and scores.precision == pytest.approx((60 + 1) / 80)
    assert scores.precision_curve[0] == pytest.approx(61 / 80)
    scores = perturbed.score_spatial(dict.fromkeys(perturbed.PERTURBATIONS[:8], truth) | {'scale_8': lost}, truth)
    assert scores.precision == pytest.approx((8 * 60 + 1) / (9 * 60))
    scores = perturbed.score_temporal({0: lost, 40: truth[40:]}, truth, np.arange(60) >= 40)
    assert scores.frames == 40 and scores.precision == pytest.approx(1 / 40)  # the other run has no frame that counts
    assert isinstance(scores, one_pass.Scores) and isinstance(scores.success, float)
    nowhere = perturbed.score_temporal({0: truth, 40: truth[40:]}, truth, np.ones(60, bool))
    assert nowhere.frames == 0 and math.isnan(nowhere.success) and np.isnan(nowhere.precision_curve).all()
    with pytest.raises(ValueError, match='got none'):
        perturbed.pooled([])


def test_what_the_files_count_from_matters_to_conventions_that_look_at_it():
    truth = np.tile([0.0, 0, 20, 20], (30, 1))  # 1 in files that count from 1, and 0 is invalid by the Matlab toolkit
    runs = {0: truth, 10: truth[10:]}
    assert perturbed.score_temporal(runs, truth, convention='otb-matlab').success > 0.9
    assert perturbed.score_temporal(runs, truth, convention='otb-matlab', origin=0).success == 0
    runs = dict.fromkeys(perturbed.PERTURBATIONS[:2], truth)
    assert perturbed.score_spatial(runs, truth, convention='otb-matlab').success > 0.9
    assert perturbed.score_spatial(runs, truth, convention='otb-matlab', origin=0).success == 0

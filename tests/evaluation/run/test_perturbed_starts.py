"""Perturbed starts against the Matlab toolkit's text followed line by line."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.evaluation.run import perturbed_starts


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
            perturbed_starts.temporal_starts(truth, omitted)
        return
    assert perturbed_starts.temporal_starts(truth, omitted).tolist() == expected


def test_twenty_segments_of_a_usual_sequence():
    starts = perturbed_starts.temporal_starts(np.tile([5.0, 5, 10, 10], (400, 1)))
    assert len(starts) == 20 and starts[0] == 0 and starts[-1] == 380  # the last run has 20 frames
    assert set(np.diff(starts)) <= {20, 21}


def test_omitted_frames(tmp_path):
    path = tmp_path / 'tiger1.txt'
    path.write_text('1 5\n9\t12 \n\n30 99\n')
    found = perturbed_starts.read_omitted(path, 3, 30)
    assert np.flatnonzero(found).tolist() == [0, 1, 2, 6, 7, 8, 9, 27, 28, 29]
    path.write_text('1 5\n9\n')
    with pytest.raises(ValueError, match=r"tiger1\.txt:2: got '9'"):
        perturbed_starts.read_omitted(path, 1, 30)


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
    starts = perturbed_starts.spatial_starts((x + part, y, w, h), (320, 240))
    assert tuple(starts) == perturbed_starts.PERTURBATIONS and len(starts) == 12
    for kind, start in starts.items():
        np.testing.assert_allclose(start, shift_by_the_text((x + part, y, w, h), kind, 320, 240), err_msg=kind)


def test_a_start_outside_the_image_is_refused():
    with pytest.raises(ValueError, match='has no size in an image'):
        perturbed_starts.spatial_starts((400, 10, 20, 20), (320, 240))

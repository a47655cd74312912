"""Patches against SciPy's sampling and closed forms."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.data import patches
from sctrpn_jax.geometry import crop


@given(
    size=st.integers(31, 255),
    shift=st.floats(0, 80),
    scale=st.floats(0, 0.5),
    zoom=st.floats(0, 0.5),
    corner=st.tuples(*[st.sampled_from([-1, 1])] * 2),
)
def test_a_patch_holds_the_extreme_crops(size, shift, scale, zoom, corner):
    patch = patches.patch_size(size, shift, scale, zoom)
    step = (1 + scale) * np.exp(zoom)  # patch pixels a crop pixel
    centre = patch / 2 - corner[0] * shift * step
    ends = centre + np.array([-1, 1]) * size / 2 * step
    assert patch % 2 == 1 and ends.min() >= 0.5 and ends.max() <= patch - 0.5
    assert patch <= (size + 2 * shift) * step + 5


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-10, 90),
    y=st.floats(-10, 60),
    width=st.floats(15, 40),
    height=st.floats(15, 40),
    size=st.integers(31, 80),
)
def test_a_patch_is_the_crop_of_the_geometry(x, y, width, height, size):
    image = cv2.resize(np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8), (120, 90))
    box = np.float32([x, y, width, height])
    patch, patch_box = patches.cut_patch(image, box, size)
    centre = box[:2] + box[2:] / 2
    side = np.sqrt((1.5 * width + 0.5 * height) * (0.5 * width + 1.5 * height)) * size / 127
    np.testing.assert_allclose(patch_box, [size / 2, size / 2, width * size / side, height * size / side], rtol=1e-5)
    at = [((np.arange(size) + 0.5) / size - 0.5) * side + middle - 0.5 for middle in centre]
    rows, columns = np.meshgrid(at[1], at[0], indexing='ij')
    fill = image.mean((0, 1))
    expected = [
        scipy.ndimage.map_coordinates(image[..., c] - fill[c], [rows, columns], order=1, mode='grid-constant') + fill[c]
        for c in range(3)
    ]
    # OpenCV 4 rounds positions to 1/32 pixel, which shows where the picture has an edge.
    difference = np.abs(patch - np.stack(expected, -1))
    assert difference.mean() < 1.0 and difference.max() < 12


@pytest.mark.parametrize('offset', [0.0, 0.37])
@pytest.mark.parametrize('near_border', [False, True])
def test_a_strong_reduction_averages_and_stays_in_place(offset, near_border):
    image = np.zeros((800, 1000, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 200  # a chequerboard of mean 100: aliasing would show it
    left, top = (0, 0) if near_border else (300, 200)
    image[top : top + 240, left : left + 320] = 255
    box = np.float32([left + offset, top, 320, 240])
    patch, patch_box = patches.cut_patch(image, box, 211)
    x, y, width, height = patch_box
    white = patch[..., 0] > 180
    columns, rows = np.flatnonzero(white.sum(0) > height / 2), np.flatnonzero(white.sum(1) > width / 2)
    scale = 127 / float(crop.context_side(box[2:]))
    assert scale < 0.6  # reduced
    np.testing.assert_allclose([columns[0], columns[-1] + 1], [x - width / 2, x + width / 2], atol=0.8 + offset * scale)
    np.testing.assert_allclose([rows[0], rows[-1] + 1], [y - height / 2, y + height / 2], atol=0.8)
    outside = patch[round(y + height / 2) + 3 : -2, round(x - width / 2) + 2 : -2]
    assert outside.std() < 12 and abs(outside.mean() - 100) < 12


@pytest.mark.parametrize('target', [30, 60, 200, 333])
@pytest.mark.parametrize('corner', [(0.0, 0.0), (150.3, 80.7), (390.0, 250.0)])
def test_a_smaller_patch_is_the_middle_of_a_larger_one(target, corner):
    noise = np.random.default_rng(0).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    image = cv2.resize(noise, (701, 503), interpolation=cv2.INTER_CUBIC)
    box = np.float32([*corner, target, target * 0.8])
    large, large_box = patches.cut_patch(image, box, 455)
    small, small_box = patches.cut_patch(image, box, 145)
    middle = large[155:300, 155:300]
    # OpenCV 4 rounds positions to 1/32 pixel, so that equal positions may round apart.
    assert np.abs(middle.astype(int) - small).max() <= 6 and np.abs(middle.astype(int) - small).mean() < 0.1
    np.testing.assert_allclose(large_box[2:], small_box[2:])


def test_a_stored_crop_is_sliced_not_sampled():
    crop = np.random.default_rng(0).integers(0, 256, (511, 511, 3), dtype=np.uint8)
    side = np.float64([60.0, 81.3])
    side *= patches.patch_scale([0, 0, *side])  # so that the context square is 127 pixels
    box = np.concatenate([255.5 - side / 2, side]).astype(np.float32)
    for size in (145, 455, 511):
        patch, _ = patches.cut_patch(crop, box, size)
        first = (511 - size) // 2
        np.testing.assert_array_equal(patch, crop[first : first + size, first : first + size])
    moved, _ = patches.cut_patch(crop, box + np.float32([0.5, 0, 0, 0]), 145)
    expected = (crop[183:328, 183:328].astype(int) + crop[183:328, 184:329]) / 2
    assert np.abs(moved - expected).max() <= 6  # half way between two pixels is not a slice

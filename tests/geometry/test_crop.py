"""Crops against OpenCV and a plain loop; boxes there and back, and boxes that move with their pixels."""

import cv2
import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.geometry import crop

PLACES = [
    ((60.0, 50.0), 40.0),
    ((61.3, 48.9), 73.7),
    ((5.2, 7.7), 50.0),
    ((110.0, 88.0), 160.0),
    ((300.0, -90.0), 30.0),
]
FILL = np.asarray([20.0, 130.0, 220.0], np.float32)

_extract = jax.jit(crop.extract, static_argnames='crop_size')
_to_crop = jax.jit(crop.to_crop, static_argnames='crop_size')
_to_frame = jax.jit(crop.to_frame, static_argnames='crop_size')


def smooth_image(height=90, width=120):
    """Slow waves: where OpenCV rounds coordinates (1/32 px before version 5), the values hardly differ."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / 17 + y / 23), np.cos(x / 29 - y / 13), np.sin((x + y) / 31)]
    return (127.5 + 100 * np.stack(waves, -1)).astype(np.float32)


def extract(image, centre, side, size):
    return np.asarray(_extract(jnp.asarray(image), jnp.asarray(centre), jnp.asarray(side), size, jnp.asarray(FILL)))


@pytest.mark.parametrize(('centre', 'side'), PLACES)
def test_extract_matches_opencv_on_a_smooth_image(centre, side):
    image, size = smooth_image(), 63
    scale = side / size
    # Crop index i -> frame index (i + 0.5) * scale + corner - 0.5.
    start = [c - side / 2 + scale / 2 - 0.5 for c in centre]
    matrix = np.asarray([[scale, 0, start[0]], [0, scale, start[1]]])
    expected = cv2.warpAffine(
        image,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=FILL.tolist(),
    )
    difference = np.abs(extract(image, centre, side, size) - expected)
    # At the frame's border the step to the fill turns 1/32 px into several grey levels, on a few pixels only.
    assert np.quantile(difference, 0.9) < 0.5
    assert difference.max() < 8


@pytest.mark.parametrize(('centre', 'side'), PLACES)
def test_extract_matches_a_plain_loop(centre, side):
    rng = np.random.default_rng(0)
    image, size = rng.integers(0, 256, (90, 120, 3)).astype(np.uint8), 12

    def pixel(row, column):
        return image[row, column].astype(float) if 0 <= row < 90 and 0 <= column < 120 else FILL.astype(float)

    got = extract(image, centre, side, size)
    for i in range(size):
        for j in range(size):
            y = centre[1] + ((i + 0.5) / size - 0.5) * side - 0.5
            x = centre[0] + ((j + 0.5) / size - 0.5) * side - 0.5
            top, left = int(np.floor(y)), int(np.floor(x))
            down, right = y - top, x - left
            expected = (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1))
            expected += down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1))
            np.testing.assert_allclose(got[i, j], expected, atol=0.02)


def test_a_crop_at_the_frame_s_own_scale_is_a_slice():
    image = np.random.default_rng(1).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    got = extract(image, (20.5, 17.5), 15.0, 15)
    np.testing.assert_array_equal(got, image[10:25, 13:28])


def test_a_box_moves_with_its_pixels():
    image = np.zeros((90, 120, 3), np.float32)
    image[30:50, 40:70] = 255  # xywh 40, 30, 30, 20
    centre, side, size = jnp.asarray([52.0, 43.0]), jnp.asarray(64.0), 256
    got = np.asarray(_extract(jnp.asarray(image), centre, side, size, jnp.zeros(3)))[..., 0] > 127
    rows, columns = np.flatnonzero(got.any(1)), np.flatnonzero(got.any(0))
    seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    box = np.asarray(_to_crop(jnp.asarray([55.0, 40.0, 30.0, 20.0]), centre, side, size))
    expected = [box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2]
    np.testing.assert_allclose(seen, expected, atol=1)


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
@hypothesis.given(
    st.tuples(*[st.floats(-500, 1500, width=32)] * 2, *[st.floats(1, 800, width=32)] * 2),
    st.tuples(*[st.floats(-100, 1500, width=32)] * 2),
    st.floats(16, 1000, width=32),
    st.sampled_from([127, 255]),
)
def test_to_frame_undoes_to_crop(box, centre, side, size):
    box, centre, side = (jnp.asarray(value, jnp.float32) for value in (box, centre, side))
    there = _to_crop(box, centre, side, size)
    np.testing.assert_allclose(_to_frame(there, centre, side, size), box, rtol=1e-5, atol=5e-3)
    np.testing.assert_allclose(there[2:] / box[2:], size / side, rtol=1e-5)


def test_the_crop_s_centre_and_corner():
    centre, side = jnp.asarray([[100.0, 80.0]] * 2), jnp.asarray([50.0, 50.0])
    boxes = jnp.asarray([[100.0, 80.0, 10.0, 5.0], [75.0, 55.0, 50.0, 50.0]])
    expected = [[127.5, 127.5, 51, 25.5], [0, 0, 255, 255]]
    np.testing.assert_allclose(_to_crop(boxes, centre, side, 255), expected, rtol=1e-6, atol=1e-4)


def test_context_side():
    sizes = jnp.asarray([[10.0, 10.0], [30.0, 20.0]])
    np.testing.assert_allclose(crop.context_side(sizes), [20, np.sqrt((30 + 25) * (20 + 25))], rtol=1e-6)

"""Overlap against cell counting and a plain loop; the regression code against Eq. 5 and its own inverse."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.geometry import boxes

QUICK = hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
CENTRE = st.floats(-500, 500, width=32)
SIDE = st.floats(1, 500, width=32)
BOX = st.tuples(CENTRE, CENTRE, SIDE, SIDE)

_iou, _encode, _decode = jax.jit(boxes.iou), jax.jit(boxes.encode), jax.jit(boxes.decode)


def array(values):
    return jnp.asarray(values, jnp.float32)


def test_forms_of_one_box():
    box = array([10, 20, 30, 40])
    np.testing.assert_array_equal(boxes.xywh_to_cxcywh(box), [25, 40, 30, 40])
    np.testing.assert_array_equal(boxes.cxcywh_to_xywh(array([25, 40, 30, 40])), box)
    np.testing.assert_array_equal(boxes.cxcywh_to_corners(array([25, 40, 30, 40])), [10, 20, 40, 60])


def test_forms_keep_leading_axes():
    many = array(np.random.default_rng(0).uniform(1, 50, (2, 3, 4)))
    np.testing.assert_allclose(boxes.cxcywh_to_xywh(boxes.xywh_to_cxcywh(many)), many, rtol=1e-5, atol=1e-5)


def test_iou_of_whole_pixel_boxes_is_a_count_of_cells():
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 12, (2, 40, 2))
    sizes = rng.integers(1, 9, (2, 40, 2))
    first, second = (array(np.concatenate([c + s / 2, s], -1)) for c, s in zip(corners, sizes, strict=True))
    for got, *pair in zip(_iou(first, second), corners.swapaxes(0, 1), sizes.swapaxes(0, 1), strict=True):
        drawn = []
        for (x, y), (w, h) in zip(*pair, strict=True):
            canvas = np.zeros((24, 24), bool)
            canvas[y : y + h, x : x + w] = True
            drawn.append(canvas)
        np.testing.assert_allclose(got, (drawn[0] & drawn[1]).sum() / (drawn[0] | drawn[1]).sum(), rtol=1e-6)


@QUICK
@hypothesis.given(BOX, BOX)
def test_iou_matches_plain_arithmetic_and_is_symmetric(a, b):
    width = max(min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2), 0)
    height = max(min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2), 0)
    expected = width * height / (a[2] * a[3] + b[2] * b[3] - width * height)
    got = float(_iou(array(a), array(b)))
    np.testing.assert_allclose(got, expected, atol=5e-4)  # float32 corners near 500 are 3e-5 px apart
    # Not bit for bit: a compiler may fuse one of the two products into the sum.
    np.testing.assert_allclose(got, float(_iou(array(b), array(a))), rtol=1e-6)
    np.testing.assert_allclose(_iou(array(a), array(a)), 1, atol=1e-6)


def test_iou_broadcasts_and_is_zero_for_empty_unions():
    a = array([[0, 0, 2, 2], [1, 0, 2, 2], [9, 9, 2, 2]])
    np.testing.assert_allclose(_iou(a[:, None], a[None]), [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]], rtol=1e-6)
    empty = array([0, 0, 0, 0])
    assert float(_iou(empty, empty)) == 0
    assert np.isfinite(jax.grad(lambda box: boxes.iou(box, empty))(empty)).all()


def test_encode_is_equation_5():
    got = _encode(array([10, 20, 4, 8]), array([12, 16, 8, 4]))
    np.testing.assert_allclose(got, [2 / 4, -4 / 8, np.log(2), -np.log(2)], rtol=1e-6)


def test_decode_is_equation_6():
    got = _decode(array([10, 20, 4, 8]), array([0.5, -0.25, np.log(3), -np.log(4)]))
    np.testing.assert_allclose(got, [12, 18, 12, 2], rtol=1e-6)


@QUICK
@hypothesis.given(BOX, BOX)
def test_decode_undoes_encode(anchor, box):
    got = _decode(array(anchor), _encode(array(anchor), array(box)), 7.0)
    np.testing.assert_allclose(got, array(box), rtol=1e-4, atol=2e-3)


def test_decode_stays_finite_and_bounds_the_size():
    deltas = array([[0, 0, 1e4, -1e4], [1e4, -1e4, np.inf, -np.inf]])
    got = np.asarray(_decode(array([[5, 5, 8, 8]] * 2), deltas, 1.5))
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got[:, 2:] / 8, [[np.exp(1.5), np.exp(-1.5)]] * 2, rtol=1e-5)

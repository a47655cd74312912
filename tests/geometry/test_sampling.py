"""Samplers against scipy's and jax's map_coordinates, finite differences, and each other."""

import functools

import jax
import jax.numpy as jnp
import jax.scipy.ndimage
import numpy as np
import pytest
import scipy.ndimage
from jax.test_util import check_grads

from sctrpn_jax.geometry import sampling

# scipy's name for what `border` does. 'constant' would not blend between the last cell and the zero outside.
SCIPY_MODE = {'zero': 'grid-constant', 'edge': 'nearest'}

_grid_sample = jax.jit(sampling.grid_sample, static_argnames='border')


def example(seed=0, shape=(7, 9, 3), count=200):
    """A map, and points inside, at the border, outside and exactly on cells."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=shape).astype(np.float32)
    spread = rng.uniform([-3, -3], [shape[1] + 2, shape[0] + 2], (count, 2))
    cells = rng.integers(-1, 10, (20, 2))
    border = [[-0.5, 2.25], [shape[1] - 0.5, 2.25], [3.75, -0.25], [3.75, shape[0] - 0.25], [-1, -1]]
    return features, np.concatenate([spread, cells, border]).astype(np.float32)


@pytest.mark.parametrize('border', ['zero', 'edge'])
def test_grid_sample_matches_scipy(border):
    features, points = example()
    got = _grid_sample(jnp.asarray(features), jnp.asarray(points), border=border)
    for channel in range(features.shape[-1]):
        expected = scipy.ndimage.map_coordinates(
            features[..., channel], points[:, ::-1].T, order=1, mode=SCIPY_MODE[border]
        )
        np.testing.assert_allclose(got[:, channel], expected, atol=2e-5)


@pytest.mark.parametrize(('border', 'mode'), [('zero', 'constant'), ('edge', 'nearest')])
def test_grid_sample_matches_jax(border, mode):
    features, points = example(1)
    got = _grid_sample(jnp.asarray(features), jnp.asarray(points), border=border)
    with jax.numpy_rank_promotion('allow'), jax.numpy_dtype_promotion('standard'):
        expected = jax.scipy.ndimage.map_coordinates(
            jnp.asarray(features[..., 0]), list(jnp.asarray(points[:, ::-1].T)), order=1, mode=mode
        )
    np.testing.assert_allclose(got[:, 0], expected, atol=2e-5)


def test_grid_sample_keeps_leading_axes_and_samples_cells_exactly():
    features = jnp.arange(24.0).reshape(3, 4, 2)
    x, y = jnp.meshgrid(jnp.arange(4.0), jnp.arange(3.0))
    np.testing.assert_array_equal(_grid_sample(features, jnp.stack([x, y], -1)), features)


@pytest.mark.parametrize('border', ['zero', 'edge'])
def test_gradients_match_finite_differences(border):
    rng = np.random.default_rng(2)
    # Off the cells, where the bilinear surface has a kink; partly outside the 4 x 5 map.
    points = rng.integers(-2, 6, (12, 2)) + rng.uniform(0.2, 0.8, (12, 2))
    features = rng.normal(size=(4, 5, 2))
    with jax.enable_x64(True):
        sample = jax.jit(functools.partial(sampling.grid_sample, border=border))
        check_grads(sample, (jnp.asarray(features), jnp.asarray(points)), order=1, modes=['rev'], eps=1e-4)


def test_points_have_a_gradient_that_moves_towards_the_peak():
    rows, columns = np.mgrid[:9, :9]
    features = jnp.asarray(np.exp(-((rows - 4) ** 2 + (columns - 4) ** 2) / 8)[..., None], jnp.float32)
    grad = jax.grad(lambda point: sampling.grid_sample(features, point)[0])(jnp.asarray([2.5, 5.5]))
    assert grad[0] > 0
    assert grad[1] < 0


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_axis_aligned_samples_match_the_general_sampler_on_a_padded_image(dtype):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (11, 14, 3)).astype(dtype)
    fill = np.asarray([10.0, 120.0, 240.0], np.float32)
    xs = rng.uniform(-4, 17, 23).astype(np.float32)
    ys = rng.uniform(-4, 14, 19).astype(np.float32)
    got = jax.jit(sampling.sample_axis_aligned)(*map(jnp.asarray, (image, xs, ys, fill)))
    assert got.dtype == jnp.float32
    padded = np.broadcast_to(fill, (11 + 12, 14 + 12, 3)).copy()
    padded[6:-6, 6:-6] = image
    coordinates = np.stack(np.meshgrid(ys + 6, xs + 6, indexing='ij'))
    for channel in range(3):
        expected = scipy.ndimage.map_coordinates(padded[..., channel], coordinates, order=1)
        np.testing.assert_allclose(got[..., channel], expected, atol=1e-3)

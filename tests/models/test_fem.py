"""FEM: the short cut equals the long way, grids match cells by crop pixels, warps and their undoing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.geometry import grid
from sctrpn_jax.models import fem, stn


def _maps(previous_size=6, current_size=10, seed=0):
    keys = jax.random.split(jax.random.key(seed))
    return (
        jax.random.normal(keys[0], (2, previous_size, previous_size, 4)),
        jax.random.normal(keys[1], (2, current_size, current_size, 5)),
    )


def _plain(variables, previous, current):
    """Eq. 2 cell by cell: each kept cell fuses the two maps' values at the same crop pixel."""
    p = variables['params']
    border = (current.shape[1] - previous.shape[1]) // 2
    fused = np.zeros((*previous.shape[:3], p['previous']['kernel'].shape[-1]))
    for i in range(previous.shape[1]):
        for j in range(previous.shape[2]):
            a = previous[:, i, j] @ p['previous']['kernel'][0, 0] + p['previous']['bias'][None]
            fused[:, i, j] = np.maximum(a + current[:, i + border, j + border] @ p['current']['kernel'][0, 0], 0)
    return fused


@pytest.mark.parametrize('transform', ['stn', 'resize'])
def test_untrained_aligned_fem_is_eq_2_cell_by_cell(transform):
    previous, current = _maps()
    module = fem.FEM(channels=3, transform=transform)
    variables = module.init(jax.random.key(1), previous, current)
    fused, motion = module.apply(variables, previous, current)
    np.testing.assert_allclose(fused, _plain(variables, previous, current), atol=1e-5)
    np.testing.assert_array_equal(motion, stn.identity_motion(2))


def _trained(module, previous, current):
    """Variables whose STN moves."""
    variables = module.init(jax.random.key(1), previous, current)
    bias = jnp.asarray([0.8, 0.5, -0.5, 0.6, -0.4])
    variables['params']['LocalisationNet_0']['Dense_0']['bias'] = bias
    return variables


def test_warp_moves_the_previous_map_only():
    previous, current = _maps()
    module = fem.FEM(channels=3)
    variables = _trained(module, previous, current)
    fused, motion = module.apply(variables, previous, current)
    points = jax.vmap(lambda m: stn.warp_points(m, jnp.asarray(stn.cell_grid(6)), 2.5))(motion)
    moved = stn.sample_maps(previous, points)
    np.testing.assert_allclose(fused, _plain(variables, moved, current), atol=1e-5)
    still, motion = module.apply(variables, previous, current, warp=False)
    np.testing.assert_allclose(still, _plain(variables, previous, current), atol=1e-5)
    np.testing.assert_array_equal(motion, stn.identity_motion(2))


def test_match_cells_agrees_with_receptive_field_centres():
    for image in (127, 255):
        for layer in (3, 4):
            size, common = (grid.feature_size(n, image) for n in (layer, 5))
            centres, common_centres = (np.asarray(grid.cell_centres(n, image)) for n in (layer, 5))
            points = jnp.stack([jnp.arange(common, dtype=jnp.float32)] * 2, axis=-1)
            matched = np.asarray(fem.match_cells(points, common, size, 'aligned'))[:, 0]
            np.testing.assert_allclose(np.interp(matched, np.arange(size), centres), common_centres)


def test_stretch_spans_the_whole_map():
    ends = jnp.asarray([[-0.5, -0.5], [21.5, 21.5]])
    np.testing.assert_allclose(fem.match_cells(ends, 22, 26, 'stretch'), [[-0.5, -0.5], [25.5, 25.5]])
    previous, current = _maps(22, 26)
    module = fem.FEM(channels=3, grid='stretch')
    variables = module.init(jax.random.key(1), previous, current)
    fused, _ = module.apply(variables, previous, current)
    assert fused.shape == (2, 22, 22, 3)
    assert np.abs(fused - _plain(variables, previous, current)).max() > 0.1

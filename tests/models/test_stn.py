"""The spatial transformer: identity at start, bounded motion, sampling against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from sctrpn_jax.models import stn


def test_warp_is_rotation_scale_and_shift_about_the_centre():
    angle = np.deg2rad(10)
    motion = jnp.asarray([angle, 1.1, 0.9, 0.5, -0.25], jnp.float32)
    points = stn.cell_grid(5)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wanted = (points - 2) * [1.1, 0.9] @ rotation.T + 2 + [0.5, -0.25]
    np.testing.assert_allclose(stn.warp_points(motion, jnp.asarray(points), 2.0), wanted, atol=1e-5)


@pytest.mark.parametrize('size', [6, 22])
def test_localisation_starts_at_the_identity_and_stays_in_bounds(size):
    net = stn.LocalisationNet(max_angle=10.0, max_scale=0.1, max_shift=1.0)
    features = jax.random.normal(jax.random.key(0), (2, size, size, 8))
    variables = net.init(jax.random.key(1), features)
    np.testing.assert_array_equal(net.apply(variables, features), stn.identity_motion(2))
    wild = jax.tree.map(lambda x: 100 * jax.random.normal(jax.random.key(2), x.shape), variables)
    motion = np.asarray(net.apply(wild, features))
    assert np.abs(motion[:, 0]).max() <= np.deg2rad(10) + 1e-6
    assert np.abs(motion[:, 1:3] - 1).max() <= 0.1 + 1e-6
    assert np.abs(motion[:, 3:]).max() <= 1 + 1e-6
    assert np.abs(motion - np.asarray(stn.identity_motion(2))).max() > 0.05


def test_weights_serve_templates_and_searches():
    net = stn.LocalisationNet()
    variables = net.init(jax.random.key(0), jnp.zeros((1, 22, 22, 4)))
    assert net.apply(variables, jnp.zeros((1, 6, 6, 4))).shape == (1, 5)


def test_mean_pool_covers_every_cell_evenly():
    for size in (2, 3, 6, 11, 13):
        matrix = stn.mean_pool_matrix(size, 3)
        np.testing.assert_allclose(matrix.sum(1), 1, rtol=1e-6)
        assert (matrix.sum(0) > 0).all()
    np.testing.assert_allclose(stn.mean_pool_matrix(6, 3), np.kron(np.eye(3), [0.5, 0.5]))


def test_sampler_against_scipy():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 9, 9, 3)).astype(np.float32)
    points = rng.uniform(-2, 10, (2, 5, 5, 2)).astype(np.float32)
    sampled = np.asarray(stn.sample_maps(jnp.asarray(features), jnp.asarray(points)))
    for b in range(2):
        for c in range(3):
            wanted = scipy.ndimage.map_coordinates(
                features[b, :, :, c], [points[b, ..., 1], points[b, ..., 0]], order=1, mode='nearest'
            )
            np.testing.assert_allclose(sampled[b, ..., c], wanted, atol=1e-5)


def test_gradient_reaches_the_localisation_net():
    net = stn.LocalisationNet()
    features = jax.random.normal(jax.random.key(0), (1, 6, 6, 4))
    variables = net.init(jax.random.key(1), features)

    def loss(variables):
        points = stn.warp_points(net.apply(variables, features)[0], jnp.asarray(stn.cell_grid(6)), 2.5)
        # Points on cell centres have one-sided slopes; a small offset keeps the derivative defined.
        return jnp.sum(stn.sample_maps(features, points[None] + 0.3) ** 2)

    gradient = jax.grad(loss)(variables)['params']['Dense_0']['bias']
    bias, step = variables['params']['Dense_0'].pop('bias'), 1e-2

    def at(bias):
        dense = variables['params']['Dense_0'] | {'bias': bias}
        return jax.jit(loss)({'params': variables['params'] | {'Dense_0': dense}})

    for i in range(5):
        numeric = (at(bias.at[i].add(step)) - at(bias.at[i].add(-step))) / (2 * step)
        np.testing.assert_allclose(gradient[i], numeric, rtol=0.1, atol=0.05)

"""Smooth L1 against optax's Huber loss, and positives only."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sctrpn_jax.objectives import regression


def test_smooth_l1_and_its_gradient_match_optax():
    difference = jnp.linspace(-3, 3, 61)
    expected = optax.losses.huber_loss(difference, delta=1.0)
    np.testing.assert_allclose(regression.smooth_l1(difference), expected, rtol=1e-6, atol=1e-7)
    # Closed form: d within -1..1, the sign beyond.
    got = jax.vmap(jax.grad(regression.smooth_l1))(difference)
    np.testing.assert_allclose(got, np.clip(difference, -1, 1), rtol=1e-6, atol=1e-7)


def test_sum_of_four_coordinates_at_positives_alone():
    rng = np.random.default_rng(0)
    deltas, targets = rng.normal(0, 2, (2, 3, 5, 4)).astype(np.float32)
    labels = rng.integers(-1, 2, (3, 5))
    expected = np.zeros((3, 5))
    for b in range(3):
        for n in range(5):
            for d in abs(deltas[b, n] - targets[b, n]) if labels[b, n] == 1 else ():
                expected[b, n] += 0.5 * d * d if d < 1 else d - 0.5
    assert (expected > 0).any()
    got = regression.regression_loss(jnp.asarray(deltas), jnp.asarray(targets), jnp.asarray(labels))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.parametrize('value', [1e4, -1e4, np.inf, np.nan])
def test_other_anchors_never_reach_value_or_gradient(value):
    deltas = jnp.asarray([[1.0, 0.0, 0.5, -2.0], [value] * 4])
    targets = jnp.asarray([[0.0] * 4, [value] * 4])
    labels = jnp.asarray([1, 0])
    loss, grad = jax.value_and_grad(lambda x: regression.regression_loss(x, targets, labels).sum())(deltas)
    np.testing.assert_allclose(loss, 0.5 + 0 + 0.125 + 1.5)
    np.testing.assert_allclose(grad, [[1, 0, 0.5, -1], [0] * 4])

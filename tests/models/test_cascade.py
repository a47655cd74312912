"""What passes between stages: Eq. 6 and the filter by theta, against plain loops."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.models import cascade


def test_refine_is_eq_6():
    anchors = np.array([[[100, 80, 64, 32], [10, 20, 40, 80]]], np.float32)
    deltas = np.array([[[0.5, -0.25, 0.1, -0.2], [0, 0, 9, -9]]], np.float32)
    refined = np.asarray(cascade.refine_anchors(jnp.asarray(anchors), jnp.asarray(deltas)))
    np.testing.assert_allclose(refined[0, 0], [132, 72, 64 * np.exp(0.1), 32 * np.exp(-0.2)], rtol=1e-6)
    np.testing.assert_allclose(refined[0, 1], [10, 20, 40 * np.exp(1.5), 80 * np.exp(-1.5)], rtol=1e-6)


def test_no_gradient_flows_through_refined_anchors():
    anchors = jnp.ones((1, 2, 4))
    gradient = jax.grad(lambda d: cascade.refine_anchors(anchors, d).sum())(jnp.zeros((1, 2, 4)))
    np.testing.assert_array_equal(gradient, 0)


@given(
    logits=st.lists(st.floats(-12, 12, width=32), min_size=12, max_size=12, unique=True),
    alive=st.lists(st.booleans(), min_size=12, max_size=12),
    theta=st.floats(0.5, 1.0),
    min_keep=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_filter_against_a_loop(logits, alive, theta, min_keep):
    values, alive = np.asarray(logits, np.float32), np.asarray(alive)
    kept = np.asarray(cascade.filter_anchors(jnp.asarray(alive)[None], jnp.asarray(values)[None], theta, min_keep))[0]
    negative = np.asarray(jax.nn.sigmoid(-values))
    wanted = {i for i in range(12) if alive[i] and negative[i] <= theta}
    order = sorted((i for i in range(12) if alive[i]), key=lambda i: -values[i])
    wanted |= set(order[:min_keep])
    assert set(np.flatnonzero(kept)) == wanted

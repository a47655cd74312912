"""Local response normalisation against its formula."""

import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.kernels import local_response_norm


@pytest.mark.parametrize('channels', [3, 5, 16])
def test_local_response_norm_is_its_formula(channels):
    x = np.random.default_rng(0).normal(scale=50, size=(2, 3, 4, channels)).astype(np.float32)
    expected = np.zeros(x.shape)
    for c in range(channels):
        total = np.square(x[..., max(0, c - 2) : c + 3].astype(np.float64)).sum(-1)
        expected[..., c] = x[..., c] / (2 + 1e-4 * total) ** 0.75
    np.testing.assert_allclose(local_response_norm.local_response_norm(jnp.asarray(x)), expected, rtol=1e-5)

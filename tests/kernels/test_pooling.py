"""The max-pool against a loop and XLA's window reduction."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.kernels import pooling


@pytest.mark.parametrize('shape', [(2, 11, 14, 3), (1, 3, 4, 1), (1, 8, 9, 2)])
def test_max_pool_is_the_window_maximum(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    rows, columns = (shape[1] - 3) // 2 + 1, (shape[2] - 3) // 2 + 1
    expected = [[x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((1, 2)) for j in range(columns)] for i in range(rows)]
    pooled = pooling.max_pool(jnp.asarray(x))
    np.testing.assert_array_equal(pooled, np.stack([np.stack(row, 1) for row in expected], 1))
    window = jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), 'VALID')
    np.testing.assert_array_equal(pooled, window)

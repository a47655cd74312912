"""The convolution is a sum over windows, forward and backward, with any stride and side."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from sctrpn_jax.kernels import convolution


@pytest.mark.parametrize(('side', 'stride'), [(1, 1), (1, 2), (3, 1), (4, 1), (5, 2), (11, 2)])
def test_values_and_gradients_are_those_of_a_sum_over_windows(side, stride):
    draw = np.random.default_rng(side).normal
    x, kernel = draw(size=(2, 15, 12, 3)).astype(np.float32), draw(size=(side, side, 3, 4)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    made = convolution.convolve(jnp.asarray(x), jnp.asarray(kernel), stride)
    np.testing.assert_allclose(made, np.einsum('bhwcij,ijcd->bhwd', windows, kernel), atol=1e-4)
    check_grads(lambda *given: convolution.convolve(*given, stride), (x, kernel), order=1, modes=['rev'], rtol=1e-2)


def test_groups_are_separate_convolutions():
    module = convolution.Conv(6, 3, groups=2)
    x = jax.random.normal(jax.random.key(0), (1, 7, 7, 4))
    variables = module.init(jax.random.key(1), x)
    kernel = variables['params']['kernel']
    halves = [convolution.convolve(x[..., 2 * i : 2 * i + 2], kernel[..., 3 * i : 3 * i + 3]) for i in (0, 1)]
    np.testing.assert_allclose(module.apply(variables, x), jnp.concatenate(halves, -1), atol=1e-5)

"""Products by kernel rows are XLA's convolution, forward and backward, with any stride."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.kernels import convolution


def plain(x, kernel, stride):
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    )


@pytest.mark.parametrize('form', ['rows', 'elsewhere'])
@pytest.mark.parametrize(('side', 'stride'), [(1, 1), (3, 1), (4, 1), (5, 2), (11, 2)])
def test_values_and_gradients_are_those_of_xla(form, side, stride, monkeypatch):
    monkeypatch.setattr(convolution, 'on_cpu', lambda: form == 'rows')
    draw = np.random.default_rng(side).normal
    x, kernel = draw(size=(2, 15, 12, 3)).astype(np.float32), draw(size=(side, side, 3, 4)).astype(np.float32)
    made, pull = jax.vjp(functools.partial(convolution.convolve, stride=stride), x, kernel)
    wanted, pull_wanted = jax.vjp(functools.partial(plain, stride=stride), x, kernel)
    np.testing.assert_allclose(made, wanted, atol=1e-4)
    direction = jnp.asarray(draw(size=made.shape).astype(np.float32))
    for got, expected in zip(pull(direction), pull_wanted(direction), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-3)


@pytest.mark.parametrize(('height', 'width'), [(31, 31), (30, 35)])
def test_stride_two_convolution_and_its_gradients_are_the_plain_ones(height, width):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(2, height, width, 3)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(11, 11, 3, 4)), jnp.float32)

    def plain(x, kernel):
        return jax.lax.conv_general_dilated(x, kernel, (2, 2), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))

    @jax.jit
    def both(x, kernel):
        result, pull = jax.vjp(lambda x, kernel: convolution.convolve(x, kernel, 2), x, kernel)
        reference, pull_reference = jax.vjp(plain, x, kernel)
        cotangent = jnp.cos(reference)
        return (result, *pull(cotangent)), (reference, *pull_reference(cotangent))

    for ours, theirs in zip(*both(x, kernel), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)

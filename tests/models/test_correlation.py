"""Correlations against plain loops."""

import jax
import numpy as np

from sctrpn_jax.models import correlation


def _pair(channels_template=5, channels=5):
    keys = jax.random.split(jax.random.key(0))
    return (
        jax.random.normal(keys[0], (2, 3, 3, channels_template)),
        jax.random.normal(keys[1], (2, 7, 7, channels)),
    )


def test_depthwise_against_a_loop():
    template, search = _pair()
    wanted = np.zeros((2, 5, 5, 5))
    for b in range(2):
        for y in range(5):
            for x in range(5):
                for c in range(5):
                    wanted[b, y, x, c] = np.mean(template[b, :, :, c] * search[b, y : y + 3, x : x + 3, c])
    np.testing.assert_allclose(correlation.depthwise(template, search), wanted, atol=1e-5)


def test_upchannel_against_a_loop():
    template, search = _pair(5 * 4)
    kernels = np.asarray(template).reshape(2, 3, 3, 5, 4)
    wanted = np.zeros((2, 5, 5, 4))
    for b in range(2):
        for y in range(5):
            for x in range(5):
                for o in range(4):
                    wanted[b, y, x, o] = np.sum(kernels[b, ..., o] * search[b, y : y + 3, x : x + 3]) / (9 * 5**0.5)
    np.testing.assert_allclose(correlation.upchannel(template, search, 4), wanted, atol=1e-5)

"""Correlations against plain loops."""

import jax
import jax.numpy as jnp
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


def test_cosine_against_a_loop():
    template, search = _pair()
    wanted = np.zeros((2, 5, 5, 1))
    for b in range(2):
        for y in range(5):
            for x in range(5):
                window = np.asarray(search[b, y : y + 3, x : x + 3]).ravel()
                target = np.asarray(template[b]).ravel()
                wanted[b, y, x, 0] = window @ target / np.linalg.norm(window) / np.linalg.norm(target)
    np.testing.assert_allclose(correlation.cosine(template, search), wanted, atol=1e-4)


def test_cosine_finds_the_template_and_stands_zeros():
    template, search = _pair()
    search = search.at[:, 2:5, 1:4].set(3 * template)
    found = correlation.cosine(template, search)[..., 0]
    np.testing.assert_allclose(found[:, 2, 1], 1, atol=1e-5)
    assert (found.reshape(2, -1).argmax(-1) == 2 * 5 + 1).all()
    assert np.isfinite(jax.grad(lambda s: correlation.cosine(template, s).sum())(jnp.zeros_like(search))).all()

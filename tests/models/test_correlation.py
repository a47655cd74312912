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


def test_mask_is_the_share_of_each_cell():
    masks = np.asarray(correlation.target_mask(jnp.array([[44.0, 20.0], [200.0, 8.0]]), 10))
    for mask, (w, h) in zip(masks, ((44, 20), (80, 8)), strict=True):
        pixels = np.zeros((10 * 8 * 4, 10 * 8 * 4))  # quarter pixels
        pixels[160 - 2 * h : 160 + 2 * h, 160 - 2 * w : 160 + 2 * w] = 1
        np.testing.assert_allclose(mask, pixels.reshape(10, 32, 10, 32).mean((1, 3)), atol=1e-6)


def test_cosine_against_a_loop():
    template, search = _pair()
    mask = jax.random.uniform(jax.random.key(1), (2, 3, 3))
    wanted = np.zeros((2, 5, 5))
    for b in range(2):
        root = np.sqrt(mask[b])[..., None]
        target = (template[b] * root).ravel()
        for y in range(5):
            for x in range(5):
                window = (search[b, y : y + 3, x : x + 3] * root).ravel()
                wanted[b, y, x] = window @ target / np.linalg.norm(window) / np.linalg.norm(target)
    np.testing.assert_allclose(correlation.cosine(template, mask, search), wanted, atol=1e-4)


def test_cosine_finds_the_template_and_stands_zeros():
    template, search = _pair()
    mask = jnp.ones((2, 3, 3))
    search = search.at[:, 2:5, 1:4].set(3 * template)
    found = correlation.cosine(template, mask, search)
    np.testing.assert_allclose(found[:, 2, 1], 1, atol=1e-5)
    assert (found.reshape(2, -1).argmax(-1) == 2 * 5 + 1).all()
    zeros = jnp.zeros_like(search)
    assert not correlation.cosine(template, mask, zeros).any()
    assert np.isfinite(jax.grad(lambda s: correlation.cosine(template, mask, s).sum())(zeros)).all()

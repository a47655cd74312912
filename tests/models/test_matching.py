"""The cosines of plain matching against loops, and what they add to a stage."""

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.models import matching, rpn


def _pair(channels_template=5, channels=5):
    keys = jax.random.split(jax.random.key(0))
    return (
        jax.random.normal(keys[0], (2, 3, 3, channels_template)),
        jax.random.normal(keys[1], (2, 7, 7, channels)),
    )


def test_mask_is_the_share_of_each_cell():
    masks = np.asarray(matching.target_mask(jnp.array([[44.0, 20.0], [200.0, 8.0]]), 10))
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
    np.testing.assert_allclose(matching.cosine(template, mask, search), wanted, atol=1e-4)


def test_cosine_finds_the_template_and_stands_zeros():
    template, search = _pair()
    mask = jnp.ones((2, 3, 3))
    search = search.at[:, 2:5, 1:4].set(3 * template)
    found = matching.cosine(template, mask, search)
    np.testing.assert_allclose(found[:, 2, 1], 1, atol=1e-5)
    assert (found.reshape(2, -1).argmax(-1) == 2 * 5 + 1).all()
    zeros = jnp.zeros_like(search)
    assert not matching.cosine(template, mask, zeros).any()
    assert np.isfinite(jax.grad(lambda s: matching.cosine(template, mask, s).sum())(zeros)).all()


def test_a_stage_adds_its_cosines_to_the_scores_and_leaves_the_boxes():
    keys = jax.random.split(jax.random.key(2), 3)
    template, search = jax.random.normal(keys[0], (2, 6, 6, 8)), jax.random.normal(keys[1], (2, 8, 8, 8))
    cosines = jax.random.uniform(keys[2], (2, 3, 3, 3))  # of three layers, of which the second stage sees two
    stage = matching.MatchedRPN(channels=8, anchors=2, matches=2)

    def run(module):
        made = module.search(module.template(template), search)
        return made if not isinstance(module, matching.MatchedRPN) else (*made, module.match(cosines))

    variables = stage.init(keys[0], method=run)
    gains = {'skip_gain': jnp.array([[1.0, 2.0], [0.5, -1.0]]), 'skip_bias': jnp.array([0.1, -0.2])}
    variables = variables | {'params': variables['params'] | gains}
    scores, deltas, added = stage.apply(variables, method=run)
    plain = {name: part for name, part in variables['params'].items() if name not in gains}
    expected = rpn.RPN(channels=8, anchors=2).apply(variables | {'params': plain}, method=run)
    np.testing.assert_array_equal(scores, expected[0])
    np.testing.assert_array_equal(deltas, expected[1])
    wanted = np.einsum('bhwm,mk->bhwk', cosines[..., :2], gains['skip_gain']) + np.asarray(gains['skip_bias'])
    np.testing.assert_allclose(added, matching.UNIT * wanted.reshape(2, 18), rtol=1e-5)

"""A grown network computes in its first channels what the narrow one did, whatever the new channels hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.models import alexnet, fem, rpn, sctrpn
from sctrpn_jax.training import growth, train_state
from sctrpn_jax.weights import network_file as weights_file

NARROW, WIDE = (4, 8, 12, 12, 8), (8, 16, 24, 24, 16)


def values(shape, seed):
    return jax.random.normal(jax.random.key(seed), shape)


def scattered(variables, seed):
    """Every array drawn anew, so that biases, norms and zero-initialised layers take part."""
    leaves, form = jax.tree.flatten(variables)
    made = [jnp.abs(values(leaf.shape, seed + i)) + 0.1 for i, leaf in enumerate(leaves)]
    return jax.tree.unflatten(form, made)


def made(module, seed, *inputs, **kwargs):
    return scattered(module.init(jax.random.key(0), *inputs, **kwargs), seed)


@pytest.mark.all
def test_backbone():
    images = jnp.abs(values((1, 127, 127, 3), 0)) * 100
    narrow = alexnet.AlexNet(NARROW, (1, 1, 1, 1, 1), norm='none')
    wide = alexnet.AlexNet(WIDE, (1, 2, 1, 2, 2), norm='none')
    small = made(narrow, 1, images)
    grown = growth.grow(small, made(wide, 50, images))
    for layer, expected in narrow.apply(small, images).items():
        found = wide.apply(grown, images)[layer]
        np.testing.assert_allclose(found[..., : expected.shape[-1]], expected, rtol=1e-4)
        assert (found[..., expected.shape[-1] :] > 0).any(), 'the new channels do nothing'


def test_fem():
    previous, current = values((2, 6, 6, 8), 0), values((2, 8, 8, 12), 1)
    more = [jnp.concatenate([x, values(x.shape, i)], -1) for i, x in enumerate((previous, current), 2)]
    narrow, wide = fem.FEM(4), fem.FEM(8)
    small = made(narrow, 1, previous, current)
    grown = growth.grow(small, made(wide, 50, *more))
    expected, motion = narrow.apply(small, previous, current)
    found, new_motion = wide.apply(grown, *more)
    np.testing.assert_allclose(found[..., :4], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(new_motion, motion, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('form', ['depthwise', 'none'])
def test_head(form):
    template, search = values((2, 6, 6, 8), 0), values((2, 12, 12, 8), 1)
    more = [jnp.concatenate([x, values(x.shape, i)], -1) for i, x in enumerate((template, search), 2)]
    narrow, wide = (rpn.RPN(channels, 3, form) for channels in (4, 8))

    def run(module, template, search):
        return module.search(module.template(template), search)

    small = made(narrow, 1, template, search, method=run)
    grown = growth.grow(small, made(wide, 50, *more, method=run))
    expected = narrow.apply(small, template, search, method=run)
    found = wide.apply(grown, *more, method=run)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_same_form_is_taken_as_it_is():
    tree = {'params': {'conv': {'kernel': values((3, 3, 4, 8), 0), 'bias': values((8,), 1)}}}
    grown = growth.grow(tree, jax.tree.map(jnp.zeros_like, tree))
    assert jax.tree.all(jax.tree.map(lambda a, b: (a == b).all(), grown, tree))


@pytest.mark.parametrize(
    'shape', [(3, 3, 2, 8), (3, 3, 4, 4), (5, 5, 4, 8), (4, 8)], ids=['fewer in', 'fewer out', 'window', 'dense']
)
def test_networks_that_differ_otherwise_are_refused(shape):
    narrow, wide = ({'conv': {'kernel': jnp.zeros(s)}} for s in ((3, 3, 4, 8), shape))
    with pytest.raises(ValueError, match=r'conv/kernel is \(3, 3, 4, 8\), the config wants'):
        growth.grow(narrow, wide)


def configs(tmp_path, shared):
    """A run that starts from the file of a narrower network, and that network's variables."""
    narrow, wide = config_lib.Config(), config_lib.Config()
    narrow.model.backbone.widths, narrow.model.backbone.groups = (48, 128, 192, 192, 128), (1, 1, 1, 1, 1)
    for config, channels in ((narrow, 8), (wide, 16)):
        config.model.channels = channels
        config.model.search_size = 191
        config.model.cascade.layers = (4, 3)
    variables = sctrpn.init_variables(sctrpn.SCTRPN(narrow.model), 3)
    weights_file.write(tmp_path / 'narrow.npz', variables, narrow)
    wide.model.backbone.weights = str(shared / 'weights' / 'alexnet_imagenet.npz')
    wide.train.start_from = str(tmp_path / 'narrow.npz')
    return wide, variables


@pytest.mark.all
def test_a_run_grows_from_a_narrower_network_and_imagenet(tmp_path, shared):
    config, narrow = configs(tmp_path, shared)
    started = train_state.create_train_state(config)
    kernel = started.params['backbone']['conv1']['kernel']
    np.testing.assert_allclose(kernel[..., :48], narrow['params']['backbone']['conv1']['kernel'], rtol=1e-3, atol=1e-6)
    config.train.start_from = ''
    plain = train_state.create_train_state(config)
    np.testing.assert_array_equal(kernel[..., 48:], plain.params['backbone']['conv1']['kernel'][..., 48:])
    config.train.start_from = str(tmp_path / 'narrow.npz')
    config.model.correlation = 'upchannel'
    with pytest.raises(ValueError, match='cannot grow'):
        train_state.create_train_state(config)

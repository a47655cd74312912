"""The backbone against PyTorch's, its fast forms against plain ones, its cells against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.geometry import grid
from sctrpn_jax.kernels import convolution
from sctrpn_jax.kernels import local_response_norm as lrn_lib
from sctrpn_jax.models import alexnet
from sctrpn_jax.weights import initial

WIDTHS, GROUPS = (8, 12, 16, 8, 6), (1, 2, 1, 2, 2)


def _images(size, batch=1, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (batch, size, size, 3)).astype(np.float32)


def _random_params(model, size=127, seed=0):
    """Parameters of natural scale, biases included, without compiling the initialisers."""
    shapes = jax.eval_shape(model.init, jax.random.key(0), _images(size))['params']
    rng = np.random.default_rng(seed)
    return {
        name: {
            part: rng.normal(scale=1 if part == 'bias' else np.prod(leaf.shape[:3]) ** -0.5, size=leaf.shape).astype(
                'f'
            )
            for part, leaf in layer.items()
        }
        for name, layer in shapes.items()
    }


LRN = (lrn_lib.KAPPA, lrn_lib.ALPHA)


def _torch_forward(params, images, groups, lrn):
    """AlexNet in PyTorch; its LRN divides alpha by the window's size."""
    torch = pytest.importorskip('torch')
    from torch.nn import functional

    x = torch.from_numpy(images - np.float32(alexnet.MEAN)).permute(0, 3, 1, 2)
    features = {}
    for i in range(1, 6):
        kernel, bias = (torch.from_numpy(np.array(params[f'conv{i}'][part])) for part in ('kernel', 'bias'))
        stride = 2 if i == 1 else 1
        x = functional.relu(functional.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, groups=groups[i - 1]))
        if i < 3:
            x = functional.max_pool2d(x, 3, 2)
            if lrn:
                x = functional.local_response_norm(x, 5, alpha=5 * lrn[1], beta=0.75, k=lrn[0])
        features[i] = x.permute(0, 2, 3, 1).numpy()
    return features


@pytest.mark.parametrize(
    ('norm', 'groups', 'size', 'lrn'),
    [('lrn', GROUPS, 127, LRN), ('lrn', (1, 1, 1, 1, 1), 120, LRN), ('none', GROUPS, 134, None)],
)
def test_random_weights_give_what_torch_gives(norm, groups, size, lrn):
    model = alexnet.AlexNet(WIDTHS, groups, norm)
    params = _random_params(model)
    images = _images(size, batch=2)
    features = jax.jit(model.apply)({'params': params}, images)
    reference = _torch_forward(params, images, groups, lrn)
    assert set(features) == {3, 4, 5}
    for layer, values in features.items():
        assert values.shape == (2, *[grid.feature_size(layer, size)] * 2, WIDTHS[layer - 1])
        np.testing.assert_allclose(values, reference[layer], rtol=1e-4, atol=1e-4 * reference[layer].max())


def test_imagenet_weights_give_what_torch_gives(shared):
    file = shared / 'weights' / 'alexnet_imagenet.npz'
    if not file.is_file():
        pytest.skip('no ImageNet weights in the shared folder')
    model = alexnet.AlexNet()
    params = initial.load_backbone(file, widths=model.widths, groups=model.groups, norm=model.norm)
    images = _images(127)
    features = jax.jit(model.apply)({'params': params}, images)
    reference = _torch_forward(params, images, model.groups, LRN)
    for layer, values in features.items():
        assert reference[layer].max() > 1
        np.testing.assert_allclose(values, reference[layer], rtol=1e-3, atol=1e-4 * reference[layer].max())


def test_only_the_layers_asked_for_exist():
    model, whole = alexnet.AlexNet(WIDTHS, GROUPS, layers=(3,)), alexnet.AlexNet(WIDTHS, GROUPS)
    params, images = _random_params(whole), _images(95)
    used = _random_params(model)
    assert set(used) == {'conv1', 'conv2', 'conv3'}
    features = jax.jit(model.apply)({'params': {name: params[name] for name in used}}, images)
    assert set(features) == {3}
    np.testing.assert_allclose(features[3], jax.jit(whole.apply)({'params': params}, images)[3], rtol=1e-5, atol=1e-5)


def test_kernels_have_the_documented_shapes():
    shapes = jax.tree.map(jnp.shape, jax.eval_shape(alexnet.AlexNet().init, jax.random.key(0), _images(127)))
    kernels = [shapes['params'][f'conv{i}']['kernel'] for i in range(1, 6)]
    assert kernels == [(11, 11, 3, 96), (5, 5, 48, 256), (3, 3, 256, 384), (3, 3, 192, 384), (3, 3, 192, 256)]
    assert [shapes['params'][f'conv{i}']['bias'] for i in range(1, 6)] == [(96,), (256,), (384,), (384,), (256,)]


def test_batch_norm_uses_and_updates_statistics():
    model = alexnet.AlexNet((4, 4, 4, 4, 4), (1,) * 5, norm='batch', layers=(3,))
    images = _images(63, batch=3)
    shapes = jax.eval_shape(model.init, jax.random.key(0), images)
    params = jax.tree.map(lambda leaf: np.ones(leaf.shape, np.float32), shapes['params'])
    assert set(params) == {'conv1', 'conv2', 'conv3', 'norm1', 'norm2', 'norm3'}
    statistics = {f'norm{i}': {'mean': np.zeros(4, np.float32), 'var': np.ones(4, np.float32)} for i in (1, 2, 3)}
    run = jax.jit(model.apply, static_argnames=('train', 'mutable'))
    variables = {'params': params, 'batch_stats': statistics}
    trained, updated = run(variables, images, train=True, mutable=('batch_stats',))
    tested = run(variables, images)
    first = convolution.convolve(images - np.float32(alexnet.MEAN), params['conv1']['kernel'], 2) + 1
    np.testing.assert_allclose(updated['batch_stats']['norm1']['mean'], 0.1 * first.mean((0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(updated['batch_stats']['norm1']['var'], 0.9 + 0.1 * first.var((0, 1, 2)), rtol=1e-3)
    assert 0 < trained[3].max() < 10 < tested[3].max()


def test_cell_centres_are_the_centres_of_what_cells_see():
    """The pixels that a cell's gradient reaches on some of many images are symmetric about the cell's centre."""
    model = alexnet.AlexNet((2, 2, 2, 2, 2), (1,) * 5, norm='none')
    params = jax.tree.map(np.ones_like, _random_params(model))
    size, cell = 127, 1

    def response(images, layer):
        return model.apply({'params': params}, images)[layer][:, cell, cell].sum()

    reach = jax.jit(lambda images: [jax.grad(response)(images, layer) for layer in (3, 4, 5)])
    for layer, first, gradient in zip((3, 4, 5), (27.5, 35.5, 43.5), reach(_images(size, batch=8)), strict=True):
        centres = np.asarray(grid.cell_centres(layer, size))
        np.testing.assert_array_equal(centres, first + 8 * np.arange(grid.feature_size(layer, size)))
        for axis in (1, 2):
            reached = np.flatnonzero(np.abs(gradient).sum(tuple({0, 1, 2, 3} - {axis})))
            assert (reached[0] + reached[-1] + 1) / 2 == centres[cell]


@pytest.mark.parametrize(
    ('changes', 'size', 'message'),
    [
        ({'norm': 'layer'}, 127, "norm: got 'layer', accepted are lrn, batch, none"),
        ({'widths': (8, 8)}, 127, 'widths: got 2 values, accepted are 5'),
        ({'groups': (1, 3, 1, 1, 1)}, 127, 'groups: conv2 has 3'),
        ({'layers': (2,)}, 127, 'layer: got 2, accepted are 3, 4, 5'),
        ({'layers': ()}, 127, 'layers: got none'),
        ({}, 60, 'image_size: 60 pixels leave no cell'),
    ],
)
def test_bad_settings_are_named(changes, size, message):
    model = alexnet.AlexNet(**{'widths': WIDTHS, 'groups': GROUPS} | changes)
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, size, size, 3)))


def test_images_without_a_batch_are_refused():
    with pytest.raises(ValueError, match=r'images: got shape \(127, 127, 3\)'):
        alexnet.AlexNet(WIDTHS, GROUPS).init(jax.random.key(0), jnp.zeros((127, 127, 3)))


@pytest.mark.parametrize('first_trained', [1, 3, 5, 6])
def test_no_gradient_reaches_a_layer_at_rest_through_any_map(first_trained):
    model = alexnet.AlexNet((4,) * 5, (1,) * 5)
    images = jax.random.uniform(jax.random.key(0), (2, 127, 127, 3), maxval=255)
    params = model.init(jax.random.key(1), images)['params']

    def total(params, layer):
        return jnp.square(model.apply({'params': params}, images, first_trained=first_trained)[layer]).sum()

    for layer in (3, 4, 5):
        for name, gradient in jax.grad(total)(params, layer).items():
            reached = any(np.any(leaf) for leaf in jax.tree.leaves(gradient))
            assert reached == (first_trained <= int(name[-1]) <= layer), name

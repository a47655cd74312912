"""The backbone against PyTorch's, its fast forms against plain ones, its cells against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import alexnet
from sctrpn_jax.weights import backbone as backbone_weights

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


def _torch_forward(params, images, groups, mean, std, lrn):
    """AlexNet in PyTorch; its LRN divides alpha by the window's size."""
    torch = pytest.importorskip('torch')
    from torch.nn import functional

    x = torch.from_numpy((images - np.float32(mean)) / np.float32(std)).permute(0, 3, 1, 2)
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
    [
        ('lrn', GROUPS, 127, alexnet.LRN),
        ('lrn', (1, 1, 1, 1, 1), 120, (1.0, 2e-5)),
        ('none', GROUPS, 134, None),
    ],
)
def test_random_weights_give_what_torch_gives(norm, groups, size, lrn):
    mean, std = (120.0, 115.0, 100.0), (50.0, 55.0, 60.0)
    model = alexnet.AlexNet(WIDTHS, groups, norm, mean, std, **({'lrn': lrn} if lrn else {}))
    params = _random_params(model)
    images = _images(size, batch=2)
    features = jax.jit(model.apply)({'params': params}, images)
    reference = _torch_forward(params, images, groups, mean, std, lrn)
    assert set(features) == {3, 4, 5}
    for layer, values in features.items():
        assert values.shape == (2, *[alexnet.feature_size(layer, size)] * 2, WIDTHS[layer - 1])
        np.testing.assert_allclose(values, reference[layer], rtol=1e-4, atol=1e-4 * reference[layer].max())


def test_imagenet_weights_give_what_torch_gives(shared):
    file = shared / 'weights' / 'alexnet_imagenet.npz'
    if not file.is_file():
        pytest.skip('no ImageNet weights in the shared folder')
    model = alexnet.AlexNet()
    params = backbone_weights.load_backbone(
        file, widths=model.widths, groups=model.groups, norm=model.norm, mean=model.mean, std=model.std
    )
    images = _images(127)
    features = jax.jit(model.apply)({'params': params}, images)
    reference = _torch_forward(params, images, model.groups, model.mean, model.std, alexnet.LRN)
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
    first = convolution.convolve(images - np.float32(model.mean), params['conv1']['kernel'], 2) + 1
    np.testing.assert_allclose(updated['batch_stats']['norm1']['mean'], 0.1 * first.mean((0, 1, 2)), rtol=1e-3)
    np.testing.assert_allclose(updated['batch_stats']['norm1']['var'], 0.9 + 0.1 * first.var((0, 1, 2)), rtol=1e-3)
    assert 0 < trained[3].max() < 10 < tested[3].max()


@pytest.mark.parametrize(('image_size', 'sizes'), [(255, (26, 24, 22)), (127, (10, 8, 6)), (271, (28, 26, 24))])
def test_feature_sizes(image_size, sizes):
    assert tuple(alexnet.feature_size(layer, image_size) for layer in (3, 4, 5)) == sizes


def test_cell_centres_are_the_centres_of_what_cells_see():
    """The pixels that a cell's gradient reaches on some of many images are symmetric about the cell's centre."""
    model = alexnet.AlexNet((2, 2, 2, 2, 2), (1,) * 5, norm='none')
    params = jax.tree.map(np.ones_like, _random_params(model))
    size, cell = 127, 1

    def response(images, layer):
        return model.apply({'params': params}, images)[layer][:, cell, cell].sum()

    reach = jax.jit(lambda images: [jax.grad(response)(images, layer) for layer in (3, 4, 5)])
    for layer, first, gradient in zip((3, 4, 5), (27.5, 35.5, 43.5), reach(_images(size, batch=8)), strict=True):
        centres = np.asarray(alexnet.cell_centres(layer, size))
        np.testing.assert_array_equal(centres, first + 8 * np.arange(alexnet.feature_size(layer, size)))
        for axis in (1, 2):
            reached = np.flatnonzero(np.abs(gradient).sum(tuple({0, 1, 2, 3} - {axis})))
            assert (reached[0] + reached[-1] + 1) / 2 == centres[cell]


@pytest.mark.parametrize('shape', [(2, 11, 14, 3), (1, 3, 4, 1), (1, 8, 9, 2)])
def test_max_pool_is_the_window_maximum(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    rows, columns = (shape[1] - 3) // 2 + 1, (shape[2] - 3) // 2 + 1
    expected = [[x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].max((1, 2)) for j in range(columns)] for i in range(rows)]
    pooled = alexnet.max_pool(jnp.asarray(x))
    np.testing.assert_array_equal(pooled, np.stack([np.stack(row, 1) for row in expected], 1))
    window = jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), 'VALID')
    np.testing.assert_array_equal(pooled, window)


@pytest.mark.parametrize('channels', [3, 5, 16])
def test_local_response_norm_is_its_formula(channels):
    x = np.random.default_rng(0).normal(scale=50, size=(2, 3, 4, channels)).astype(np.float32)
    expected = np.zeros(x.shape)
    for c in range(channels):
        total = np.square(x[..., max(0, c - 2) : c + 3].astype(np.float64)).sum(-1)
        expected[..., c] = x[..., c] / (2 + 1e-4 * total) ** 0.75
    np.testing.assert_allclose(alexnet.local_response_norm(jnp.asarray(x)), expected, rtol=1e-5)


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

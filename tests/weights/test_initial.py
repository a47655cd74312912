"""From published weights to a backbone: two towers give one, another input is folded in, misfits are named."""

import dataclasses

import jax
import numpy as np
import pytest

from sctrpn_jax.models import alexnet
from sctrpn_jax.weights import backbone, initial

TWO_TOWERS = {'widths': (8, 12, 16, 8, 4), 'groups': (1, 2, 1, 2, 2)}
SIZES = (11, 5, 3, 3, 3)


def _layers(widths, groups, seed=0):
    rng = np.random.default_rng(seed)
    layers, inputs = {}, 3
    for i, (size, width, towers) in enumerate(zip(SIZES, widths, groups, strict=True), 1):
        kernel = rng.normal(size=(size, size, inputs // towers, width)).astype(np.float32)
        layers[f'conv{i}'] = {'kernel': kernel, 'bias': rng.normal(size=width).astype(np.float32)}
        inputs = width
    return layers


def _weights(norm='lrn', **shape):
    return backbone.Weights(_layers(**(shape or TWO_TOWERS)), mean=alexnet.MEAN, norm=norm)


def _assert_same(layers, others):
    assert list(layers) == list(others)
    for name, layer in layers.items():
        for part in ('kernel', 'bias'):
            assert layer[part].dtype == np.float32
            np.testing.assert_array_equal(layer[part], others[name][part])


@pytest.fixture(scope='module')
def plain_weights():
    """Two towers without LRN, which would let neighbours at the border of the towers see each other."""
    return _weights(norm='none')


def _conv3(weights, images):
    """[B, h, w, out] outputs of conv3 before its ReLU."""
    model = alexnet.AlexNet(weights.widths, weights.groups, weights.norm, layers=(3,))
    run = jax.jit(lambda images: model.apply({'params': weights.layers}, images, capture_intermediates=True)[1])
    return run(images)['intermediates']['conv3']['__call__'][0]


def test_first_tower_keeps_the_mean_and_loses_the_second_tower(plain_weights):
    one = initial.first_tower(plain_weights)
    assert one.settings() == {'widths': (4, 6, 8, 4, 2), 'groups': (1,) * 5, 'norm': 'none'}
    images = initial.natural_noise()
    whole, small = (np.asarray(_conv3(weights, images)) for weights in (plain_weights, one))
    np.testing.assert_allclose(small.mean((0, 1, 2)), whole[..., :8].mean((0, 1, 2)), rtol=1e-3, atol=1e-2)
    cut = {name: dict(layer) for name, layer in plain_weights.layers.items()}
    cut['conv3']['kernel'] = cut['conv3']['kernel'].copy()
    cut['conv3']['kernel'][:, :, 6:] = 0
    blind = np.asarray(_conv3(dataclasses.replace(plain_weights, layers=cut), images))[..., :8]
    constant = small - blind
    np.testing.assert_allclose(
        constant, np.broadcast_to(constant[0, 0, 0], constant.shape), atol=1e-4 * np.abs(blind).max()
    )
    for i, (inputs, outputs) in enumerate([(3, 4), (4, 6), (6, 8), (8, 4), (4, 2)], 1):
        kernel, bias = plain_weights.layers[f'conv{i}']['kernel'], plain_weights.layers[f'conv{i}']['bias']
        np.testing.assert_array_equal(one.layers[f'conv{i}']['kernel'], kernel[:, :, :inputs, :outputs])
        if i != 3:
            np.testing.assert_array_equal(one.layers[f'conv{i}']['bias'], bias[:outputs])


def test_noise_is_like_a_photograph():
    images = initial.natural_noise(count=3, size=64)
    assert images.shape == (3, 64, 64, 3)
    assert 0 <= images.min() < 40 < 200 < images.max() <= 255
    luminance = images.mean(-1)
    step = np.abs(np.diff(luminance, axis=1)).mean()
    assert step < 0.2 * luminance.std()  # neighbours are alike
    assert np.corrcoef(images[..., 0].ravel(), images[..., 2].ravel())[0, 1] > 0.9


def test_first_tower_needs_two():
    with pytest.raises(ValueError, match=r'groups \(1, 1, 1, 1, 1\); accepted are \(1, 2, 1, 2, 2\)'):
        initial.first_tower(_weights(widths=(4, 6, 8, 4, 2), groups=(1,) * 5))


def test_first_tower_needs_no_batch_norm():
    with pytest.raises(ValueError, match='the weights need batch norm; accepted are lrn and none'):
        initial.first_tower(_weights(norm='batch'))


def test_load_takes_one_tower(tmp_path, plain_weights):
    path = tmp_path / 'w.npz'
    backbone.write_npz(path, plain_weights)
    settings = {'norm': 'none', 'widths': (4, 6, 8, 4, 2), 'groups': (1,) * 5}
    _assert_same(initial.load_backbone(path, **settings), initial.first_tower(plain_weights).layers)
    settings['widths'] = (4, 6, 8, 4, 3)
    with pytest.raises(ValueError, match=r'w.npz: conv1: found shape \(11, 11, 3, 8\), expected \(11, 11, 3, 4\)'):
        initial.load_backbone(path, **settings)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'widths': (8, 12, 18, 8, 4)}, r'conv3: found shape \(3, 3, 12, 16\), expected \(3, 3, 12, 18\)'),
        ({'groups': (1, 1, 1, 2, 2)}, r'conv2: found shape \(5, 5, 4, 12\), expected \(5, 5, 8, 12\)'),
        ({'norm': 'none'}, 'norm: .*w.npz has lrn, the config has none'),
    ],
)
def test_weights_for_another_config_are_refused(tmp_path, change, message):
    backbone.write_npz(tmp_path / 'w.npz', _weights())
    with pytest.raises(ValueError, match=message):
        initial.load_backbone(tmp_path / 'w.npz', **TWO_TOWERS | {'norm': 'lrn'} | change)


def test_imagenet_weights_fit_the_default_config(shared):
    from sctrpn_jax import config

    file = shared / 'weights' / 'alexnet_imagenet.npz'
    if not file.is_file():
        pytest.skip('no ImageNet weights in the shared folder')
    b = config.BackboneConfig()
    settings = {name: getattr(b, name) for name in ('widths', 'groups', 'norm')}
    params = initial.load_backbone(file, **settings)
    with np.load(file) as arrays:
        _assert_same(
            params,
            {f'conv{i}': {'kernel': arrays[f'conv{i}_w'], 'bias': arrays[f'conv{i}_b']} for i in range(1, 6)},
        )


def test_another_input_is_folded_into_the_first_layer(plain_weights):
    """The features of an image are those of the same network on the input that its weights were made for."""
    mean, std = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
    weights = dataclasses.replace(plain_weights, mean=mean, std=std)
    made = initial.for_standard_input(weights)
    assert (made.mean, made.std) == (alexnet.MEAN, (1.0, 1.0, 1.0))
    images = np.random.default_rng(0).uniform(0, 255, (2, 127, 127, 3)).astype(np.float32)
    model = alexnet.AlexNet(weights.widths, weights.groups, weights.norm)
    run = jax.jit(lambda layers, images: model.apply({'params': layers}, images))
    # What the published network sees, as if it were the image less our mean.
    expected = run(weights.layers, (images - np.float32(mean)) / np.float32(std) + np.float32(alexnet.MEAN))
    for layer, found in run(made.layers, images).items():
        np.testing.assert_allclose(found, expected[layer], rtol=1e-3, atol=1e-3 * float(expected[layer].max()))


def test_the_standard_input_changes_nothing(plain_weights):
    assert initial.for_standard_input(plain_weights) is plain_weights

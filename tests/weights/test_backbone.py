"""Weight files: what is written is read, two towers give one, and whatever does not fit is named."""

import dataclasses
import json
import pathlib

import jax
import numpy as np
import pytest

from sctrpn_jax.models import alexnet
from sctrpn_jax.weights import backbone as backbone_weights

TWO_TOWERS = {'widths': (8, 12, 16, 8, 4), 'groups': (1, 2, 1, 2, 2)}
INPUT = {'norm': 'lrn', 'mean': (120.0, 110.0, 100.0), 'std': (1.0, 1.0, 1.0)}
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
    return backbone_weights.Weights(_layers(**(shape or TWO_TOWERS)), mean=INPUT['mean'], norm=norm)


def _arrays(weights):
    arrays = {'mean_rgb': np.asarray(weights.mean)}
    for name, layer in weights.layers.items():
        arrays |= {f'{name}_w': layer['kernel'], f'{name}_b': layer['bias']}
    return arrays


def _assert_same(layers, others):
    assert list(layers) == list(others)
    for name, layer in layers.items():
        for part in ('kernel', 'bias'):
            assert layer[part].dtype == np.float32
            np.testing.assert_array_equal(layer[part], others[name][part])


def test_what_is_written_is_read(tmp_path):
    weights = _weights()
    backbone_weights.write_npz(tmp_path / 'w.npz', weights)
    read = backbone_weights.read_npz(tmp_path / 'w.npz')
    _assert_same(read.layers, weights.layers)
    assert read.settings() == TWO_TOWERS | INPUT
    assert [path.name for path in tmp_path.iterdir()] == ['w.npz']


def test_a_failed_write_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / 'w.npz'
    path.write_bytes(b'earlier')

    def fail(file, **arrays):
        file.write(b'half')
        raise OSError('disk full')

    monkeypatch.setattr(np, 'savez', fail)
    with pytest.raises(OSError, match='disk full'):
        backbone_weights.write_npz(path, _weights())
    assert path.read_bytes() == b'earlier'
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match='no such folder'):
        backbone_weights.write_npz(tmp_path / 'none' / 'w.npz', _weights())


def test_config_and_std_are_optional(tmp_path):
    np.savez(tmp_path / 'w.npz', **_arrays(_weights()))
    read = backbone_weights.read_npz(tmp_path / 'w.npz')
    assert read.norm is None
    assert read.settings() == TWO_TOWERS | {'mean': INPUT['mean'], 'std': (1.0, 1.0, 1.0)}
    for norm in ('lrn', 'batch'):
        params = backbone_weights.load_backbone(tmp_path / 'w.npz', **TWO_TOWERS | INPUT | {'norm': norm})
        _assert_same(params, _weights().layers)


@pytest.fixture(scope='module')
def plain_weights():
    """Two towers without LRN, which would let neighbours at the border of the towers see each other."""
    return _weights(norm='none')


def _conv3(weights, images):
    """[B, h, w, out] outputs of conv3 before its ReLU."""
    model = alexnet.AlexNet(weights.widths, weights.groups, weights.norm, weights.mean, layers=(3,))
    run = jax.jit(lambda images: model.apply({'params': weights.layers}, images, capture_intermediates=True)[1])
    return run(images)['intermediates']['conv3']['__call__'][0]


def test_first_tower_keeps_the_mean_and_loses_the_second_tower(plain_weights):
    one = backbone_weights.first_tower(plain_weights)
    assert one.settings() == {'widths': (4, 6, 8, 4, 2), 'groups': (1,) * 5} | INPUT | {'norm': 'none'}
    images = backbone_weights.natural_noise()
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
    images = backbone_weights.natural_noise(count=3, size=64)
    assert images.shape == (3, 64, 64, 3)
    assert 0 <= images.min() < 40 < 200 < images.max() <= 255
    luminance = images.mean(-1)
    step = np.abs(np.diff(luminance, axis=1)).mean()
    assert step < 0.2 * luminance.std()  # neighbours are alike
    assert np.corrcoef(images[..., 0].ravel(), images[..., 2].ravel())[0, 1] > 0.9


def test_first_tower_needs_two():
    with pytest.raises(ValueError, match=r'groups \(1, 1, 1, 1, 1\); accepted are \(1, 2, 1, 2, 2\)'):
        backbone_weights.first_tower(_weights(widths=(4, 6, 8, 4, 2), groups=(1,) * 5))


def test_first_tower_needs_no_batch_norm():
    with pytest.raises(ValueError, match='the weights need batch norm; accepted are lrn and none'):
        backbone_weights.first_tower(_weights(norm='batch'))


def test_load_takes_one_tower(tmp_path, plain_weights):
    path = tmp_path / 'w.npz'
    backbone_weights.write_npz(path, plain_weights)
    settings = INPUT | {'norm': 'none', 'widths': (4, 6, 8, 4, 2), 'groups': (1,) * 5}
    params = backbone_weights.load_backbone(path, **settings, one_tower=True)
    _assert_same(params, backbone_weights.first_tower(plain_weights).layers)
    with pytest.raises(ValueError, match=r'w.npz: conv1: found shape \(11, 11, 3, 8\), expected \(11, 11, 3, 4\)'):
        backbone_weights.load_backbone(path, **settings)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'widths': (8, 12, 18, 8, 4)}, r'conv3: found shape \(3, 3, 12, 16\), expected \(3, 3, 12, 18\)'),
        ({'groups': (1, 1, 1, 2, 2)}, r'conv2: found shape \(5, 5, 4, 12\), expected \(5, 5, 8, 12\)'),
        ({'norm': 'none'}, 'norm: .*w.npz has lrn, the config has none'),
        (
            {'mean': (120.0, 110.0, 90.0)},
            r'mean: .*w.npz has \(120.0, 110.0, 100.0\), the config has \(120.0, 110.0, 90',
        ),
        ({'std': (58.4, 57.1, 57.4)}, r'std: .*w.npz has \(1.0, 1.0, 1.0\), the config has \(58.4'),
    ],
)
def test_weights_for_another_config_are_refused(tmp_path, change, message):
    backbone_weights.write_npz(tmp_path / 'w.npz', _weights())
    with pytest.raises(ValueError, match=message):
        backbone_weights.load_backbone(tmp_path / 'w.npz', **TWO_TOWERS | INPUT | change)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'conv3_w': None}, 'conv3_w is missing; found conv1_b, conv1_w'),
        ({'mean_rgb': None}, 'mean_rgb is missing'),
        ({'mean_rgb': np.ones(4)}, r'mean_rgb: shape \(4,\)'),
        ({'std_rgb': np.ones((1, 3))}, r'std_rgb: shape \(1, 3\)'),
        ({'conv1_w': np.ones((8, 3, 11, 11))}, r'conv1: kernel of shape \(8, 3, 11, 11\); expected \(11, 11, 3 or'),
        ({'conv2_w': np.ones((5, 5, 3, 12))}, r'conv2: kernel of shape \(5, 5, 3, 12\)'),
        ({'conv4_b': np.ones(7)}, r'conv4: kernel \(3, 3, 8, 8\) in 2 groups does not go with bias \(7,\)'),
        ({'conv5_b': np.full(4, np.nan)}, 'conv5: bias .* must hold finite real numbers'),
        ({'conv5_b': np.full(4, 'x')}, 'conv5: bias .* must hold finite real numbers'),
        ({'config': np.asarray('{')}, 'not a readable config text'),
        ({'config': np.asarray('7')}, 'not a readable config text'),
        ({'config': np.asarray(json.dumps({'norm': 'layer'}))}, "norm: got 'layer', accepted are lrn, batch, none"),
        ({'config': np.asarray(json.dumps({'widths': [8, 12, 16, 8, 5]}))}, 'widths: the arrays of .* must agree'),
    ],
)
def test_ill_formed_arrays_are_named(tmp_path, change, message):
    arrays = {name: array for name, array in (_arrays(_weights()) | change).items() if array is not None}
    np.savez(tmp_path / 'w.npz', **arrays)
    with pytest.raises(ValueError, match=message) as error:
        backbone_weights.read_npz(tmp_path / 'w.npz')
    assert str(tmp_path) in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('keep', [0.0, 0.1, 0.5, 0.99])
def test_truncated_files_are_refused(tmp_path, keep):
    path = tmp_path / 'w.npz'
    backbone_weights.write_npz(path, _weights())
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(ValueError, match='w.npz: not an .npz of plain arrays'):
        backbone_weights.read_npz(path)


def test_flipped_bytes_are_refused(tmp_path):
    path = tmp_path / 'w.npz'
    backbone_weights.write_npz(path, _weights())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match='w.npz: not an .npz of plain arrays'):
        backbone_weights.read_npz(path)


class _Mark:
    """Pickles to a call that leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_no_pickle_runs(tmp_path):
    marker = tmp_path / 'ran'
    evil = np.asarray([_Mark(marker)], dtype=object)
    np.savez(tmp_path / 'w.npz', **_arrays(_weights()) | {'conv1_b': evil})
    np.save(tmp_path / 'w.npy', evil)
    evil.dump(tmp_path / 'w.pkl')
    marker.unlink(missing_ok=True)
    for name in ('w.npz', 'w.npy', 'w.pkl'):
        with pytest.raises(ValueError, match='not an .npz of plain arrays'):
            backbone_weights.read_npz(tmp_path / name)
    assert not marker.exists()
    np.load(tmp_path / 'w.npy', allow_pickle=True)
    assert marker.exists()  # the same bytes do run where pickle is allowed


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match='none.npz: no such file'):
        backbone_weights.read_npz(tmp_path / 'none.npz')


def test_imagenet_weights_fit_the_default_config(shared):
    from sctrpn_jax import config

    file = shared / 'weights' / 'alexnet_imagenet.npz'
    if not file.is_file():
        pytest.skip('no ImageNet weights in the shared folder')
    b = config.BackboneConfig()
    settings = {name: getattr(b, name) for name in ('widths', 'groups', 'norm', 'mean', 'std')}
    params = backbone_weights.load_backbone(file, **settings)
    with np.load(file) as arrays:
        _assert_same(
            params,
            {f'conv{i}': {'kernel': arrays[f'conv{i}_w'], 'bias': arrays[f'conv{i}_b']} for i in range(1, 6)},
        )

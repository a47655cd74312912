"""Weight files: what is written is read, two towers give one, and whatever does not fit is named."""

import json
import pathlib

import numpy as np
import pytest

from sctrpn_jax.models import backbone_weights

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


def test_first_tower_is_blind_to_the_second():
    """Computed cell by cell: with conv3's kernels from tower two cut, tower one's outputs are the small network's."""
    two = _weights()
    one = backbone_weights.first_tower(two)
    assert one.widths == (4, 6, 8, 4, 2)
    assert one.groups == (1, 1, 1, 1, 1)
    rng = np.random.default_rng(1)
    small = {'conv1': rng.normal(size=(11, 11, 3))}
    whole = {'conv1': small['conv1']}
    for i, towers in enumerate(TWO_TOWERS['groups'], 1):
        name, outputs = f'conv{i}', []
        kernel = two.layers[name]['kernel'].copy()
        if name == 'conv3':
            kernel[:, :, one.widths[1] :] = 0
        for part, weights in zip(
            np.split(whole[name], towers, axis=-1), np.split(kernel, towers, axis=-1), strict=True
        ):
            outputs.append(np.tensordot(part, weights, 3))
        large = np.concatenate(outputs) + two.layers[name]['bias']
        tower = np.tensordot(small[name], one.layers[name]['kernel'], 3) + one.layers[name]['bias']
        np.testing.assert_allclose(tower, large[: len(large) // 2], rtol=1e-4, atol=1e-4)
        if i < 5:
            # A patch for the next layer whose channels are multiples of these outputs.
            factors = rng.normal(size=(SIZES[i], SIZES[i], 1))
            small[f'conv{i + 1}'], whole[f'conv{i + 1}'] = factors * tower, factors * large


def test_first_tower_needs_two():
    with pytest.raises(ValueError, match=r'groups \(1, 1, 1, 1, 1\); accepted are \(1, 2, 1, 2, 2\)'):
        backbone_weights.first_tower(_weights(widths=(4, 6, 8, 4, 2), groups=(1,) * 5))


def test_load_takes_one_tower(tmp_path):
    backbone_weights.write_npz(tmp_path / 'w.npz', _weights())
    shape = {'widths': (4, 6, 8, 4, 2), 'groups': (1,) * 5}
    params = backbone_weights.load_backbone(tmp_path / 'w.npz', **shape, **INPUT, one_tower=True)
    _assert_same(params, backbone_weights.first_tower(_weights()).layers)
    with pytest.raises(ValueError, match=r'w.npz: conv1: found shape \(11, 11, 3, 8\), expected \(11, 11, 3, 4\)'):
        backbone_weights.load_backbone(tmp_path / 'w.npz', **shape, **INPUT)


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

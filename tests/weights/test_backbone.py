"""Weight files: what is written is read, and whatever is ill-formed is named."""

import json
import pathlib

import numpy as np
import pytest

from sctrpn_jax.weights import backbone

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
    return backbone.Weights(_layers(**(shape or TWO_TOWERS)), mean=INPUT['mean'], norm=norm)


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
    backbone.write_npz(tmp_path / 'w.npz', weights)
    read = backbone.read_npz(tmp_path / 'w.npz')
    _assert_same(read.layers, weights.layers)
    assert read.describe() == TWO_TOWERS | INPUT
    assert [path.name for path in tmp_path.iterdir()] == ['w.npz']


def test_a_failed_write_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / 'w.npz'
    path.write_bytes(b'earlier')

    def fail(file, **arrays):
        file.write(b'half')
        raise OSError('disk full')

    monkeypatch.setattr(np, 'savez', fail)
    with pytest.raises(OSError, match='disk full'):
        backbone.write_npz(path, _weights())
    assert path.read_bytes() == b'earlier'
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match='no such folder'):
        backbone.write_npz(tmp_path / 'none' / 'w.npz', _weights())


def test_config_and_std_are_optional(tmp_path):
    np.savez(tmp_path / 'w.npz', **_arrays(_weights()))
    read = backbone.read_npz(tmp_path / 'w.npz')
    assert read.norm is None
    assert read.describe() == TWO_TOWERS | {'mean': INPUT['mean'], 'std': (1.0, 1.0, 1.0)}


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
        backbone.read_npz(tmp_path / 'w.npz')
    assert str(tmp_path) in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('keep', [0.0, 0.1, 0.5, 0.99])
def test_truncated_files_are_refused(tmp_path, keep):
    path = tmp_path / 'w.npz'
    backbone.write_npz(path, _weights())
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(ValueError, match='w.npz: not an .npz of plain arrays'):
        backbone.read_npz(path)


def test_flipped_bytes_are_refused(tmp_path):
    path = tmp_path / 'w.npz'
    backbone.write_npz(path, _weights())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match='w.npz: not an .npz of plain arrays'):
        backbone.read_npz(path)


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
            backbone.read_npz(tmp_path / name)
    assert not marker.exists()
    np.load(tmp_path / 'w.npy', allow_pickle=True)
    assert marker.exists()  # the same bytes do run where pickle is allowed


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match='none.npz: no such file'):
        backbone.read_npz(tmp_path / 'none.npz')

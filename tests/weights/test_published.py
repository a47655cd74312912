"""Published weights: files of each form, written by other libraries, read back; the import command."""

import os
import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest
import safetensors.numpy
import scipy.io

from sctrpn_jax.kernels import convolution, local_response_norm
from sctrpn_jax.models import alexnet
from sctrpn_jax.weights import backbone as backbone_weights
from sctrpn_jax.weights import initial
from sctrpn_jax.weights import published as published_weights

REPOSITORY = pathlib.Path(__file__).parents[2]
SIZES = (11, 5, 3, 3, 3)
TORCHVISION = ('features.0', 'features.3', 'features.6', 'features.8', 'features.10')


def _layers(widths, groups, seed=0):
    rng = np.random.default_rng(seed)
    layers, inputs = {}, 3
    for i, (size, width, towers) in enumerate(zip(SIZES, widths, groups, strict=True), 1):
        scale = (size * size * inputs // towers) ** -0.5
        kernel = rng.normal(scale=scale, size=(size, size, inputs // towers, width)).astype(np.float32)
        layers[f'conv{i}'] = {'kernel': kernel, 'bias': rng.normal(size=width).astype(np.float32)}
        inputs = width
    return layers


def _state_dict(layers):
    state = {'classifier.1.weight': np.ones((2, 3), np.float32)}
    for prefix, layer in zip(TORCHVISION, layers.values(), strict=True):
        state[f'{prefix}.weight'] = np.ascontiguousarray(layer['kernel'].transpose(3, 2, 0, 1))
        state[f'{prefix}.bias'] = layer['bias']
    return state


def _assert_same(layers, others, rtol=0.0):
    for name, layer in others.items():
        for part, array in layer.items():
            assert layers[name][part].dtype == np.float32
            np.testing.assert_allclose(layers[name][part], array, rtol=rtol)


TORCH_SHAPE = {'widths': (6, 12, 8, 4, 4), 'groups': (1,) * 5}
TORCH_INPUT = {'mean': (123.675, 116.28, 103.53), 'std': (58.395, 57.12, 57.375), 'norm': 'none'}


def test_torchvision_safetensors(tmp_path):
    layers = _layers(**TORCH_SHAPE)
    safetensors.numpy.save_file(_state_dict(layers), tmp_path / 'alexnet.safetensors')
    weights = published_weights.read(tmp_path / 'alexnet.safetensors')
    _assert_same(weights.layers, layers)
    assert weights.describe() == TORCH_SHAPE | TORCH_INPUT


@pytest.mark.parametrize('zipped', [True, False])
def test_torchvision_pth(tmp_path, zipped):
    torch = pytest.importorskip('torch')
    layers = _layers(**TORCH_SHAPE)
    state = {name: torch.from_numpy(array) for name, array in _state_dict(layers).items()}
    torch.save(state, tmp_path / 'alexnet.pth', _use_new_zipfile_serialization=zipped)
    weights = published_weights.read(tmp_path / 'alexnet.pth')
    _assert_same(weights.layers, layers)
    assert weights.describe() == TORCH_SHAPE | TORCH_INPUT


def test_torch_takes_the_kernels_for_the_same_convolution():
    """A convolution of PyTorch's kernels is ours of the converted ones: axes are permuted, nothing is flipped."""
    torch = pytest.importorskip('torch')
    kernel = np.random.default_rng(0).normal(size=(4, 3, 5, 5)).astype(np.float32)
    image = np.random.default_rng(1).normal(size=(1, 9, 8, 3)).astype(np.float32)
    theirs = torch.nn.functional.conv2d(torch.from_numpy(image).permute(0, 3, 1, 2), torch.from_numpy(kernel))
    ours = convolution.convolve(image, kernel.transpose(2, 3, 1, 0))
    np.testing.assert_allclose(ours, theirs.permute(0, 2, 3, 1).numpy(), rtol=1e-4, atol=1e-4)


def test_pth_without_torch_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / 'alexnet.pth').write_bytes(b'\x80\x02}q\x00.')
    monkeypatch.setitem(sys.modules, 'torch', None)
    with pytest.raises(ValueError, match='install torch to read this file, or convert it to safetensors'):
        published_weights.read(tmp_path / 'alexnet.pth')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            {'features.6.weight': None},
            'conv3: features.6.weight is missing; found classifier.1.weight, features.0.bias',
        ),
        ({'features.3.weight': np.ones((12, 6, 3, 3), np.float32)}, r'conv2: kernel of shape \(3, 3, 6, 12\)'),
        ({'features.10.bias': np.ones(5, np.float32)}, r'conv5: kernel .* does not go with bias \(5,\)'),
    ],
)
def test_ill_formed_state_dicts_are_named(tmp_path, change, message):
    state = _state_dict(_layers(**TORCH_SHAPE)) | change
    safetensors.numpy.save_file({k: v for k, v in state.items() if v is not None}, tmp_path / 'w.safetensors')
    with pytest.raises(ValueError, match=message):
        published_weights.read(tmp_path / 'w.safetensors')


MAT_SHAPE = {'widths': (8, 12, 16, 8, 4), 'groups': (1, 2, 1, 2, 2)}


def _save_mat(path, layers, lrn=(5, 1, 2e-5, 0.75), old=False, average=None, without=()):
    """MatConvNet's simplenn layout, `layers` a cell array of structs; scipy writes object arrays as cells."""
    cells = []
    for i, (name, layer) in enumerate(layers.items(), 1):
        pair = (layer['kernel'], layer['bias'][None, :])
        filters = {'filters': pair[0], 'biases': pair[1]} if old else {'weights': _cells(pair)}
        cells += [
            {'name': name, 'type': 'conv', 'stride': np.ones((1, 2))} | filters,
            {'name': f'relu{i}', 'type': 'relu'},
        ]
        if i < 3:
            cells.append({'name': f'pool{i}', 'type': 'pool', 'pool': np.asarray([[3, 3]])})
            if lrn:
                cells.append({'name': f'norm{i}', 'type': 'normalize', 'param': np.asarray([lrn], float)})
    if average is None:
        average = (
            np.broadcast_to(np.float32([122, 116, 104]), (7, 7, 3)) + np.float32([-1, 0, 1, 2, 1, 0, -3])[:, None, None]
        )
    normalization = {'averageImage': average}
    content = {'normalization': normalization} if old else {'meta': {'normalization': normalization}}
    content['layers'] = _cells([cell for cell in cells if cell['name'] not in without])
    scipy.io.savemat(path, content)


def _cells(items):
    array = np.empty((1, len(items)), object)
    for i, item in enumerate(items):
        array[0, i] = item
    return array


@pytest.mark.parametrize('old', [False, True])
def test_matconvnet_with_this_projects_lrn(tmp_path, old):
    layers = _layers(**MAT_SHAPE)
    _save_mat(tmp_path / 'alex.mat', layers, lrn=(5, 2, 1e-4, 0.75), old=old)
    weights = published_weights.read(tmp_path / 'alex.mat')
    _assert_same(weights.layers, layers, rtol=1e-6)
    assert weights.describe() == MAT_SHAPE | {'norm': 'lrn', 'mean': (122.0, 116.0, 104.0), 'std': (1.0, 1.0, 1.0)}


@pytest.mark.parametrize('lrn', [(1.0, 2e-5), (2.5, 3e-4)])
def test_other_lrn_constants_are_folded_into_the_filters(tmp_path, lrn, monkeypatch):
    layers = _layers(**MAT_SHAPE)
    _save_mat(tmp_path / 'alex.mat', layers, lrn=(5, *lrn, 0.75), average=np.float32([[[120, 110, 100]]]))
    weights = published_weights.read(tmp_path / 'alex.mat')
    assert weights.mean == (120.0, 110.0, 100.0)
    model = alexnet.AlexNet(**MAT_SHAPE, layers=(3, 5))
    images = np.random.default_rng(0).uniform(0, 255, (1, 95, 95, 3)).astype(np.float32)
    maps = jax.jit(model.apply)({'params': weights.layers}, images)
    unfolded = jax.jit(model.apply)({'params': layers}, images)
    plain = local_response_norm.local_response_norm
    monkeypatch.setattr(local_response_norm, 'local_response_norm', lambda x: plain(x, *lrn))
    expected = jax.jit(lambda *given: model.apply(*given))({'params': layers}, images)
    for layer in (3, 5):
        np.testing.assert_allclose(maps[layer], expected[layer], rtol=1e-4, atol=1e-4)
        assert np.abs(unfolded[layer] - expected[layer]).max() > 0.01


def test_matconvnet_without_lrn(tmp_path):
    layers = _layers(**MAT_SHAPE)
    _save_mat(tmp_path / 'alex.mat', layers, lrn=None)
    weights = published_weights.read(tmp_path / 'alex.mat')
    assert weights.norm == 'none'
    _assert_same(weights.layers, layers)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'without': ('conv4',)}, 'conv4 with filters and biases is missing; found conv1, conv2, conv3, conv5, norm1'),
        ({'without': ('norm2',)}, 'found 1 normalisation layers; expected 2'),
        ({'lrn': (3, 1, 2e-5, 0.75)}, r'normalisation after conv1: .*; expected \(5, > 0, > 0, 0.75\)'),
        ({'lrn': (5, 1, 2e-5, 0.5)}, 'normalisation after conv1'),
        ({'average': np.ones((1, 4))}, 'averageImage, an RGB image or 3 values, is missing'),
        ({'average': np.full((1, 3), np.nan)}, 'averageImage, an RGB image or 3 values, is missing'),
    ],
)
def test_ill_formed_mat_files_are_named(tmp_path, change, message):
    _save_mat(tmp_path / 'alex.mat', _layers(**MAT_SHAPE), **change)
    with pytest.raises(ValueError, match=message):
        published_weights.read(tmp_path / 'alex.mat')


def test_a_mat_file_of_something_else_is_named(tmp_path):
    scipy.io.savemat(tmp_path / 'x.mat', {'layers': np.ones((2, 2)), 'boxes': np.ones(4)})
    with pytest.raises(ValueError, match='conv1 with filters and biases is missing'):
        published_weights.read(tmp_path / 'x.mat')


@pytest.mark.parametrize('form', ['safetensors', 'pth', 'mat', 'npz'])
@pytest.mark.parametrize('keep', [0.0, 0.3, 0.9])
def test_truncated_files_are_refused(tmp_path, form, keep):
    path = tmp_path / f'w.{form}'
    layers = _layers(**TORCH_SHAPE)
    if form == 'safetensors':
        safetensors.numpy.save_file(_state_dict(layers), path)
    elif form == 'pth':
        torch = pytest.importorskip('torch')
        torch.save({name: torch.from_numpy(array) for name, array in _state_dict(layers).items()}, path)
    elif form == 'mat':
        _save_mat(path, layers)
    else:
        backbone_weights.write_npz(path, backbone_weights.Weights(layers, mean=(1.0, 2.0, 3.0)))
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    with pytest.raises(ValueError, match=f'w.{form}: ') as error:
        published_weights.read(path)
    assert '\n' not in str(error.value)


class _Mark:
    """Pickles to a call that leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


def test_no_pickle_of_a_pth_runs(tmp_path):
    torch = pytest.importorskip('torch')
    marker, path = tmp_path / 'ran', tmp_path / 'evil.pth'
    torch.save({'features.0.weight': _Mark(marker)}, path)
    for reader in (published_weights.read, published_weights.read_torchvision, backbone_weights.read_npz):
        with pytest.raises(ValueError, match='evil.pth: '):
            reader(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()  # the same bytes do run where pickle is allowed


def test_other_files_are_refused(tmp_path):
    (tmp_path / 'notes.txt').write_text('conv1 conv2 conv3')
    with pytest.raises(ValueError, match='notes.txt: unknown form; accepted are .npz, .safetensors and .pth'):
        published_weights.read(tmp_path / 'notes.txt')
    with pytest.raises(ValueError, match='none.pth: no such file'):
        published_weights.read(tmp_path / 'none.pth')


def _import(*arguments):
    command = [sys.executable, REPOSITORY / 'bin' / 'weights', 'import', *arguments]
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


def test_command_writes_what_training_reads_and_prints_its_settings(tmp_path):
    source, output = tmp_path / 'alexnet.safetensors', tmp_path / 'w.npz'
    safetensors.numpy.save_file(_state_dict(_layers(**TORCH_SHAPE)), source)
    result = _import(f'--source={source}', f'--output={output}')
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        f'--config.model.backbone.weights={output}',
        '--config.model.backbone.widths="(6,12,8,4,4)"',
        '--config.model.backbone.groups="(1,1,1,1,1)"',
        '--config.model.backbone.norm=none',
    ]
    params = initial.load_backbone(output, **TORCH_SHAPE, norm='none')
    expected = initial.for_standard_input(backbone_weights.read_npz(output)).layers
    _assert_same(params, expected)
    _assert_same({n: params[n] for n in ('conv2', 'conv5')}, {n: _layers(**TORCH_SHAPE)[n] for n in ('conv2', 'conv5')})


def test_command_refuses_bad_input_in_one_line(tmp_path):
    source = tmp_path / 'w.safetensors'
    source.write_bytes(b'nothing')
    for arguments in ([f'--source={source}', f'--output={tmp_path / "w.npz"}'], ['--sauce=x']):
        result = _import(*arguments)
        assert result.returncode == 2
        assert result.stdout == ''
        assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / 'w.npz').exists()


def test_a_damaged_directory_of_an_archive_is_named(tmp_path):
    path = tmp_path / 'w.npz'
    backbone_weights.write_npz(path, backbone_weights.Weights(_layers(**TORCH_SHAPE), mean=(1.0, 2.0, 3.0)))
    whole = path.read_bytes()
    at = whole.rindex(b'PK\x01\x02')
    for damage in (b'\0', b'XX', b'PK\x03\x04', b'PK\x01\x02\xff\xff\xff\xff\xff\xff'):
        path.write_bytes(whole[:at] + damage + whole[at + len(damage) :])
        with pytest.raises(ValueError, match=r'w\.npz: not an \.npz of plain arrays'):
            published_weights.read(path)

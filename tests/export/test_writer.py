"""The folder: whole or not there, weights without loss, a manifest that tells the truth."""

import hashlib
import json
import pathlib

import jax
import numpy as np
import pytest
from jax import export

from sctrpn_jax.export import lowering, writer
from sctrpn_jax.export.target import Target
from sctrpn_jax.weights import network_file as weights_file

TARGET = Target((240, 180))


def test_the_manifest_tells_what_is_there(single):
    manifest = json.loads((single / 'manifest.json').read_text())
    assert sorted(path.name for path in single.iterdir()) == sorted([*manifest['sha256'], 'manifest.json'])
    for name, digest in manifest['sha256'].items():
        assert hashlib.sha256((single / name).read_bytes()).hexdigest() == digest
    assert manifest['frame']['largest'] == {'width': 240, 'height': 180} and manifest['batch'] == 1
    assert manifest['jax'] == jax.__version__ and manifest['platforms'] == ['cpu', 'cuda']
    for name, described in manifest['programs'].items():
        program = export.deserialize(bytearray((single / f'{name}.stablehlo').read_bytes()))
        arguments, _ = jax.tree.unflatten(program.in_tree, program.in_avals)
        assert len(arguments) == len(described['arguments'])
        for argument, told in zip(arguments, described['arguments'], strict=True):
            leaves = argument if isinstance(argument, dict) else {None: argument}
            for leaf, aval in leaves.items():
                entry = manifest['arrays'][told] if leaf is None else manifest['arrays'][told][leaf]
                assert entry == {'shape': list(aval.shape), 'dtype': str(aval.dtype)}


def test_an_open_batch_is_a_letter_in_the_manifest(any_batch):
    arrays = json.loads((any_batch / 'manifest.json').read_text())['arrays']
    assert arrays['frame'] == {'shape': ['b', 180, 240, 3], 'dtype': 'uint8'}
    assert arrays['state']['centre'] == {'shape': ['b', 2], 'dtype': 'float32'}


@pytest.mark.parametrize('kind', ['full', 'half', 'large', 'broken'])
def test_weights_lose_nothing_and_are_half_where_they_can(network, tmp_path, kind):
    variables, config = network
    changes = {
        'full': lambda leaf: leaf + np.float32(np.pi),
        'half': lambda leaf: leaf.astype(np.float16).astype(np.float32),
        'large': lambda leaf: np.full_like(leaf, 1e6),
        'broken': lambda leaf: np.full_like(leaf, np.nan),
    }
    variables = jax.tree.map(lambda leaf: changes[kind](np.asarray(leaf)), variables)
    (tmp_path / 'weights.npz').write_bytes(writer.pack_weights(lowering.flatten(variables)))
    (tmp_path / 'weights.json').write_bytes(weights_file.pack_config(config))
    with np.load(tmp_path / 'weights.npz') as data:
        kinds = {str(data[name].dtype) for name in data.files}
    assert kinds == {'float16' if kind == 'half' else 'float32'}
    if kind == 'broken':
        with pytest.raises(ValueError, match=r'weights\.npz: .* has numbers that are not finite'):
            weights_file.read(tmp_path / 'weights.npz')
        return
    read, its_config = weights_file.read(tmp_path / 'weights.npz')
    jax.tree.map(np.testing.assert_array_equal, read, variables)
    assert its_config == config


def test_a_folder_in_use_is_refused_before_anything_is_made(network, tmp_path):
    (tmp_path / 'mine.txt').write_text('kept')
    with pytest.raises(ValueError, match='is there already; give a new or an empty folder'):
        writer.write(tmp_path, *network, TARGET)
    with pytest.raises(ValueError, match=r'mine\.txt is there already'):
        writer.write(tmp_path / 'mine.txt', *network, TARGET)
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


def test_a_failure_leaves_nothing(network, single, tmp_path, monkeypatch):
    kept = [export.deserialize(bytearray((single / f'{n}.stablehlo').read_bytes())) for n in ('template', 'step')]
    monkeypatch.setattr(lowering, 'make_programs', lambda *_: lowering.Programs(*kept))
    write_bytes, written = pathlib.Path.write_bytes, []

    def fill_up(path, content):
        if len(written) == 2:
            raise OSError(28, 'No space left on device')
        written.append(path.name)
        return write_bytes(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, 'write_bytes', fill_up)
        with pytest.raises(OSError, match='No space left'):
            writer.write(tmp_path / 'deep' / 'out', *network, TARGET)
    assert len(written) == 2 and not list((tmp_path / 'deep').iterdir())
    (tmp_path / 'deep' / 'out').mkdir()  # an empty folder is taken
    writer.write(tmp_path / 'deep' / 'out', *network, TARGET)
    assert [path.name for path in (tmp_path / 'deep').iterdir()] == ['out']
    assert len(list((tmp_path / 'deep' / 'out').iterdir())) == 5


def test_without_flatbuffers_it_says_what_to_install(network, tmp_path, monkeypatch):
    monkeypatch.setattr(writer.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ValueError, match=r"needs flatbuffers; install it: pip install 'sctrpn_jax\[export\]'"):
        writer.write(tmp_path / 'out', *network, TARGET)

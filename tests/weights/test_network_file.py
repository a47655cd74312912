"""Weights in a file: half precision and back, and what is refused."""

import copy
import json
import pathlib
import runpy

import jax
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.models import sctrpn
from sctrpn_jax.weights import network_file, pretrained

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / 'configs'


@pytest.fixture(scope='module')
def small():
    config = config_lib.Config()
    config.model.backbone.widths, config.model.backbone.groups = (4, 4, 4, 4, 4), (1, 1, 1, 1, 1)
    config.model.channels = 4
    config.track.window = 0.123
    model = sctrpn.SCTRPN(config.model)
    return jax.device_get(sctrpn.init_variables(model, 0)), config


def test_round_trip_is_half_precision(small, tmp_path):
    variables, config = small
    network_file.write(tmp_path / 'w.npz', variables, config)
    read, read_config = network_file.read(tmp_path / 'w.npz')
    assert read_config == config
    assert jax.tree.structure(read) == jax.tree.structure(variables)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-7), read, variables)
    assert (tmp_path / 'w.npz').stat().st_size < 2.5 * sum(x.size for x in jax.tree.leaves(variables)) + 60_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ['w.json', 'w.npz']


def test_no_path_of_the_machine_travels(small, tmp_path):
    variables, config = small[0], copy.deepcopy(small[1])
    place = f'{tmp_path}/somewhere/'
    config.data.root = config.train.validation_root = place + 'train'
    config.train.start_from, config.model.backbone.weights = place + 'run', place + 'alexnet.npz'
    network_file.write(tmp_path / 'w.npz', variables, config)
    _, read = network_file.read(tmp_path / 'w.npz')
    assert 'somewhere' not in json.dumps(config_values.to_dict(read))
    assert (read.data.root, read.model.backbone.weights, read.train.start_from) == ('train', 'alexnet.npz', 'run')
    assert config.data.root == place + 'train', "the caller's config stays as it was"


def test_what_half_precision_cannot_hold_is_refused(small, tmp_path):
    variables, config = small
    wild = jax.tree.map(lambda x: x + 1e6, variables)
    with pytest.raises(ValueError, match='params/.*: not finite in half precision'), np.errstate(over='ignore'):
        network_file.write(tmp_path / 'w.npz', wild, config)
    assert not list(tmp_path.iterdir())


def test_other_files_are_refused(small, tmp_path):
    with pytest.raises(ValueError, match='no such file'):
        network_file.read(tmp_path / 'none.npz')
    network_file.write(tmp_path / 'w.npz', *small)
    whole = (tmp_path / 'w.npz').read_bytes()
    np.savez(tmp_path / 'other.npz', x=np.zeros(3))
    np.savez(tmp_path / 'pickled.npz', params=np.array([{'a': 1}], dtype=object))
    (tmp_path / 'other.json').write_text('[1, 2')
    (tmp_path / 'cut.npz').write_bytes(whole[: len(whole) // 2])
    (tmp_path / 'text.npz').write_text('hello')
    for name in ('other', 'pickled', 'cut', 'text'):
        with pytest.raises(ValueError, match=r'not a (weights file|config in JSON)'):
            network_file.read(tmp_path / f'{name}.npz')


def test_files_of_other_versions_say_which_and_what_to_do(small, tmp_path):
    variables, config = small
    network_file.write(tmp_path / 'w.npz', variables, config)
    path = tmp_path / 'w.json'
    content = json.loads(path.read_text())
    content['sctrpn_jax'], content['config']['head'] = '0.9', {}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"w\.json: config: no field 'head'; .*written by sctrpn_jax 0\.9; this is "):
        network_file.read(tmp_path / 'w.npz')
    path.unlink()
    with pytest.raises(ValueError, match=r'w\.json: no such file; it holds the config of '):
        network_file.read(tmp_path / 'w.npz')
    np.savez(tmp_path / 'w.npz', config='{}', x=np.zeros(3))  # 0.1 kept its config among the arrays
    with pytest.raises(ValueError, match=r'w\.npz: written by sctrpn_jax 0\.1, .*CHANGELOG\.md'):
        network_file.read(tmp_path / 'w.npz')
    path.write_text(json.dumps(content['config']))
    with pytest.raises(ValueError, match=r'w\.json: written by sctrpn_jax 0\.1; '):
        network_file.read(tmp_path / 'w.npz')


@pytest.mark.parametrize('name', pretrained.available())
def test_pretrained_networks_fit_their_config(name):
    variables, config = pretrained.load_pretrained(name)
    wanted = jax.eval_shape(lambda: sctrpn.init_variables(sctrpn.SCTRPN(config.model), 0))
    shapes = jax.tree.map(lambda x: x.shape, wanted)
    assert jax.tree.map(lambda x: x.shape, variables) == shapes
    assert '/' not in config.data.root + config.model.backbone.weights, 'a path of the machine it was trained on'
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(variables))


@pytest.mark.parametrize('name', pretrained.available())
def test_pretrained_networks_have_the_config_of_their_name(name):
    config = runpy.run_path(str(CONFIGS / f'{name}.py'))['get_config']()
    shipped = pretrained.load_pretrained(name)[1]
    # Whether a run looks at validation sequences changes nothing in what it learns.
    config.train.validation_root, config.train.validate_every = '', 0
    assert shipped == network_file.parse_config(json.loads(network_file.pack_config(config)), 'the recipe')
    assert shipped.model.matching and shipped.track.first_frame.correction == 1


def test_the_default_network_is_there_and_others_are_named():
    assert pretrained.DEFAULT in pretrained.available()
    with pytest.raises(ValueError, match=f'there are: .*{pretrained.DEFAULT}'):
        pretrained.load_pretrained('sctrpn_huge')


def changed_arrays(path, change):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez_compressed(path, **arrays)


def first(arrays, last='kernel'):
    return next(name for name in sorted(arrays) if name.endswith(last))


OTHER_ARRAYS = {
    'one is missing': (lambda a: a.pop(first(a)), r'kernel is none, wanted is \['),
    'one is left over': (
        lambda a: a.update({'params/more': np.zeros(3, np.float16)}),
        r'more is \[3\], wanted is none',
    ),
    'turned': (lambda a: a.update({first(a): a[first(a)].T}), r'kernel is \[.*wanted is \['),
    'whole numbers': (lambda a: a.update({first(a): a[first(a)].astype(np.int16)}), 'of type int16; accepted are'),
    'text': (lambda a: a.update({first(a, 'bias'): np.full(4, 'x')}), 'of type <U1; accepted are'),
    'not a number': (lambda a: a[first(a)].__setitem__(0, np.nan), 'has numbers that are not finite'),
    'infinite': (lambda a: a[first(a, 'var')].__setitem__(0, np.inf), 'has numbers that are not finite'),
    'a leaf where others have a folder': (
        lambda a: a.update({first(a).rpartition('/')[0]: np.zeros(3, np.float16)}),
        r'is \[3\], wanted is none',
    ),
}


@pytest.mark.parametrize(('change', 'message'), OTHER_ARRAYS.values(), ids=OTHER_ARRAYS)
def test_arrays_must_be_those_of_the_config(small, tmp_path, change, message):
    network_file.write(tmp_path / 'w.npz', *small)
    changed_arrays(tmp_path / 'w.npz', change)
    with pytest.raises(ValueError, match=rf'w\.npz: .*{message}') as raised:
        network_file.read(tmp_path / 'w.npz')
    assert '\n' not in str(raised.value)


OTHER_CONFIGS = {
    'a field of another type': lambda c: c['config']['model'].update(channels='4'),
    'a list for a number': lambda c: c['config']['model'].update(channels=[4]),
    'a section that is none': lambda c: c['config'].update(model=7),
    'a number that is none': lambda c: c['config']['track'].update(window=float('nan')),
    'a list of nothing': lambda c: c['config']['model']['cascade'].update(layers=[None]),
    'a huge network': lambda c: c['config']['model'].update(channels=10**12),
    'no config': lambda c: c.pop('config'),
    'a deep one': lambda c: c.update(config=json.loads('[' * 500 + ']' * 500)),
}


@pytest.mark.parametrize('change', OTHER_CONFIGS.values(), ids=OTHER_CONFIGS)
def test_a_config_that_cannot_be_is_one_line(small, tmp_path, change):
    network_file.write(tmp_path / 'w.npz', *small)
    content = json.loads((tmp_path / 'w.json').read_text())
    change(content)
    (tmp_path / 'w.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'w\.json: (not a )?config') as raised:
        network_file.read(tmp_path / 'w.npz')
    assert '\n' not in str(raised.value) and len(str(raised.value)) < len(str(tmp_path)) + 400

"""The checkpoint of a run comes back as it was saved; one that is damaged anywhere is one line that names it."""

import json
import os
import pathlib
import shutil

import jax
import numpy as np
import pytest

from sctrpn_jax.training import checkpoint, train_state
from sctrpn_jax.weights import loading
from tests.training import tiny_config


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    """Folder of a run with one checkpoint, and its state."""
    workdir, config = tmp_path_factory.mktemp('run'), tiny_config.get_config()
    state = jax.device_get(train_state.create_train_state(config))
    save(workdir, state)
    return workdir, state


def save(workdir, state, step=6):
    checkpoints = checkpoint.Checkpoints(workdir)
    checkpoints.save(step, state, {'pairs': 12, 'best_auc': -1.0}, tiny_config.get_config())
    checkpoints.close()


def restore(workdir, state):
    checkpoints = checkpoint.Checkpoints(workdir)
    try:
        return checkpoints.restore(state)
    finally:
        checkpoints.close()


@pytest.fixture
def run(saved, tmp_path):
    """A copy of it, to be damaged."""
    shutil.copytree(saved[0], tmp_path / 'run')
    return tmp_path / 'run'


def test_what_was_saved_is_read(saved):
    variables, config = loading.load_network(saved[0])
    assert config == tiny_config.get_config()
    jax.tree.map(np.testing.assert_array_equal, variables, jax.tree.map(np.asarray, saved[1].variables))


def files_of(run):
    return sorted(path for path in (run / 'checkpoints' / '6').rglob('*') if path.is_file())


DAMAGE = {
    'gone': lambda path: path.unlink(),
    'empty': lambda path: path.write_bytes(b''),
    'cut': lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    'zeros': lambda path: path.write_bytes(bytes(path.stat().st_size)),
    'other': lambda path: path.write_bytes(b'{"a": [1, 2' * 40),
}


@pytest.mark.all
# What is left of orbax's own reading is collected with a complaint.
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize('damage', DAMAGE.values(), ids=DAMAGE)
def test_damage_to_any_file_is_one_line_or_changes_nothing(saved, run, damage):
    whole, refused = {path: path.read_bytes() for path in files_of(run)}, set()
    for path, content in whole.items():
        damage(path)
        for read in (lambda: loading.load_network(run)[0], lambda: restore(run, saved[1])[0].variables):
            try:
                found = read()
            except ValueError as error:
                assert str(run) in str(error) and '\n' not in str(error), error
                refused.add(path.name)
            else:
                jax.tree.map(np.testing.assert_array_equal, found, jax.tree.map(np.asarray, saved[1].variables))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert {'_METADATA', 'manifest.ocdbt'} <= refused


@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize('name', ['state', 'state/ocdbt.process_0', 'state/d', 'config', 'position'])
def test_a_missing_folder_is_one_line(saved, run, name):
    shutil.rmtree(run / 'checkpoints' / '6' / name)
    with pytest.raises(ValueError, match=str(run)) as raised:
        loading.load_network(run) if name != 'position' else restore(run, saved[1])
    assert '\n' not in str(raised.value)


def test_a_pipe_in_place_of_a_file_is_one_line(saved, run):
    path = run / 'checkpoints' / '6' / '_CHECKPOINT_METADATA'
    path.unlink()
    os.mkfifo(path)
    for read in (lambda: loading.load_network(run), lambda: restore(run, saved[1])):
        with pytest.raises(ValueError, match='_CHECKPOINT_METADATA: neither a file nor a folder'):
            read()


@pytest.mark.parametrize('number', [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(saved, tmp_path, number):
    broken = jax.tree.map(lambda leaf: leaf if leaf.ndim == 0 else np.full_like(leaf, number), saved[1])
    save(tmp_path, broken)
    for read in (lambda: loading.load_network(tmp_path), lambda: restore(tmp_path, saved[1])):
        with pytest.raises(ValueError, match=r'checkpoints/6: .* has numbers that are not finite'):
            read()


def test_arrays_of_another_network_are_refused(run):
    path = run / 'checkpoints' / '6' / 'config' / 'metadata'
    content = json.loads(path.read_text())
    content['config']['model']['channels'] = 8
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'checkpoints/6: weights of another network: .*is \[4\], wanted is \[8\]'):
        loading.load_network(run)


@pytest.mark.parametrize('position', ['{}', '{"pairs": 12, "best_auc": "x"}', '{"best_auc": NaN}', '[]', '7', '['])
def test_a_position_that_is_none_is_one_line(saved, run, position):
    (run / 'checkpoints' / '6' / 'position' / 'metadata').write_text(position)
    with pytest.raises(ValueError, match='checkpoints/6: ') as raised:
        restore(run, saved[1])
    assert '\n' not in str(raised.value)


def test_only_folders_with_a_number_are_checkpoints(run):
    for name in ('7', '²', '9' * 30):
        (run / 'checkpoints' / name).write_text('') if name == '7' else (run / 'checkpoints' / name).mkdir()
    assert loading.checkpoint_steps(run / 'checkpoints') == [6]
    assert loading.checkpoint_steps(pathlib.Path('nowhere')) == []

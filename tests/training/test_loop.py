"""Real steps of the real loop: a restart after a kill is bit-exact, an infinite loss stops with a sound state."""

import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.training import checkpoint, loop, metric_log, optimiser, validation
from sctrpn_jax.weights import loading

HERE = pathlib.Path(__file__).parent
REPOSITORY = HERE.parent.parent


def tiny():
    spec = importlib.util.spec_from_file_location('tiny_config', HERE / 'tiny_config.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config()


@pytest.fixture(scope='module')
def whole_run(tmp_path_factory):
    """(workdir, state) of the six steps without a break."""
    workdir = tmp_path_factory.mktemp('whole')
    return workdir, jax.device_get(loop.train_and_evaluate(tiny(), workdir))


def test_metrics_have_every_term_of_every_stage(whole_run):
    lines = metric_log.read_metrics(whole_run[0] / 'metrics.jsonl')
    assert [line['step'] for line in lines] == [1, 2, 3, 4, 5, 6]
    for line in lines:
        terms = [line[f'stage{i}/{term}'] for i in (1, 2) for term in ('classification', 'regression')]
        assert np.isfinite(terms).all()
        np.testing.assert_allclose(sum(terms), line['loss'], rtol=1e-5)
        assert all(0 <= line[f'stage{i}/iou'] <= 1 for i in (1, 2))


def test_backbone_moves_in_the_last_phase_only(whole_run):
    config = tiny()
    config.train.phases = config.train.phases[:1]
    frozen = jax.device_get(loop.train_and_evaluate(config, whole_run[0].parent / 'frozen'))
    fresh = jax.device_get(loop.state_lib.create_train_state(tiny()))
    for state, moves in ((frozen, False), (whole_run[1], True)):
        assert _same(state.params['backbone'], fresh.params['backbone']) != moves
        assert not _same(state.params['stages_0'], fresh.params['stages_0'])


def test_a_run_in_two_parts_sees_the_same_pairs(whole_run, tmp_path):
    config = tiny()
    config.train.phases = config.train.phases[:1]
    loop.train_and_evaluate(config, tmp_path / 'first')
    config = tiny()
    config.train.start_from, config.train.first_phase = str(tmp_path / 'first'), 1
    state = jax.device_get(loop.train_and_evaluate(config, tmp_path / 'second'))
    whole, second = (metric_log.read_metrics(path / 'metrics.jsonl') for path in (whole_run[0], tmp_path / 'second'))
    assert state.step == 6 and [line['step'] for line in second] == [5, 6]
    np.testing.assert_allclose([line['rate'] for line in second], [line['rate'] for line in whole[4:]])
    # The optimiser begins afresh, so that only the first loss, which comes before its first update, is the same.
    np.testing.assert_allclose(second[0]['loss'], whole[4]['loss'], rtol=1e-5)
    again = jax.device_get(loop.train_and_evaluate(config, tmp_path / 'second'))
    assert _same(again, state)


def _same(a, b):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))


def test_kill_and_restart_is_bit_exact(whole_run, tmp_path):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'train'), '--config', str(HERE / 'tiny_config.py')]
    process = subprocess.Popen(
        [*command, '--workdir', str(tmp_path)], env=os.environ | {'PYTHONPATH': str(REPOSITORY)}, stderr=subprocess.PIPE
    )
    try:
        saved = tmp_path / 'checkpoints' / '2'
        for _ in range(1200):
            if saved.is_dir() or process.poll() is not None:
                break
            time.sleep(0.1)
        assert saved.is_dir(), process.stderr.read().decode()[-2000:]
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    resumed_from = checkpoint.Checkpoints(tmp_path).latest_step()
    assert resumed_from >= 2
    resumed = jax.device_get(loop.train_and_evaluate(tiny(), tmp_path))
    jax.tree.map(np.testing.assert_array_equal, resumed, whole_run[1])
    first, second = (metric_log.read_metrics(path / 'metrics.jsonl') for path in (whole_run[0], tmp_path))
    assert [line['step'] for line in second] == [1, 2, 3, 4, 5, 6]
    assert [line['loss'] for line in second] == [line['loss'] for line in first]


@pytest.mark.all
def test_two_devices_give_the_losses_of_one(whole_run, tmp_path):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'train'), '--config', str(HERE / 'tiny_config.py')]
    environment = os.environ | {'XLA_FLAGS': f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count=2'}
    done = subprocess.run(
        [*command, '--workdir', str(tmp_path)], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert '2 device(s)' in done.stderr
    one, two = (
        [line['loss'] for line in metric_log.read_metrics(path / 'metrics.jsonl')] for path in (whole_run[0], tmp_path)
    )
    # Sums over the batch have another order; steps carry the difference on.
    np.testing.assert_allclose(two, one, rtol=1e-3)


def test_another_config_is_refused_by_field(whole_run):
    config = tiny()
    config.model.channels = 8
    with pytest.raises(checkpoint.CheckpointError, match=r'config\.model\.channels is 4 in the checkpoint and 8'):
        loop.train_and_evaluate(config, whole_run[0])


def test_saved_variables_and_config_come_back(whole_run):
    variables, config = loading.load_network(whole_run[0])
    assert config == tiny()
    jax.tree.map(np.testing.assert_array_equal, variables['params'], whole_run[1].params)


def test_no_checkpoint_is_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match='no checkpoint here'):
        loading.load_network(tmp_path)


def test_infinite_loss_stops_with_the_last_sound_state(tmp_path, monkeypatch):
    config = tiny()
    config.train.phases = (config_lib.Phase(epochs=3, start_rate=1e9, end_rate=1e9),)
    monkeypatch.setattr(optimiser, 'CLIP_NORM', 1e30)
    with pytest.raises(loop.TrainingDivergedError, match=r'step \d+: not finite: .*(of stage1 is|gradient)'):
        loop.train_and_evaluate(config, tmp_path)
    variables, _ = loading.load_network(tmp_path)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(variables))


def test_validation_keeps_the_best(tmp_path, monkeypatch):
    config = tiny()
    config.train.phases, config.train.validate_every = (config_lib.Phase(1, 0.01, 0.01),), 1
    monkeypatch.setattr(validation, 'SEQUENCES', 1)
    monkeypatch.setattr(validation, 'FRAMES', 3)
    loop.train_and_evaluate(config, tmp_path)
    lines = metric_log.read_metrics(tmp_path / 'metrics.jsonl')
    scores = {line['step']: line['validation/success_auc'] for line in lines if 'validation/success_auc' in line}
    assert len(scores) == 2 and all(0 <= score <= 1 for score in scores.values())
    best = checkpoint.Checkpoints(tmp_path, 'best').latest_step()
    assert scores[best] == max(scores.values())


def test_running_norms_train_the_network_as_it_tracks(whole_run, tmp_path):
    config = tiny()
    config.train.start_from = str(whole_run[0])
    config.train.phases = (config_lib.Phase(1, 0.01, 0.01, running_norms=True),)
    state = jax.device_get(loop.train_and_evaluate(config, tmp_path))
    assert _same(state.batch_stats, whole_run[1].batch_stats)
    assert not _same(state.params['stages_0'], whole_run[1].params['stages_0'])


def test_a_run_starts_from_the_weights_of_another(whole_run):
    config = tiny()
    config.train.start_from = str(whole_run[0])
    started = jax.device_get(loop.state_lib.create_train_state(config))
    assert started.step == 0
    assert _same(started.params, whole_run[1].params) and _same(started.batch_stats, whole_run[1].batch_stats)
    wider = tiny()
    wider.train.start_from, wider.model.channels = str(whole_run[0]), 2 * wider.model.channels
    with pytest.raises(ValueError, match=r'has another network: .* is \(.*\), the config wants \(.*; give weights of'):
        loop.state_lib.create_train_state(wider)
    config.model.cascade.layers = (5,)
    with pytest.raises(
        ValueError, match=r'train.start_from: .* has another network: batch_stats/stages_1/.* the config wants none'
    ):
        loop.state_lib.create_train_state(config)

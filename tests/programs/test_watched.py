"""Real processes on this machine train together: as one does, until one of them ends, and on from there."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import cv2
import jax
import numpy as np
import pytest

from sctrpn_jax.training import metric_log
from sctrpn_jax.weights import loading

REPOSITORY = pathlib.Path(__file__).parent.parent.parent
CONFIG = REPOSITORY / 'tests' / 'training' / 'short_config.py'
COMMAND = [sys.executable, str(REPOSITORY / 'bin' / 'train'), f'--config={CONFIG}']
WAIT = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def processes(workdir, count=2, extra=(), environments=None):
    """Starts them; they are ended at the end of the block."""
    port, started = free_port(), []
    flags = [f'--workdir={workdir}', *extra]
    try:
        for index in range(count):
            place = [f'--coordinator=127.0.0.1:{port}', f'--processes={count}', f'--process={index}']
            started.append(
                subprocess.Popen(
                    [*COMMAND, *flags, *(place if environments is None else [])],
                    env=os.environ | {'PYTHONPATH': str(REPOSITORY)} | (environments[index] if environments else {}),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        yield started
    finally:
        for each in started:
            each.kill()
            each.communicate()


def finish(started):
    """(exit code, stderr) of each."""
    return [(errors, each.returncode) for each in started for _, errors in [each.communicate(timeout=WAIT)]]


def alone(workdir, flags=''):
    done = subprocess.run(
        [*COMMAND, f'--workdir={workdir}'],
        env=os.environ | {'PYTHONPATH': str(REPOSITORY), 'XLA_FLAGS': f'{os.environ["XLA_FLAGS"]} {flags}'},
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


def wait_for_checkpoint(workdir, started, step=5):
    """Until one of that step or a later one is complete."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = [int(path.name) for path in (workdir / 'checkpoints').glob('*') if path.name.isdigit()]
        if max(found, default=0) >= step:
            return
        for each in started:
            assert each.poll() is None, each.communicate()[1][-2000:]
        time.sleep(0.05)
    raise AssertionError('no checkpoint')


def worker_of(parent):
    children = pathlib.Path(f'/proc/{parent.pid}/task/{parent.pid}/children').read_text().split()
    found = [int(child) for child in children if 'spawn_main' in pathlib.Path(f'/proc/{child}/cmdline').read_text()]
    assert len(found) == 1
    return found[0]


def losses(workdir):
    lines = [line for line in metric_log.read_metrics(workdir / 'metrics.jsonl') if 'loss' in line]
    assert [line['step'] for line in lines] == list(range(1, len(lines) + 1))
    return np.array([line['loss'] for line in lines])


def assert_same_network(workdir, other, tolerance=1e-5):
    for a, b in zip(*(jax.tree.leaves(loading.load_network(folder)[0]) for folder in (workdir, other)), strict=True):
        # Relative to the largest of an array, or to a hundredth: biases in front of a norm are rounding alone.
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * (np.abs(b).max() + 1e-2))


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The run of one process, without a break."""
    workdir = tmp_path_factory.mktemp('whole')
    alone(workdir)
    return workdir


@pytest.fixture(scope='module')
def killed(tmp_path_factory):
    """The run of two processes of which one was killed, and the other's seconds, exit code and messages."""
    workdir = tmp_path_factory.mktemp('killed')
    with processes(workdir) as started:
        wait_for_checkpoint(workdir, started)
        os.kill(worker_of(started[1]), signal.SIGKILL)
        begin = time.monotonic()
        (errors, code), _ = finish(started)
    return workdir, time.monotonic() - begin, code, errors


@pytest.fixture
def validation_root(tmp_path):
    """Two sequences of three frames, as DAVIS has them."""
    root = tmp_path / 'davis'
    for name in ('a', 'b'):
        images, masks = (root / kind / '480p' / name for kind in ('JPEGImages', 'Annotations'))
        images.mkdir(parents=True)
        masks.mkdir(parents=True)
        for t in range(3):
            mask = np.zeros((64, 96), np.uint8)
            mask[20:40, 30 + t : 60 + t] = 255
            cv2.imwrite(str(images / f'{t:05d}.jpg'), np.repeat(mask[..., None] // 2, 3, axis=2))
            cv2.imwrite(str(masks / f'{t:05d}.png'), mask)
    return root


@pytest.mark.all
def test_two_processes_that_slurm_started_train_as_one(whole, validation_root, tmp_path):
    workdir = tmp_path / 'run'
    validation = ['--config.train.validate_every=10', f'--config.train.validation_root={validation_root}']
    shared = {'SLURM_JOB_ID': str(free_port()), 'SLURM_STEP_NODELIST': 'localhost', 'SLURM_NTASKS': '2'}
    tasks = [shared | {'SLURM_PROCID': index, 'SLURM_LOCALID': index} for index in '01']
    with processes(workdir, extra=validation, environments=tasks) as started:
        for errors, code in finish(started):
            assert code == 0, errors[-2000:]
    np.testing.assert_allclose(losses(workdir), losses(whole), rtol=1e-5)
    assert_same_network(workdir / 'checkpoints', whole)
    lines = metric_log.read_metrics(workdir / 'metrics.jsonl')
    scores = {line['step']: line['validation/success_auc'] for line in lines if 'validation/success_auc' in line}
    assert len(lines) == 22 and list(scores) == [10, 20]  # one process writes
    (best,) = (workdir / 'best').iterdir()
    assert scores[int(best.name)] == max(scores.values())


@pytest.mark.all
def test_one_that_is_killed_stops_the_other_with_what_to_run_again(killed):
    workdir, seconds, code, errors = killed
    assert code == 1 and seconds < 30
    last = errors.splitlines()[-1]
    assert last.startswith('train: process 0 of 2 stopped (')
    assert f'last checkpoint in {workdir} is saved; the same command' in last
    assert re.search(
        rf'bin/train --config={CONFIG} --workdir={workdir} --coordinator=127.0.0.1:\d+ --processes=2', last
    )


@pytest.mark.all
@pytest.mark.parametrize('way', ['one process', 'two processes', 'four devices'])
def test_a_killed_run_goes_on(way, killed, whole, tmp_path):
    workdir = tmp_path / 'run'
    shutil.copytree(killed[0], workdir)
    if way == 'two processes':
        with processes(workdir) as started:
            (errors, code), second = finish(started)
        assert code == second[1] == 0, errors[-2000:]
    else:
        errors = alone(workdir, '--xla_force_host_platform_device_count=4' if way == 'four devices' else '')
    assert re.search(r'goes on from step [1-9]', errors)
    np.testing.assert_allclose(losses(workdir), losses(whole), rtol=1e-5)
    # One image per device makes another program, and fifteen steps make 1e-4 of its rounding.
    assert_same_network(workdir, whole, 1e-3 if way == 'four devices' else 1e-5)


@pytest.mark.all
def test_one_that_hangs_stops_the_other(tmp_path):
    with processes(tmp_path) as started:
        wait_for_checkpoint(tmp_path, started)
        frozen = worker_of(started[1])
        os.kill(frozen, signal.SIGSTOP)
        begin = time.monotonic()
        started[0].wait(WAIT)
        assert time.monotonic() - begin < 30
        os.kill(frozen, signal.SIGKILL)


@pytest.mark.all
def test_ctrl_c_in_one_saves_and_stops_all(tmp_path):
    with processes(tmp_path, extra=['--config.train.checkpoint_every=1000']) as started:
        end = time.monotonic() + WAIT
        while not metric_log.read_metrics(tmp_path / 'metrics.jsonl') and time.monotonic() < end:
            time.sleep(0.05)
        started[1].send_signal(signal.SIGINT)
        (first, first_code), (second, second_code) = finish(started)
    assert (first_code, second_code) == (143, 130)
    for errors in (first, second):
        assert errors.splitlines()[-1] == 'train: interrupted; the same command goes on'
    done = len(losses(tmp_path))
    assert 0 < done < 20
    assert [path.name for path in (tmp_path / 'checkpoints').iterdir()] == [str(done)]

"""A folder has one holder; a dead one's lock is free at once; who holds it is told."""

import errno
import fcntl
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys

import pytest

from sctrpn_jax.system import locks

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from sctrpn_jax.system import locks
with locks.hold(sys.argv[1]):
    print('held', flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds tmp_path."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
        text=True,
    )
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.communicate()


def test_the_holder_is_named_and_its_lock_ends_with_it(holder, tmp_path):
    for _ in range(2):
        with pytest.raises(locks.LockedError) as refused, locks.hold(tmp_path):
            pass
        expected = (
            rf'{tmp_path} is in use by process {holder.pid} on {platform.node()} since '
            r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}; let it end, or give another folder'
        )
        assert re.fullmatch(expected, str(refused.value))
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / '.lock').exists()
    with locks.hold(tmp_path):
        assert f'process {os.getpid()} on' in (tmp_path / '.lock').read_text()
    assert not list(tmp_path.iterdir())


def test_a_lock_is_free_after_an_error_and_excludes_this_process_too(tmp_path):
    with pytest.raises(ZeroDivisionError), locks.hold(tmp_path / 'new'):
        with pytest.raises(locks.LockedError, match=f'process {os.getpid()}'), locks.hold(tmp_path / 'new'):
            pass
        raise ZeroDivisionError
    with locks.hold(tmp_path / 'new'):
        pass


def test_a_file_that_its_holder_removed_meanwhile_is_no_lock(tmp_path, monkeypatch):
    flock = fcntl.flock

    def late(file, how):
        flock(file, how)
        monkeypatch.setattr(fcntl, 'flock', flock)
        (tmp_path / '.lock').unlink()  # the holder ended between the opening and the locking

    monkeypatch.setattr(fcntl, 'flock', late)
    with locks.hold(tmp_path):
        assert (tmp_path / '.lock').exists()
        with pytest.raises(locks.LockedError), locks.hold(tmp_path):
            pass


def test_a_file_system_without_locks_is_warned_of(tmp_path, monkeypatch, caplog):
    def none(file, how):
        raise OSError(errno.EOPNOTSUPP, 'not supported')

    monkeypatch.setattr(fcntl, 'flock', none)
    monkeypatch.setattr(locks._log, 'parent', caplog.handler and __import__('logging').getLogger())
    with locks.hold(tmp_path):
        pass
    assert 'has no locks' in caplog.text


def test_processes_that_contend_hold_it_one_at_a_time(tmp_path):
    """Each takes and frees it many times, so that files vanish between any two calls of the others."""
    (tmp_path / 'count').write_text('0')
    code = """
import pathlib, sys
from sctrpn_jax.system import locks
folder = pathlib.Path(sys.argv[1])
done = 0
while done < 200:
    try:
        with locks.hold(folder):
            (folder / 'count').write_text(str(int((folder / 'count').read_text()) + 1))
            done += 1
    except locks.LockedError:
        pass
"""
    command = [sys.executable, '-c', code, str(tmp_path)]
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY)}
    processes = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert (tmp_path / 'count').read_text() == '600'

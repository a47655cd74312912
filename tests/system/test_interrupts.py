"""Signals wait for the places that look for them; the second one ends the process with its children."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from sctrpn_jax.system import interrupts

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def handled(signal_at):
    """Signals as in a program."""


def test_a_signal_waits_for_the_next_look():
    done = []
    with pytest.raises(interrupts.Interrupted) as raised, interrupts.deferred():
        for i in range(3):
            interrupts.check()
            if i == 1:
                signal.raise_signal(signal.SIGTERM)
                assert interrupts.noted()
            done.append(i)
    assert done == [0, 1] and raised.value.exit_code == 143 and not interrupts.noted()


@pytest.mark.parametrize('number, code', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_that_nothing_looked_for_is_raised_at_the_end(number, code):
    with pytest.raises(interrupts.Interrupted) as raised, interrupts.deferred(), interrupts.deferred():
        signal.raise_signal(number)
    assert raised.value.exit_code == code


def test_an_error_of_the_block_comes_first():
    with pytest.raises(ZeroDivisionError), interrupts.deferred():
        signal.raise_signal(signal.SIGTERM)
        raise ZeroDivisionError
    assert not interrupts.noted()


def test_outside_the_block_a_signal_is_raised_at_once():
    with interrupts.deferred():
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(interrupts.Interrupted):
        signal.raise_signal(signal.SIGTERM)


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts.deferred():
        signal.raise_signal(signal.SIGINT)
        assert not interrupts.noted()
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def test_another_thread_leaves_the_handlers_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def work():
        with interrupts.deferred():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


BUSY = """
import multiprocessing, sys, time
from sctrpn_jax.system import interrupts

if __name__ == '__main__':
    child = multiprocessing.get_context('spawn').Process(target=time.sleep, args=(600,))
    child.start()
    with interrupts.deferred():
        print(child.pid, flush=True)
        time.sleep(600)
"""


def test_the_second_signal_leaves_at_once_unless_it_is_the_first_again(tmp_path):
    (tmp_path / 'busy.py').write_text(BUSY)
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / 'busy.py')],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
        text=True,
    )
    child = int(process.stdout.readline())
    for _ in range(2):  # as `timeout` sends it: to the process and to its group
        process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 143
    assert err.strip() == 'interrupted: this step ends and is saved; a second signal leaves at once'
    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process):
    try:
        state = pathlib.Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'  # ended, and not yet noticed by its new parent

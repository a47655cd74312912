"""A short campaign; and that it tells every way in which a reader can fail."""

import importlib.util
import os
import pathlib
import signal
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent

# A reader of numbers that fails in a way of its own on damage to each of its files.
FAULTY = """
import os, sys, time
import worker

def read(folder):
    for name, fail in (('a', lambda: 1 / 0), ('b', lambda: time.sleep(60)), ('c', lambda: os.kill(os.getpid(), 9)),
                       ('d', lambda: bytearray(2**40)), ('e', lambda: (_ for _ in ()).throw(ValueError('no name')))):
        try:
            assert (folder / name).read_bytes() == b'sound'
        except (AssertionError, OSError):
            fail()
    return (folder / 'f').read_bytes() if (folder / 'f').is_file() else b'sound', 1

def check(found, sound):
    assert found == sound, 'another result'

def build(folder):
    for name in 'abcdef':
        (folder / name).write_bytes(b'sound')

worker.SECONDS = 1
import types
sys.modules['readers'] = types.SimpleNamespace(READERS={'faulty': worker.Reader(build, read, check)})
worker.main(sys.argv[1], *map(int, sys.argv[2:]))
"""


@pytest.mark.all
def test_every_failure_is_told(tmp_path):
    spec = importlib.util.spec_from_file_location('campaign', HERE / '__main__.py')
    campaign = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(campaign)
    (tmp_path / 'faulty.py').write_text(FAULTY)
    found = campaign.tries('faulty', 0, 40, tmp_path / 'faulty.py')
    assert [each['number'] for each in found] == list(range(40))
    by_file = {}
    for each in found:
        for done in each['done']:
            by_file.setdefault(done[0], set()).add((each['kind'], each['reason'][-60:]))
    assert {kind for kind, _ in by_file['a']} >= {'traceback'} and {kind for kind, _ in by_file['b']} >= {'hang'}
    assert {kind for kind, _ in by_file['d']} >= {'traceback'} and {kind for kind, _ in by_file['f']} >= {'wrong'}
    assert any('ZeroDivisionError' in reason for _, reason in by_file['a'])
    assert any('MemoryError' in reason for _, reason in by_file['d'])
    assert any('no name' in reason for _, reason in by_file['e'])
    assert any(f'code {-signal.SIGKILL}' in each['reason'] for each in found)


@pytest.mark.all
def test_no_reader_fails_on_damaged_files_and_no_kill_loses_anything():
    done = subprocess.run(
        [sys.executable, str(HERE), '--tries', '12', '--kills', '6'],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(HERE.parents[1])},
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]

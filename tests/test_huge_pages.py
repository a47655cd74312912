"""The settings reach a process that is started again, once, with its arguments."""

import os
import subprocess
import sys

import pytest

from sctrpn_jax import huge_pages

PROGRAM = """
import os, sys
from sctrpn_jax import huge_pages
print('started', flush=True)
huge_pages.enable()
print(os.getpid(), sys.argv[1:], os.environ.get('GLIBC_TUNABLES'))
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / 'program.py'
    path.write_text(PROGRAM)
    return path


def run(program, **settings):
    environment = {name: value for name, value in os.environ.items() if name != 'GLIBC_TUNABLES'}
    process = subprocess.Popen(
        [sys.executable, program, '--a b', 'c'], stdout=subprocess.PIPE, text=True, env=environment | settings
    )
    lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 0
    return process.pid, lines


def test_a_program_starts_again_once_with_its_arguments(program):
    pid, lines = run(program)
    assert lines == ['started', 'started', f"{pid} ['--a b', 'c'] {huge_pages.TUNABLES}"]


def test_settings_of_the_user_stay(program):
    pid, lines = run(program, GLIBC_TUNABLES='glibc.malloc.check=0')
    assert lines == ['started', f"{pid} ['--a b', 'c'] glibc.malloc.check=0"]


def test_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.delenv('GLIBC_TUNABLES', raising=False)
    monkeypatch.setattr(os, 'execve', lambda *_: pytest.fail('started again'))
    for found in (('', ''), ('glibc', '2.31')):
        monkeypatch.setattr(huge_pages.platform, 'libc_ver', lambda found=found: found)
        huge_pages.enable()

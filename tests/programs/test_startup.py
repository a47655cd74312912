"""Start-up settings: a process that starts again once with its arguments, variables of the user that stay."""

import os
import subprocess
import sys

import pytest

from sctrpn_jax.programs import startup

PROGRAM = """
import os, sys
from sctrpn_jax.programs import startup
print('started', 'numpy' in sys.modules, flush=True)
startup.begin(network=sys.argv[-1] != 'light')
print(os.getpid(), sys.argv[1:], os.environ.get('GLIBC_TUNABLES'), os.environ['JAX_COMPILATION_CACHE_DIR'])
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / 'program.py'
    path.write_text(PROGRAM)
    return path


def run(program, *arguments, **settings):
    unset = ('GLIBC_TUNABLES', 'JAX_COMPILATION_CACHE_DIR', 'XDG_CACHE_HOME')
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    process = subprocess.Popen(
        [sys.executable, program, *arguments], stdout=subprocess.PIPE, text=True, env=environment | settings
    )
    lines = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 0
    return process.pid, lines


def test_a_program_starts_again_once_with_its_arguments(program):
    pid, lines = run(program, '--a b', 'c', XDG_CACHE_HOME='/tmp/cache')
    started = 'started False'
    assert lines == [started, started, f"{pid} ['--a b', 'c'] {startup.TUNABLES} /tmp/cache/sctrpn_jax"]


def test_a_program_without_the_network_does_not(program):
    pid, lines = run(program, 'light', HOME='/tmp/home')
    assert lines == ['started False', f"{pid} ['light'] None /tmp/home/.cache/sctrpn_jax"]


def test_settings_of_the_user_stay(program):
    kept = {'GLIBC_TUNABLES': 'glibc.malloc.check=0', 'JAX_COMPILATION_CACHE_DIR': '/tmp/mine'}
    pid, lines = run(program, 'c', **kept)
    assert lines == ['started False', f"{pid} ['c'] glibc.malloc.check=0 /tmp/mine"]


def test_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.delenv('GLIBC_TUNABLES', raising=False)
    monkeypatch.setattr(os, 'execve', lambda *_: pytest.fail('started again'))
    for found in (('', ''), ('glibc', '2.31')):
        monkeypatch.setattr(startup.platform, 'libc_ver', lambda found=found: found)
        startup._start_with_memory_settings()

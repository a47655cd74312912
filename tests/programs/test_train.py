"""The program train: a folder in use, and a disk that is full, are one line each."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from sctrpn_jax.system import locks

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'
PROGRESS = re.compile(r'\d\d:\d\d:\d\d ')


def test_a_folder_in_use_is_refused(call, tmp_path):
    with locks.hold(tmp_path / 'run'):
        done = call('train', f'--config={CONFIG}', f'--workdir={tmp_path / "run"}')
    assert done.code == 2 and done.err.count('\n') == 1
    assert done.err.startswith(f'train: {tmp_path}/run is in use by process {os.getpid()} on ')


@pytest.mark.parametrize('path', ['/proc/none/run', f'{CONFIG}/run'])
def test_a_folder_that_cannot_be_made_is_one_line(call, path):
    done = call('train', f'--config={CONFIG}', f'--workdir={path}')
    assert done.code == 2 and done.err.count('\n') == 1 and done.err.startswith('train: [Errno'), done.err


@pytest.mark.all
def test_a_full_disk_is_one_line_without_tracebacks(tmp_path):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'train'), f'--config={CONFIG}', f'--workdir={tmp_path / "run"}']
    options = {'env': os.environ | {'PYTHONPATH': str(REPOSITORY)}, 'stderr': subprocess.PIPE, 'text': True}
    # Compiled programs are kept on disk too: once without a limit, so that they are there.
    done = subprocess.run(command, **options)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tmp_path / 'run')
    done = subprocess.run(['sh', '-c', 'ulimit -f 20; exec "$@"', 'sh', *command], **options)
    lines = [line for line in done.stderr.splitlines() if not PROGRESS.match(line)]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    assert lines[0].startswith('train: ') and str(tmp_path) in lines[0] and 'File too large' in lines[0]
    done = subprocess.run(command, **options)
    assert done.returncode == 0, done.stderr

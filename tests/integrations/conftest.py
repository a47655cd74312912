"""The toolkits of the field, in an environment of their own: VOT's wants another wheel of OpenCV than this project."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# What pip builds the toolkits with comes first: isolated builds would fetch whatever is newest, unchecked.
LOCKS = 'requirements-build.lock', 'requirements-toolkits.lock'
UNREACHABLE = re.compile(
    'NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|NameResolutionError|Max retries exceeded'
)


@pytest.fixture(scope='session')
def toolkits(tmp_path_factory):
    """Folder of the environment, made by the lock files."""
    folder = tmp_path_factory.mktemp('toolkits')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', folder], check=True, timeout=300)
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '--no-input', '--python', folder / 'bin/python']
    for lock in LOCKS:
        install = [*pip, 'install', '--quiet', '--require-hashes', '--no-build-isolation', '-r', REPOSITORY / lock]
        done = subprocess.run(install, capture_output=True, text=True, timeout=1800)
        if done.returncode and UNREACHABLE.search(done.stderr):
            pytest.skip(f'the package registry cannot be reached: {done.stderr.strip().splitlines()[-1]}')
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope='session')
def packages(toolkits):
    """The environment's packages, which can be imported in this process, after its own."""
    (found,) = toolkits.glob('lib/python*/site-packages')
    sys.path.append(str(found))
    yield found
    sys.path.remove(str(found))


@pytest.fixture(scope='session')
def with_trax(packages, tmp_path_factory):
    """Variables of a process that has vot-trax, as `pip install 'sctrpn_jax[vot]'` adds it, and nothing else of VOT's.

    The toolkit asks the network for a newer version of itself; there is none for it.
    """
    folder = tmp_path_factory.mktemp('trax')
    for name in ('trax', 'vot_trax.libs'):
        (folder / name).symlink_to(packages / name)
    return os.environ | {'PYTHONPATH': f'{REPOSITORY}{os.pathsep}{folder}', 'HTTPS_PROXY': 'http://127.0.0.1:9'}

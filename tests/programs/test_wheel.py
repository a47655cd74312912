"""The wheel, installed in an environment of its own: its commands work in an empty folder, without the repository."""

import os
import pathlib
import shutil
import site
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from sctrpn_jax.programs import main
from sctrpn_jax.tracking import results

pytestmark = pytest.mark.all

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ('sctrpn_jax', 'configs', 'pyproject.toml', 'setup.py', 'README.md', 'LICENSE', 'NOTICE')


def run(*command, cwd, **settings):
    unset = ('PYTHONPATH', 'SCTRPN_SHARED', 'GLIBC_TUNABLES')
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment | settings, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """The wheel, built of a copy: a build leaves files beside its sources."""
    copy = tmp_path_factory.mktemp('copy')
    ignore = shutil.ignore_patterns('__pycache__')
    for name in SOURCES:
        source = REPOSITORY / name
        shutil.copytree(source, copy / name, ignore=ignore) if source.is_dir() else shutil.copy(source, copy)
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '--no-input']
    run(*pip, 'wheel', '--quiet', '--no-deps', '--no-build-isolation', '--no-index', '-w', 'made', '.', cwd=copy)
    (made,) = (copy / 'made').glob('*.whl')
    return made


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    """Folder of the environment: the wheel alone is installed, what it needs is this environment's."""
    folder = tmp_path_factory.mktemp('environment')
    run(sys.executable, '-m', 'venv', '--without-pip', folder, cwd=folder)
    (packages,) = folder.glob('lib/python*/site-packages')
    # Paths that a .pth file adds have no .pth files of their own: the editable install stays out.
    (packages / 'needed.pth').write_text('\n'.join(site.getsitepackages()) + '\n')
    python = folder / 'bin' / 'python'
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '--no-input', '--python', python]
    run(*pip, 'install', '--quiet', '--no-deps', '--no-index', wheel, cwd=folder)
    found = run(python, '-c', 'import sctrpn_jax; print(sctrpn_jax.__file__)', cwd=folder)
    assert pathlib.Path(found.strip()).is_relative_to(folder)
    return folder


def test_the_wheel_holds_all_that_the_package_reads(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {'sctrpn_jax/py.typed', 'sctrpn_jax/configs/quickstart.py', 'sctrpn_jax/configs/ablations/stages.py'}
    wanted |= {f'sctrpn_jax/evaluation/report/page.{kind}' for kind in ('css', 'html', 'js')}
    wanted |= {f'sctrpn_jax/weights/networks/sctrpn_lite.{kind}' for kind in ('npz', 'json')}
    modules = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / 'sctrpn_jax').rglob('*.py')}
    assert (wanted | modules) <= names
    tops = {name.split('/')[0] for name in names}
    assert {top for top in tops if not top.endswith('.dist-info')} == {'sctrpn_jax'}


def test_the_commands_in_an_empty_folder(installed, tmp_path):
    def sctrpn(*arguments):
        return run(installed / 'bin' / 'sctrpn', *arguments, cwd=tmp_path)

    said = sctrpn('--help')
    assert all(f'  {name} ' in said for name in main.PROGRAMS)
    assert 'video: out/demo.mp4' in sctrpn('demo')
    example = 'track --video out/demo.mp4 --box 92,81,51,52 --output tracked.mp4'
    assert f'sctrpn {example}' in said
    sctrpn(*example.split(), '--results', 'boxes.csv')
    boxes, scores = results.read_results(tmp_path / 'boxes.csv')
    assert len(boxes) == 90 and np.isfinite(boxes).all() and (tmp_path / 'tracked.mp4').stat().st_size > 10_000
    few = ['--config.train.batch_size=2', '--config.train.pairs_per_epoch=8', '--config.train.phases[0].epochs=1']
    sctrpn('train', '--config', 'quickstart', '--workdir', 'run', *few, '--config.train.validate_every=0')
    assert (tmp_path / 'run' / 'checkpoints' / '4').is_dir()
    sctrpn('weights', 'export', '--checkpoint', 'run', '--output', 'mine.npz')
    assert (tmp_path / 'mine.json').is_file()
    sctrpn('demo', '--clips', 1, '--output', 'CLIPS')
    benchmark = ['--benchmark', 'otb', '--root', 'CLIPS']
    assert 'report: ' in sctrpn('evaluate', *benchmark, '--tracker', 'mil', '--output', 'results/mil')
    assert '<style>' in (tmp_path / 'results' / 'mil' / 'report' / 'report.html').read_text()

"""`from sctrpn_jax import ...`: light to import, and the lines of its docstring follow an object."""

import importlib.metadata
import pathlib
import re
import subprocess
import sys
import tomllib

import numpy as np
import pytest

import sctrpn_jax
from sctrpn_jax.data import generated
from sctrpn_jax.geometry import boxes

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def test_importing_the_package_imports_nothing_heavy():
    code = 'import sys, sctrpn_jax; print(*{"jax", "numpy", "cv2", "flax"} & set(sys.modules))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.strip() == ''


def test_names():
    assert set(sctrpn_jax.__all__) <= set(dir(sctrpn_jax))
    for name in sctrpn_jax.__all__:
        made = getattr(sctrpn_jax, name)
        assert made.__name__ == name and made is getattr(sctrpn_jax, name)
    with pytest.raises(AttributeError, match="module 'sctrpn_jax' has no attribute 'Trakcer'"):
        _ = sctrpn_jax.Trakcer


def test_one_version():
    project = tomllib.loads((REPOSITORY / 'pyproject.toml').read_text())['project']
    assert sctrpn_jax.__version__ == project['version'] == importlib.metadata.version('sctrpn_jax')


def test_the_wheel_with_windows_that_the_docs_name_is_of_the_locked_version():
    lock = (REPOSITORY / 'requirements.lock').read_text()
    locked = re.search(r'^opencv-python-headless==(\S+)', lock, re.MULTILINE)[1]
    for name in ('README.md', 'docs/tracking.md'):
        named = re.findall(r'opencv-python(?:-headless)?==([0-9.]+)', (REPOSITORY / name).read_text())
        assert named and set(named) == {locked}


@pytest.mark.all
def test_the_lines_of_the_docstring_follow_an_object():
    frames, truth = generated.make_sequence(7, 12)
    (x, y, w, h), printed = truth[0], []
    lines = [line[4:] for line in sctrpn_jax.__doc__.splitlines() if line.startswith('    ')]
    exec('\n'.join(lines), {'frames': frames, 'x': x, 'y': y, 'w': w, 'h': h, 'print': lambda *v: printed.append(v)})
    found = np.array([box for box, _ in printed])
    assert len(found) == 11 and all(0 <= score <= 1 for _, score in printed)
    overlaps = boxes.iou(*(boxes.xywh_to_cxcywh(each.astype(np.float32)) for each in (found, truth[1:])))
    assert np.asarray(overlaps).min() > 0.4

"""Importing the package has XLA run products on a CPU with Eigen; what the user chose stays."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

from sctrpn_jax import xla_flags

NAME = '--xla_cpu_experimental_ynn_fusion_type'
PROGRAM = """
import sctrpn_jax, sys
assert 'jax' not in sys.modules
import jax
print('ynn' in jax.jit(lambda a: a @ a).lower(jax.numpy.ones((64, 64))).compile().as_text())
"""


@pytest.mark.parametrize(('flags', 'uses_ynnpack'), [('', False), (f'{NAME}=individual_dot', True)])
def test_the_xla_that_the_project_installs_obeys(flags, uses_ynnpack):
    """Fails where a new jaxlib has no such flag, or has not been tried: then measure again (`docs/speed.md`)."""
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], env=os.environ | {'XLA_FLAGS': flags}, capture_output=True, text=True
    )
    assert done.stdout == f'{uses_ynnpack}\n', done.stderr


@pytest.mark.parametrize(
    ('before', 'after'),
    [
        (None, xla_flags.EIGEN),
        ('--xla_cpu_enable_fast_math=false', f'--xla_cpu_enable_fast_math=false {xla_flags.EIGEN}'),
        (f'{NAME}=dot', f'{NAME}=dot'),
    ],
)
def test_other_flags_stay(before, after, monkeypatch):
    monkeypatch.delenv('XLA_FLAGS')
    if before is not None:
        monkeypatch.setenv('XLA_FLAGS', before)
    xla_flags.use_eigen()
    assert os.environ['XLA_FLAGS'] == after


def test_a_version_that_was_not_tried_gets_no_flag(monkeypatch):
    monkeypatch.setenv('XLA_FLAGS', '')
    monkeypatch.setattr(importlib.metadata, 'version', lambda _: '0.11.0')
    xla_flags.use_eigen()
    assert os.environ['XLA_FLAGS'] == ''

"""The compiled step is kept on disk only if every process makes the same program of it."""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent

_LOWER = """
import hashlib, importlib.util, sys
import jax, numpy as np
from sctrpn_jax.training import train_state as state
from sctrpn_jax.training import train_step as step
spec = importlib.util.spec_from_file_location('tiny_config', sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
config = module.get_config()
config.model.cascade.layers = (5,)
def array(shape, dtype):
    return jax.ShapeDtypeStruct((2, *shape), dtype)
batch = {'template': array((145, 145, 3), np.uint8), 'search': array((455, 455, 3), np.uint8)}
batch |= {name: array((4,), np.float32) for name in ('template_box', 'search_box')}
batch |= {name: array((), bool) for name in ('positive', 'mirrored')} | {'position': array((), np.uint32)}
shapes = jax.eval_shape(lambda: state.create_train_state(config))
for layers in ((), (4, 5)):
    lowered = step.make_train_step(config).lower(shapes, batch, layers=layers, running_norms=False)
    print(hashlib.sha256(lowered.as_text().encode()).hexdigest())
"""


@pytest.mark.all
def test_every_process_makes_the_same_program():
    made = []
    for seed in ('1', '2', '5'):
        command = [sys.executable, '-c', _LOWER, str(HERE / 'tiny_config.py')]
        environment = os.environ | {'PYTHONHASHSEED': seed, 'PYTHONPATH': str(HERE.parents[1])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        made.append(done.stdout.split())
    assert len(made[0]) == 2 and made[0] == made[1] == made[2]

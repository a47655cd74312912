"""What is lowered: flat names, both platforms, no call that jax.export does not promise to keep."""

import pathlib
import re

import jax
import numpy as np
import pytest

from sctrpn_jax.export import lowering
from sctrpn_jax.export.target import Target
from sctrpn_jax.tracking import compiled


def test_names_are_the_paths(network):
    variables, _ = network
    flat = lowering.flatten(variables)
    assert flat['params/backbone/conv1/kernel'] is variables['params']['backbone']['conv1']['kernel']
    assert len(flat) == len(jax.tree.leaves(variables))


@pytest.mark.parametrize('batch', [2, 'symbolic'])
def test_programs_hold_the_live_trackers_state(network, batch):
    variables, config = network
    made = lowering.make_programs(variables, config, Target((64, 48), batch=batch))
    live = compiled.jitted(config)
    frame, box = np.zeros((48, 64, 3), np.uint8), np.float32([1, 2, 30, 20])
    state, _ = jax.eval_shape(live.step, variables, jax.eval_shape(live.init, variables, frame, box), frame)
    expected = {name: (leaf.shape, leaf.dtype) for name, leaf in lowering.flatten(state).items()}
    new_state, output = jax.tree.unflatten(made.step.out_tree, made.step.out_avals)
    for found in (new_state, jax.tree.unflatten(made.template.out_tree, made.template.out_avals)):
        assert {name: (leaf.shape[1:], leaf.dtype) for name, leaf in found.items()} == expected
        assert {str(leaf.shape[0]) for leaf in found.values()} == {'2' if batch == 2 else 'b'}
    assert {name: leaf.shape[1:] for name, leaf in output.items()} == {
        'box': (4,),
        'score': (),
        'hidden': (),
        'region': (3,),
    }
    for program in made:
        assert program.platforms == ('cpu', 'cuda')
        calls = set(re.findall(r'custom_call @(\w+)', program.mlir_module()))
        assert calls <= ({'shape_assertion'} if batch == 'symbolic' else set())
        assert b'contours.py' in program.mlir_module_serialized
        assert str(pathlib.Path(compiled.__file__).parent.parent).encode() not in program.mlir_module_serialized

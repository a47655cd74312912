"""The table of layers counts what a convolution does, and finds every convolution of the search branch."""

import json

import jax
import pytest

from sctrpn_jax.models import sctrpn
from sctrpn_jax.speed import layers
from sctrpn_jax.tracking import look


def test_operations_are_the_compilers_count(network):
    _, config = network
    found = layers.find(config, 159)
    kernels = jax.tree_util.tree_leaves_with_path(sctrpn.init_variables(look.network(config), 0)['params'])
    names = {'/'.join(key.key for key in path[:-1]) for path, _ in kernels if path[-1].key == 'kernel'}
    searched = {name for name in names if 'template_conv' not in name and 'LocalisationNet' not in name}
    assert {layer.name for layer in found} == searched
    for layer in found:
        x = jax.ShapeDtypeStruct(layer.shape, 'float32')
        variables = jax.eval_shape(layer.module.init, jax.random.key(0), x)
        counted = jax.jit(layer.module.apply).lower(variables, x).cost_analysis()['flops']
        _, rows, columns, width = jax.eval_shape(layer.module.apply, variables, x).shape
        bias = rows * columns * width if layer.module.use_bias else 0
        assert layer.operations() == counted - bias, layer.name


def test_every_layer_is_timed_three_ways(network):
    variables, config = network
    measured = layers.measure(variables, config, 0.01)
    json.dumps(measured)
    rows = measured['layers']
    for row in rows.values():
        for run in ('track', 'forward', 'backward'):
            assert 0 < row[run]['of_peak'] and 0 < row[run]['floor_ms'] and 0 < row[run]['ms']
    for name, convolutions in {'backbone/conv1': 1, 'backbone/conv2': 2}.items():  # no gradient by the image
        forward, backward = rows[name]['forward'], rows[name]['backward']
        ratio = (backward['of_peak'] * backward['ms']) / (forward['of_peak'] * forward['ms'])
        assert ratio == pytest.approx(convolutions)
    lines = layers.table(rows).splitlines()
    assert len(lines) == len(rows) + 2 and len({len(line) for line in lines}) == 1

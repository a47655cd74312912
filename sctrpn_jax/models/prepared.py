"""Weights in the form in which the network runs fastest on the machine at hand."""

import functools

import jax.numpy as jnp

from sctrpn_jax import config as config_lib
from sctrpn_jax.kernels import convolution, winograd

# Results along a side of a tile: larger tiles need fewer products, but more numbers of the kernel have to be read.
_TILE = 2
_TILE_OF_CONV2 = 4  # which has the largest map and a small kernel


def prepare(variables: dict, config: config_lib.ModelConfig) -> dict:
    """Variables with which `SCTRPN.search` and `SCTRPN.template` are fastest on this machine, and equal to rounding.

    On a CPU the 3x3 and 5x5 kernels of the search branch are transformed once for `winograd.convolve`.

    Args:
      variables: of the network; already prepared ones are returned unchanged.
      config: the network's.

    Returns:
      The same and, on a CPU, a collection `winograd`; not for training.
    """
    # Its sums lose digits that bfloat16 does not have.
    if not convolution.on_cpu() or config.precision == 'bfloat16' or 'winograd' in variables:
        return variables
    params = variables['params']
    made: dict = {}
    deepest = max(config.cascade.layers)
    groups: dict[tuple[str, ...], int] = {
        ('backbone', f'conv{n}'): config.backbone.groups[n - 1] for n in range(2, deepest + 1)
    }
    for i in range(len(config.cascade.layers)):
        groups |= {(f'stages_{i}', branch, 'search_conv'): 1 for branch in ('classification', 'regression')}
    for path, count in groups.items():
        kernel = functools.reduce(lambda tree, name: tree[name], path, params)['kernel']
        place = functools.reduce(lambda tree, name: tree.setdefault(name, {}), path, made)
        for i, part in enumerate(jnp.split(kernel, count, axis=-1)):
            place[f'group{i}'] = winograd.transform_kernel(part, _TILE_OF_CONV2 if path[-1] == 'conv2' else _TILE)
    return variables | {'winograd': made}

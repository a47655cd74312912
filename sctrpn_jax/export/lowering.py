"""The tracker as two programs over plain dicts of arrays, lowered to StableHLO by `jax.export`.

Plain dicts, so that whoever loads them needs none of this project's classes.
"""

import contextlib
import typing
from collections.abc import Iterator

import chex
import jax
import numpy as np
from jax import export

from sctrpn_jax import config as config_lib
from sctrpn_jax.export import target as target_lib
from sctrpn_jax.tracking import compiled


class Programs(typing.NamedTuple):
    """What tracks B targets, each in frames of its own; B is fixed, or open ('b' in the shapes).

    Attributes:
      template: (weights, frame [B, H, W, 3] uint8 RGB, box [B, 4] float32 top-left form in frame pixels,
        extent [B, 2] int32 (w, h) of each frame inside its zero-padded array) -> state.
      step: (weights, state, frame) -> (state, output); output has the `box` [B, 4], `score` [B], `hidden` [B] and
        `region` [B, 3] of `TrackOutput`.
    """

    template: export.Exported
    step: export.Exported


def flatten(tree: typing.Any) -> dict[str, typing.Any]:
    """A pytree's leaves by their path: {'params/backbone/conv1/kernel': ...}."""
    paths = jax.tree.flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator='/'): leaf for path, leaf in paths}


def make_programs(variables: dict, config: config_lib.Config, target: target_lib.Target) -> Programs:
    """Lowers the tracker of a config.

    Args:
      variables: of `SCTRPN`; only names, shapes and types go into the programs.
      config: the run's.
      target: what they run on.

    Returns:
      `Programs`.

    Raises:
      ValueError: a config that cannot work.
    """
    jitted = compiled.jitted(config)
    size = export.symbolic_shape('b')[0] if target.batch == target_lib.SYMBOLIC else target.batch
    width, height = target.frame_size
    frame = jax.ShapeDtypeStruct((size, height, width, 3), np.uint8)
    box, extent = jax.ShapeDtypeStruct((size, 4), np.float32), jax.ShapeDtypeStruct((size, 2), np.int32)
    specs = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), variables)
    weights, variables_form = flatten(specs), jax.tree.structure(specs)

    init = jax.vmap(jitted.init, in_axes=(None, 0, 0, 0))
    step = jax.vmap(jitted.step, in_axes=(None, 0, 0))
    state_specs = jax.eval_shape(init, specs, frame, box, extent)
    state, state_form = flatten(state_specs), jax.tree.structure(state_specs)

    def from_flat(names: dict, form: jax.tree_util.PyTreeDef, values: dict[str, chex.Array]) -> typing.Any:
        return jax.tree.unflatten(form, [values[name] for name in names])

    def template_program(weights_, frame_, box_, extent_):
        return flatten(init(from_flat(weights, variables_form, weights_), frame_, box_, extent_))

    def step_program(weights_, state_, frame_):
        variables_ = from_flat(weights, variables_form, weights_)
        new, output = step(variables_, from_flat(state, state_form, state_), frame_)
        return flatten(new), flatten(output)

    with _file_names_alone():
        return Programs(
            export.export(jax.jit(template_program), platforms=target.platforms)(weights, frame, box, extent),
            export.export(jax.jit(step_program), platforms=target.platforms)(weights, state, frame),
        )


@contextlib.contextmanager
def _file_names_alone() -> Iterator[None]:
    """Programs name the source of each operation; so the names of this machine's folders are cut off."""
    name = 'jax_hlo_source_file_canonicalization_regex'
    before = getattr(jax.config, name)
    jax.config.update(name, '.*/')
    try:
        yield
    finally:
        jax.config.update(name, before)

"""The tracker as two programs over plain dicts of arrays, lowered to StableHLO by `jax.export`.

Plain dicts, so that whoever loads them needs none of this project's classes.
"""

import contextlib
import typing
from collections.abc import Iterator, Sequence

import chex
import jax
import numpy as np
from jax import export

from sctrpn_jax import config as config_lib
from sctrpn_jax.tracking import tracker as tracker_lib

PLATFORMS = ('cpu', 'cuda')
SYMBOLIC = 'symbolic'


class Programs(typing.NamedTuple):
    """What tracks B targets, each in frames of its own; B is fixed, or open ('b' in the shapes).

    Attributes:
      template: (weights, frame [B, H, W, 3] uint8 RGB, box [B, 4] float32 top-left form in frame pixels,
        extent [B, 2] int32 (w, h) of each frame inside its zero-padded array) -> state.
      step: (weights, state, frame) -> (state, output); output has the `box` [B, 4], `score` [B] and `region` [B, 3]
        of `TrackOutput`.
    """

    template: export.Exported
    step: export.Exported


def flatten(tree: typing.Any) -> dict[str, typing.Any]:
    """A pytree's leaves by their path: {'params/backbone/conv1/kernel': ...}."""
    paths = jax.tree.flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator='/'): leaf for path, leaf in paths}


def make_programs(
    variables: dict,
    config: config_lib.Config,
    frame_size: tuple[int, int],
    platforms: Sequence[str] = PLATFORMS,
    batch: int | str = 1,
) -> Programs:
    """Lowers the tracker of a config.

    Args:
      variables: of `SCTRPN`; only names, shapes and types go into the programs.
      config: the run's.
      frame_size: (width, height) of the largest frame, pixels.
      platforms: some of `PLATFORMS`; the machine needs none of their devices.
      batch: targets at a time, or `SYMBOLIC`: any number.

    Returns:
      `Programs`.

    Raises:
      ValueError: a size, platform, batch or config that cannot work.
    """
    check_settings(frame_size, platforms, batch)
    functions = tracker_lib.functions(config)
    size = export.symbolic_shape('b')[0] if batch == SYMBOLIC else batch
    width, height = frame_size
    frame = jax.ShapeDtypeStruct((size, height, width, 3), np.uint8)
    box, extent = jax.ShapeDtypeStruct((size, 4), np.float32), jax.ShapeDtypeStruct((size, 2), np.int32)
    specs = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), variables)
    weights, variables_form = flatten(specs), jax.tree.structure(specs)

    init = jax.vmap(functions.init, in_axes=(None, 0, 0, 0))
    step = jax.vmap(functions.step, in_axes=(None, 0, 0))
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
            export.export(jax.jit(template_program), platforms=platforms)(weights, frame, box, extent),
            export.export(jax.jit(step_program), platforms=platforms)(weights, state, frame),
        )


@contextlib.contextmanager
def _file_names_alone() -> Iterator[None]:
    """Programs name the source of each operation; the folders of this machine are nobody's business."""
    name = 'jax_hlo_source_file_canonicalization_regex'
    before = getattr(jax.config, name)
    jax.config.update(name, '.*/')
    try:
        yield
    finally:
        jax.config.update(name, before)


def check_settings(frame_size: tuple[int, int], platforms: Sequence[str], batch: int | str) -> None:
    """Raises ValueError for a size, platform or batch that `make_programs` does not take."""
    if min(frame_size) < 1:
        raise ValueError(f'frame_size: got {frame_size[0]}x{frame_size[1]}; width and height must be positive')
    if not platforms or len(set(platforms)) < len(platforms) or not set(platforms) <= set(PLATFORMS):
        raise ValueError(
            f'platforms: got {",".join(platforms) or "none"}; accepted are {", ".join(PLATFORMS)}, once each'
        )
    if batch != SYMBOLIC and not (isinstance(batch, int) and batch > 0):
        raise ValueError(f'batch: got {batch!r}; accepted are a positive whole number and {SYMBOLIC!r}')

"""One step of the tracker (Algorithm 1): the state it keeps, how it begins, how it goes on; pure functions."""

import dataclasses
import typing

import chex
import jax
import jax.numpy as jnp
from flax import struct

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import boxes as boxes_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.models import sctrpn
from sctrpn_jax.tracking import proposals as proposals_lib


@struct.dataclass
class TrackState:
    """All a tracker remembers between frames; frame pixels.

    Attributes:
      template: of `SCTRPN.template`, batch of one.
      centre: [2] of the search region.
      size: [2] (w, h) of the target.
      first_size: [2] given in the first frame.
      fill: [3] colour outside the frame, 0..255.
      extent: [2] int32 (w, h) of the frame, which may be padded to the right and below (`init_state`).
      growth: [] factor on the search region, 1 while the target is found.
      cues: for re-ranking.
    """

    template: typing.Any
    centre: chex.Array
    size: chex.Array
    first_size: chex.Array
    fill: chex.Array
    extent: chex.Array
    growth: chex.Array
    cues: proposals_lib.Cues


@struct.dataclass
class TrackOutput:
    """One frame's result (with a leading [T] where a sequence was tracked).

    Attributes:
      box: [4] top-left form, 0-based frame pixels, always finite and of positive size.
      score: [] confidence: target probability of the chosen proposal, 0..1.
      response_maps: [L, n, n] target probability by stage, or None.
      proposals: `Proposals` in search-crop pixels, or None.
      region: [3] centre x, centre y and side of the search region in frame pixels.
    """

    box: chex.Array
    score: chex.Array
    response_maps: chex.Array | None
    proposals: proposals_lib.Proposals | None
    region: chex.Array


def network(config: config_lib.Config) -> sctrpn.SCTRPN:
    """The network as tracking uses it, its first `track.stages` stages; variables of all stages do."""
    layers = config.model.cascade.layers
    cascade = dataclasses.replace(config.model.cascade, layers=layers[: config.track.stages or len(layers)])
    return sctrpn.SCTRPN(dataclasses.replace(config.model, cascade=cascade))


def search_side(size: chex.Array, growth: chex.Array, config: config_lib.Config) -> chex.Array:
    """Side of the search region: the template's context at the template's scale, times the growth; frame pixels."""
    scale = config.track.search_size / config.model.template_size
    return crop_lib.context_side(size, config.track.context) * scale * growth


def template_target(size: chex.Array, config: config_lib.Config) -> chex.Array:
    """[2] (w, h) of the target in the template crop, pixels, from its size in the first frame, frame pixels."""
    return size * (config.model.template_size / crop_lib.context_side(size, config.track.context))


def init_state(
    variables: dict, frame: chex.Array, box: chex.Array, config: config_lib.Config, extent: chex.Array | None = None
) -> TrackState:
    """Builds the target model from the first frame.

    Args:
      variables: of `SCTRPN`.
      frame: [H, W, 3] uint8 RGB.
      box: [4] top-left form, 0-based frame pixels, positive size.
      config: the run's.
      extent: [2] int32 (w, h) of the frames where the arrays are padded with zeros to the right and below, so that
        sequences of several sizes have one shape; None: they are not.

    Returns:
      State for `track_step`.
    """
    model, c = network(config), config.track
    box = boxes_lib.xywh_to_cxcywh(box.astype(jnp.float32))
    centre, size = box[:2], box[2:]
    if extent is None:
        extent = jnp.asarray([frame.shape[1], frame.shape[0]], jnp.int32)
    # Zeros beside the frame add nothing to the sum.
    fill = frame.astype(jnp.float32).sum((0, 1)) / extent.prod().astype(jnp.float32)
    side = crop_lib.context_side(size, c.context)
    crop = crop_lib.extract(frame, centre, side, config.model.template_size, fill, extent)
    template = model.apply(variables, crop[None], method='template')
    growth = jnp.ones(())
    side = search_side(size, growth, config)
    search = crop_lib.extract(frame, centre, side, c.search_size, fill, extent)
    cues = proposals_lib.first_cues(search, size * c.search_size / side, c)
    return TrackState(template, centre, size, size, fill, extent, growth, cues)


def track_step(
    variables: dict, state: TrackState, frame: chex.Array, config: config_lib.Config, details: bool = False
) -> tuple[TrackState, TrackOutput]:
    """Finds the target in the next frame.

    Args:
      variables: of `SCTRPN`.
      state: of `init_state` or the last call.
      frame: [H, W, 3] uint8 RGB, the size of the first.
      config: the run's.
      details: whether the output holds response maps and proposals.

    Returns:
      New state and `TrackOutput`.
    """
    model, c = network(config), config.track
    side = search_side(state.size, state.growth, config)
    crop = crop_lib.extract(frame, state.centre, side, c.search_size, state.fill, state.extent)
    target = template_target(state.first_size, config)
    outputs = model.apply(variables, state.template, crop[None], target[None], method='search')
    # Weights that overflow must cost the score, never the state: no NaN may enter it.
    logits = jnp.nan_to_num(outputs.logits[0], nan=-100.0, posinf=100.0, neginf=-100.0)
    stage_boxes, mask = jnp.nan_to_num(outputs.boxes[0], nan=c.search_size / 2), outputs.mask[0, -1]
    to_crop = c.search_size / side
    found = proposals_lib.propose(
        jax.nn.sigmoid(logits),
        stage_boxes,
        mask,
        crop,
        state.cues,
        state.first_size * to_crop,
        state.size * to_crop,
        c,
        config.model.anchors.stride,
    )
    best = crop_lib.to_frame(found.best, state.centre, side, c.search_size)
    score, rate = found.scores[0], jnp.clip(found.rate[0] * c.size_rate, 0, 1)
    limits = state.extent.astype(jnp.float32)
    centre = jnp.clip(best[:2], 0, limits)
    size = jnp.clip(state.size * (1 - rate) + best[2:] * rate, c.min_side, jnp.maximum(limits, c.min_side))
    # A low score says the target is not in view: look around the last sure place, in a region that grows.
    lost = score < c.lost_score
    grown = jnp.minimum(state.growth * c.search_growth, c.max_search_growth)
    state = state.replace(
        centre=jnp.where(lost, state.centre, centre),
        size=jnp.where(lost, state.size, size),
        growth=jnp.where(lost, grown, 1.0),
        cues=state.cues.replace(rho_previous=jnp.where(lost, state.cues.rho_previous, found.rho[0])),
    )
    output = TrackOutput(
        box=boxes_lib.cxcywh_to_xywh(jnp.concatenate([centre, size])),
        score=score,
        response_maps=sctrpn.response_maps(logits, c.search_size) if details else None,
        proposals=found if details else None,
        region=jnp.concatenate([state.centre, side[None]]),
    )
    return state, output

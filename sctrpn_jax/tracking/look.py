"""One look at a frame: crop, network, selection. `track_step` decides what the tracker makes of it."""

import dataclasses
import typing

import chex
import jax
import jax.numpy as jnp
from flax import struct

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.models import sctrpn
from sctrpn_jax.tracking import correlation_filter
from sctrpn_jax.tracking import proposals as proposals_lib
from sctrpn_jax.tracking import track_state as state_lib


@struct.dataclass
class Found:
    """What one look at a frame gives.

    Attributes:
      best: [4] the chosen box, centre form, frame pixels.
      score: [] confidence, 0..1: the target probability of the best proposal or, with a correlation filter, its
        geometric mean with the filter's response there.
      rate: [] weight of the new size against the old one, before `track.size_rate`, 0..1.
      rho: [] number of contours that it encloses.
      response_maps: [L, n, n] target probability by stage, or None.
      proposals: `Proposals` in search-crop pixels, or None.
      seen: what the correlation filter learns from; None where it is off.
    """

    best: chex.Array
    score: chex.Array
    rate: chex.Array
    rho: chex.Array
    response_maps: chex.Array | None
    proposals: proposals_lib.Proposals | None
    seen: correlation_filter.Seen | None


def network(config: config_lib.Config) -> sctrpn.SCTRPN:
    """The network as tracking uses it, its first `track.stages` stages; variables of all stages fit."""
    layers = config.model.cascade.layers
    cascade = dataclasses.replace(config.model.cascade, layers=layers[: config.track.stages or len(layers)])
    return sctrpn.SCTRPN(dataclasses.replace(config.model, cascade=cascade))


def search_side(size: chex.Array, search_size: int) -> chex.Array:
    """[] side of the search region, frame pixels: a crop of `search_size` pixels at the template's scale.

    Args:
      size: [2] (w, h) of the target, frame pixels.
      search_size: side of the search crop, pixels.
    """
    return crop_lib.context_side(size) * (search_size / grid.TEMPLATE_SIZE)


def template_target(size: chex.Array) -> chex.Array:
    """[2] (w, h) of the target in the template crop, pixels, from its size in the first frame, frame pixels."""
    return size * (grid.TEMPLATE_SIZE / crop_lib.context_side(size))


def corrected(box: chex.Array, bias: chex.Array) -> chex.Array:
    """A box [4] in centre form, in any pixels, without the `bias` of `first_frame.measure`."""
    size = box[2:] * jnp.exp(-bias[2:])
    return jnp.concatenate([box[:2] - bias[:2] * size, size])


def run_network(
    variables: dict, state: state_lib.TrackState, frame: chex.Array, config: config_lib.Config, search_size: int
) -> tuple[chex.Array, sctrpn.StageOutputs, chex.Array, chex.Array]:
    """The network on the search crop around the state's place.

    Args:
      variables: of `SCTRPN`.
      state: of the tracker.
      frame: [H, W, 3] uint8 RGB.
      config: the run's.
      search_size: side of the search crop, pixels.

    Returns:
      The crop [S, S, 3] float32 0..255, `StageOutputs` of a batch of one, the [k, k, C] map of the backbone's first
      layer, and the [] side of the crop in frame pixels.
    """
    side = search_side(state.size, search_size)
    crop = crop_lib.extract(frame, state.centre, side, search_size, state.fill, state.extent)
    target = template_target(state.first_size)
    outputs: typing.Any
    outputs, kept = network(config).apply(
        variables, state.template, crop[None], target[None], method='search', mutable=['intermediates']
    )
    return crop, outputs, kept['intermediates']['backbone']['first'][0][0], side


def look(
    variables: dict,
    state: state_lib.TrackState,
    frame: chex.Array,
    config: config_lib.Config,
    search_size: int,
    details: bool = False,
) -> Found:
    """The network and the selection on the search crop around the state's place.

    Args:
      variables: of `SCTRPN`.
      state: of the tracker.
      frame: [H, W, 3] uint8 RGB.
      config: the run's.
      search_size: side of the search crop, pixels.
      details: whether response maps and proposals are returned.

    Returns:
      `Found`.
    """
    crop, outputs, first_map, side = run_network(variables, state, frame, config, search_size)
    # Weights that overflow must cost the score, never the state: no NaN may enter it.
    logits = jnp.nan_to_num(outputs.logits[0], nan=-100.0, posinf=100.0, neginf=-100.0)
    stage_boxes, mask = jnp.nan_to_num(outputs.boxes[0], nan=search_size / 2), outputs.mask[0, -1]
    to_crop = search_size / side
    target = proposals_lib.Target(state.cues, state.first_size * to_crop, state.size * to_crop)
    evidence = seen = None
    if state.filter is not None:
        sample = correlation_filter.transform(first_map)
        response = correlation_filter.respond(state.filter, sample)
        centres = jax.vmap(corrected, (0, None))(stage_boxes[-1], state.bias)[:, :2]
        evidence = correlation_filter.evidence(response, centres, search_size)
    found = proposals_lib.propose(
        jax.nn.sigmoid(logits), stage_boxes, mask, crop, target, config.track, evidence=evidence
    )
    score, rate, rho, maps = found.scores[0], found.rate[0], found.rho[0], None
    if state.filter is not None:
        peak, height = correlation_filter.peak_near(response, corrected(found.best, state.bias), search_size)
        if border := (first_map.shape[0] - state.filter.taps.shape[1]) // 2:
            sample = correlation_filter.transform(first_map[border:-border, border:-border])
        seen = correlation_filter.Seen(sample, peak - search_size / 2)
        score = jnp.sqrt(score * jnp.minimum(height, 1))
    best = crop_lib.to_frame(found.best, state.centre, side, search_size)
    if details:
        beyond = (search_size - config.track.search_size) // 2
        cells = beyond // grid.STRIDE
        maps = sctrpn.response_maps(logits, search_size)
        maps = maps[:, cells : maps.shape[1] - cells, cells : maps.shape[2] - cells]
        shift = jnp.array([beyond, beyond, 0, 0], jnp.float32)
        found = dataclasses.replace(found, best=found.best - shift, boxes=found.boxes - shift[None])
    return Found(best, score, rate, rho, maps, found if details else None, seen)

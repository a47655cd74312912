"""One step of the tracker (Algorithm 1): how its state begins and how it goes on; pure functions."""

import dataclasses

import chex
import jax.numpy as jnp

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import boxes as boxes_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.tracking import correlation_filter, first_frame, recovery
from sctrpn_jax.tracking import look as look_lib
from sctrpn_jax.tracking import proposals as proposals_lib
from sctrpn_jax.tracking.track_state import TrackOutput, TrackState

MIN_SIDE = 4.0  # frame pixels: the target never gets smaller, or its search region would vanish


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
    box = boxes_lib.xywh_to_cxcywh(box.astype(jnp.float32))
    centre, size = box[:2], box[2:]
    if extent is None:
        extent = jnp.asarray([frame.shape[1], frame.shape[0]], jnp.int32)
    # Zeros beside the frame add nothing to the sum.
    fill = frame.astype(jnp.float32).sum((0, 1)) / extent.prod().astype(jnp.float32)
    crop = crop_lib.extract(frame, centre, crop_lib.context_side(size), grid.TEMPLATE_SIZE, fill, extent)
    template = look_lib.network(config).apply(variables, crop[None], method='template')
    search_size = config.track.search_size
    side = look_lib.search_side(size, search_size)
    search = crop_lib.extract(frame, centre, side, search_size, fill, extent)
    cues = proposals_lib.first_cues(search, size * search_size / side, config.track)
    state = TrackState(
        template, centre, size, size, fill, extent, jnp.zeros((), bool), jnp.zeros(()), jnp.zeros(4), cues
    )
    if config.track.filter_exponent:
        *_, first_map, _ = look_lib.run_network(variables, state, frame, config, search_size)
        state = dataclasses.replace(state, filter=correlation_filter.learn(first_map, size * search_size / side))
    if config.track.first_frame.correction or config.track.recovery.score:
        bias, usual = first_frame.measure(variables, state, frame, config)
        state = dataclasses.replace(state, bias=bias, usual=usual)
    return state


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
      New state and `TrackOutput`; where the target is hidden (`recovery`), its size stays as it was.
    """
    c = config.track
    found = recovery.look(variables, state, frame, config, details)
    best = look_lib.corrected(found.best, state.bias)
    rate = jnp.clip(found.rate * c.size_rate, 0, 1)
    limits = state.extent.astype(jnp.float32)
    centre = best[:2]
    if found.seen is not None:
        peak = state.centre + found.seen.peak * look_lib.search_side(state.size, c.search_size) / c.search_size
        centre = centre + correlation_filter.TO_PEAK * (peak - centre)
    centre = jnp.clip(centre, 0, limits)
    size = jnp.clip(state.size * (1 - rate) + best[2:] * rate, MIN_SIDE, jnp.maximum(limits, MIN_SIDE))
    cues = dataclasses.replace(state.cues, rho_previous=found.rho)
    after = dataclasses.replace(state, centre=centre, size=size, cues=cues)
    if state.filter is not None and found.seen is not None:
        in_crop = size * c.search_size / look_lib.search_side(state.size, c.search_size)
        learned = correlation_filter.update(state.filter, found.seen, in_crop)
        after = dataclasses.replace(after, filter=learned)
    after = recovery.hold_if_hidden(state, after, found.score, config)
    output = TrackOutput(
        box=boxes_lib.cxcywh_to_xywh(jnp.concatenate([after.centre, after.size])),
        score=recovery.confidence(found.score, after.usual, config),
        hidden=after.hidden,
        response_maps=found.response_maps,
        proposals=found.proposals,
        region=jnp.concatenate([state.centre, look_lib.search_side(state.size, c.search_size)[None]]),
    )
    return after, output

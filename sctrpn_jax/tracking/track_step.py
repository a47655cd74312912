"""One step of the tracker (Algorithm 1): the state it keeps, how it begins, how it goes on; pure functions."""

import dataclasses
import functools
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
      lost: [] bool: the last score was below `track.lost_score`.
      bias: [4] mean error of the boxes found in the first frame: of the centre in target sizes, of the logarithm of
        the size (`track.calibrate`).
      cues: for re-ranking.
    """

    template: typing.Any
    centre: chex.Array
    size: chex.Array
    first_size: chex.Array
    fill: chex.Array
    extent: chex.Array
    lost: chex.Array
    bias: chex.Array
    cues: proposals_lib.Cues


@struct.dataclass
class TrackOutput:
    """One frame's result (with a leading [T] where a sequence was tracked).

    Attributes:
      box: [4] top-left form, 0-based frame pixels, always finite and of positive size.
      score: [] confidence: target probability of the chosen proposal, 0..1.
      response_maps: [L, n, n] target probability by stage, or None.
      proposals: `Proposals` in search-crop pixels, as the network gives them (`track.calibrate` is not in), or None.
      region: [3] centre x, centre y and side of the search region in frame pixels. Where a lost target was looked for
        farther away (`track.lost_search_size`), region and maps are the middle of it, and proposals may lie outside.
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


def search_side(size: chex.Array, config: config_lib.Config, search_size: int | None = None) -> chex.Array:
    """[] side of the search region in frame pixels: the template's scale over a crop of `search_size` pixels.

    Args:
      size: [2] (w, h) of the target, frame pixels.
      config: the run's.
      search_size: None: `track.search_size`.
    """
    scale = (search_size or config.track.search_size) / config.model.template_size
    return crop_lib.context_side(size, config.track.context) * scale


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
    side = search_side(size, config)
    search = crop_lib.extract(frame, centre, side, c.search_size, fill, extent)
    cues = proposals_lib.first_cues(search, size * c.search_size / side, c)
    state = TrackState(template, centre, size, size, fill, extent, jnp.zeros((), bool), jnp.zeros(4), cues)
    return state.replace(bias=_first_frame_bias(variables, state, frame, config)) if c.calibrate else state


@struct.dataclass
class _Found:
    """What one look at a frame gives; best [4] in centre form and frame pixels, the rest as in the outputs."""

    best: chex.Array
    score: chex.Array
    rate: chex.Array
    rho: chex.Array
    response_maps: chex.Array | None
    proposals: proposals_lib.Proposals | None


def _look(
    variables: dict,
    state: TrackState,
    frame: chex.Array,
    config: config_lib.Config,
    search_size: int,
    details: bool,
) -> _Found:
    """The network and the selection on a search crop of `search_size` pixels around the state's place."""
    model, c = network(config), config.track
    side = search_side(state.size, config, search_size)
    crop = crop_lib.extract(frame, state.centre, side, search_size, state.fill, state.extent)
    target = template_target(state.first_size, config)
    outputs = model.apply(variables, state.template, crop[None], target[None], method='search')
    # Weights that overflow must cost the score, never the state: no NaN may enter it.
    logits = jnp.nan_to_num(outputs.logits[0], nan=-100.0, posinf=100.0, neginf=-100.0)
    stage_boxes, mask = jnp.nan_to_num(outputs.boxes[0], nan=search_size / 2), outputs.mask[0, -1]
    to_crop = search_size / side
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
    best = crop_lib.to_frame(found.best, state.centre, side, search_size)
    score, rate, rho, maps = found.scores[0], found.rate[0], found.rho[0], None
    if details:
        beyond = (search_size - c.search_size) // 2
        cells = beyond // config.model.anchors.stride
        maps = sctrpn.response_maps(logits, search_size)
        maps = maps[:, cells : maps.shape[1] - cells, cells : maps.shape[2] - cells]
        shift = jnp.array([beyond, beyond, 0, 0], jnp.float32)
        found = found.replace(best=found.best - shift, boxes=found.boxes - shift[None])
    return _Found(best, score, rate, rho, maps, found if details else None)


# Where the first frame is looked at, as if the target had moved or changed: shift in target sizes, size expected over
# true size. In pairs of opposites, so that a response to changes that is too weak cancels out.
_VIEWS = ((0, 0, 1), (-0.2, -0.2, 1.1), (0.2, 0.2, 1.1), (-0.2, 0.2, 0.91), (0.2, -0.2, 0.91))
# A correction beyond this (half a target, or a factor of 1.65) is more likely a failure than a bias.
_MOST_BIAS = 0.5


def _first_frame_bias(variables: dict, state: TrackState, frame: chex.Array, config: config_lib.Config) -> chex.Array:
    """[4] as in `TrackState`: what the network's boxes of this target are off where the truth is known.

    A box around a part of an object, or with a margin, is found as the object that the network was trained on.
    """
    truth = jnp.concatenate([state.centre, state.size])

    def look(view):
        there = state.replace(centre=state.centre + view[:2] * state.size, size=state.size * view[2])
        best = _look(variables, there, frame, config, config.track.search_size, False).best
        error = jnp.concatenate([(best[:2] - truth[:2]) / truth[2:], jnp.log(best[2:] / truth[2:])])
        return error, boxes_lib.iou(best[None], truth[None])[0] > 0.3  # below: another thing was found

    errors, held = jax.lax.map(look, jnp.array(_VIEWS))
    mean = jnp.where(held[:, None], errors, 0).sum(0) / jnp.maximum(held.sum(), 1).astype(jnp.float32)
    return jnp.clip(config.track.calibrate * mean, -_MOST_BIAS, _MOST_BIAS)


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
    c = config.track

    look = functools.partial(_look, config=config, details=details)
    near = functools.partial(look, search_size=c.search_size)
    if c.lost_search_size:
        # Farther away at the same scale, which is the one that the network measures best (DaSiamRPN, ECCV 2018).
        far = functools.partial(look, search_size=c.lost_search_size)
        found = jax.lax.cond(state.lost, far, near, variables, state, frame)
    else:
        found = near(variables, state, frame)
    rate = jnp.clip(found.rate * c.size_rate, 0, 1)
    limits = state.extent.astype(jnp.float32)
    best_size = found.best[2:] * jnp.exp(-state.bias[2:])
    centre = jnp.clip(found.best[:2] - state.bias[:2] * best_size, 0, limits)
    size = jnp.clip(state.size * (1 - rate) + best_size * rate, c.min_side, jnp.maximum(limits, c.min_side))
    region = jnp.concatenate([state.centre, search_side(state.size, config)[None]])
    # A low score says the target is not in view: look around the last sure place next time.
    lost = found.score < c.lost_score
    state = state.replace(
        centre=jnp.where(lost, state.centre, centre),
        size=jnp.where(lost, state.size, size),
        lost=lost,
        cues=state.cues.replace(rho_previous=jnp.where(lost, state.cues.rho_previous, found.rho)),
    )
    output = TrackOutput(
        box=boxes_lib.cxcywh_to_xywh(jnp.concatenate([centre, size])),
        score=found.score,
        response_maps=found.response_maps,
        proposals=found.proposals,
        region=region,
    )
    return state, output

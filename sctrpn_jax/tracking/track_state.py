"""What a tracker remembers from frame to frame, and what it says of each."""

import typing

import chex
from flax import struct

from sctrpn_jax.tracking import correlation_filter
from sctrpn_jax.tracking import proposals as proposals_lib


@struct.dataclass
class TrackState:
    """All that a tracker remembers between frames; frame pixels.

    Attributes:
      template: of `SCTRPN.template`, batch of one.
      centre: [2] of the search region.
      size: [2] (w, h) of the target.
      first_size: [2] given in the first frame.
      fill: [3] colour outside the frame, 0..255.
      extent: [2] int32 (w, h) of the frame, which may be padded to the right and below (`track_step.init_state`).
      hidden: [] bool: of the last frame (`recovery`).
      usual: [] running mean of the score, 0..1.
      bias: [4] mean error of the boxes found in the first frame (`first_frame.measure`); zeros where it is off.
      cues: of the target, for re-ranking.
      filter: what is learned from the video (`correlation_filter`); None where it is off.
    """

    template: typing.Any
    centre: chex.Array
    size: chex.Array
    first_size: chex.Array
    fill: chex.Array
    extent: chex.Array
    hidden: chex.Array
    usual: chex.Array
    bias: chex.Array
    cues: proposals_lib.Cues
    filter: correlation_filter.CorrelationFilter | None = None


@struct.dataclass
class TrackOutput:
    """One frame's result (with a leading [T] where a sequence was tracked).

    Attributes:
      box: [4] top-left form, 0-based frame pixels, always finite and of positive size.
      score: [] confidence, 0..1 (`recovery.confidence`).
      hidden: [] bool: the target is taken to be hidden, wholly or for the most part (`recovery`).
      response_maps: [L, n, n] target probability by stage, or None.
      proposals: `Proposals` in search-crop pixels, as the network gives them (before `track.first_frame`), or None.
      region: [3] centre x, centre y and side of the search region in frame pixels. Where a lost target was looked for
        farther away (`track.recovery`), region and maps are the middle of it, and proposals may lie outside.
    """

    box: chex.Array
    score: chex.Array
    hidden: chex.Array
    response_maps: chex.Array | None
    proposals: proposals_lib.Proposals | None
    region: chex.Array

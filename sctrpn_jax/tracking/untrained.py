"""Tracking without training: plain matching of frozen backbone features, which a trained network must beat.

The first frame's features inside the target are slid over the search region; the peak is the new centre, the size stays
that of the first frame. On the 20 DAVIS validation sequences (one-tower ImageNet weights) the mask is what counts:
success 0.577 with it, 0.512 without (conv3); cosine or plain product 0.577 / 0.571; with or without the layer's ReLU
0.556 / 0.539 (conv5).
"""

import dataclasses
import functools
import typing
from collections.abc import Callable, Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from sctrpn_jax.geometry import boxes as boxes_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.models import matching
from sctrpn_jax.tracking import inputs

UPSAMPLING = 8  # response samples per cell


@struct.dataclass
class State:
    """What the correlation tracker remembers; frame pixels.

    Attributes:
      template: [n, n, C] features of the first frame.
      mask: [n, n] share of each cell inside the target, 0..1.
      centre: [2] of the target.
      size: [2] (w, h) of the target, as given.
      fill: [3] colour outside the frame, 0..255.
    """

    template: chex.Array
    mask: chex.Array
    centre: chex.Array
    size: chex.Array
    fill: chex.Array


@struct.dataclass
class Output:
    """One frame's result: box [4] xywh, 0-based frame pixels; score [] cosine of the match at the peak, 0..1."""

    box: chex.Array
    score: chex.Array


def init_state(features: Callable[[chex.Array], chex.Array], frame: chex.Array, box: chex.Array) -> State:
    """Remembers the target.

    Args:
      features: [1, S, S, 3] crop, 0..255 RGB -> [1, n, n, C], cells of `grid.STRIDE` pixels around the crop's centre.
      frame: [H, W, 3] uint8 RGB.
      box: [4] xywh, 0-based frame pixels, positive size.

    Returns:
      State for `track_step`.
    """
    box = boxes_lib.xywh_to_cxcywh(box.astype(jnp.float32))
    centre, size = box[:2], box[2:]
    fill = frame.astype(jnp.float32).mean((0, 1))
    side = crop_lib.context_side(size)
    template = features(crop_lib.extract(frame, centre, side, grid.TEMPLATE_SIZE, fill)[None])[0]
    mask = matching.target_mask((size * grid.TEMPLATE_SIZE / side)[None], template.shape[0])[0]
    return State(template, mask, centre, size, fill)


def track_step(
    features: Callable[[chex.Array], chex.Array],
    state: State,
    frame: chex.Array,
    window: float = 0.35,
    search_size: int = 255,
) -> tuple[State, chex.Array, chex.Array]:
    """Finds the target in the next frame.

    Args:
      features: as `init_state`'s.
      state: of `init_state` or the last call.
      frame: [H, W, 3] uint8 RGB.
      window: weight of the cosine window against the response scaled to 0..1, after upsampling.
      search_size: side of the search crop, pixels.

    Returns:
      New state, box [4] xywh in frame pixels, score [] (the cosine at the chosen place).
    """
    side = crop_lib.context_side(state.size) * search_size / grid.TEMPLATE_SIZE
    search = features(crop_lib.extract(frame, state.centre, side, search_size, state.fill)[None])[0]
    response = matching.cosine(state.template[None], state.mask[None], search[None])[0]
    fine = response.shape[0] * UPSAMPLING
    response = jax.image.resize(response, (fine, fine), 'cubic')
    low, high = response.min(), response.max()
    scaled = (response - low) / jnp.maximum(high - low, 1e-9)
    hann = jnp.asarray(np.hanning(fine), jnp.float32)
    best = jnp.argmax((1 - window) * scaled + window * hann[:, None] * hann[None, :])
    row, column = jnp.unravel_index(best, response.shape)
    shift = (jnp.stack([column, row]).astype(jnp.float32) - (fine - 1) / 2) * grid.STRIDE / UPSAMPLING
    centre = state.centre + shift * side / search_size
    centre = jnp.clip(centre, 0, jnp.asarray([frame.shape[1], frame.shape[0]], jnp.float32))
    box = boxes_lib.cxcywh_to_xywh(jnp.concatenate([centre, state.size]))
    return dataclasses.replace(state, centre=centre), box, response[row, column]


@dataclasses.dataclass(eq=False)
class CorrelationTracker:
    """The same interface as `tracker.Tracker`, over `init_state` and `track_step`; compiles once per frame size.

    Attributes:
      apply: (variables, [1, S, S, 3]) -> [1, n, n, C], as `init_state`'s features.
      variables: of the backbone.
      window: as `track_step`.
    """

    apply: Callable[[typing.Any, chex.Array], chex.Array]
    variables: typing.Any
    window: float = 0.35

    def __post_init__(self):
        def init(variables, frame, box):
            return init_state(functools.partial(self.apply, variables), frame, box)

        def step(variables, state, frame):
            return track_step(functools.partial(self.apply, variables), state, frame, self.window)

        self._init, self._step, self._state = jax.jit(init), jax.jit(step), None

    def init(self, frame: np.ndarray, box: Sequence[float] | np.ndarray) -> None:
        """Starts on a target.

        Args:
          frame: [H, W, 3] uint8 RGB.
          box: x, y, w, h; top-left form, 0-based pixels.

        Raises:
          ValueError: a bad frame or box.
        """
        frame = inputs.check_frame(frame)
        box = inputs.check_box(box, frame.shape[1], frame.shape[0])
        self._state = self._init(self.variables, frame, box)

    def update(self, frame: np.ndarray) -> Output:
        """Box and score in the next frame, as NumPy arrays.

        Raises:
          ValueError: a bad frame, or no `init` before.
        """
        if self._state is None:
            raise ValueError('update: call init(frame, box) first')
        self._state, box, score = self._step(self.variables, self._state, inputs.check_frame(frame))
        return Output(np.asarray(box), np.asarray(score))

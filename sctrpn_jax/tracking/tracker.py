"""What users call: `track_sequence` over a whole video, and `Tracker` for live frames.

Both run the same step (`tracking/track_step.py`), compiled into two programs, so their boxes agree up to rounding:
`tests/tracking/test_tracker.py` holds them to 0.001 pixels.
"""

import dataclasses
import typing

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.tracking import compiled, inputs
from sctrpn_jax.tracking.track_state import TrackOutput


def track_sequence(
    variables: dict, frames: chex.Array, box: chex.Array, config: config_lib.Config, details: bool = False
) -> TrackOutput:
    """Tracks a whole sequence as one compiled scan; `jax.vmap` over frames and box tracks many at once.

    Args:
      variables: of `SCTRPN`.
      frames: [T, H, W, 3] uint8 RGB.
      box: [4] target in the first frame, top-left form, 0-based pixels.
      config: the run's.
      details: return response maps and proposals too.

    Returns:
      `TrackOutput` with box [T, 4] and score [T], the first being the given box with score 1; response maps,
      proposals and regions have T - 1 rows, for frames 1 on.
    """
    return compiled.jitted(config, details).sequence(variables, frames, jnp.asarray(box))


@dataclasses.dataclass
class Tracker:
    """Follows one object in live frames.

    Attributes:
      variables: of `SCTRPN`.
      config: the run's.
      details: keep response maps and proposals in each output.
    """

    variables: dict
    config: config_lib.Config
    details: bool = False

    def __post_init__(self):
        self._compiled = compiled.CompiledTracker(self.variables, self.config, self.details)
        self._state: typing.Any = None
        self._shape: tuple[int, ...] = ()

    def init(self, frame: np.ndarray, box: typing.Sequence[float] | np.ndarray) -> None:
        """Starts on a target.

        Args:
          frame: [H, W, 3] uint8 RGB (grey and RGBA are converted).
          box: x, y, w, h; top-left form, 0-based pixels.

        Raises:
          ValueError: a bad frame or box.
        """
        frame = inputs.check_frame(frame)
        box = inputs.check_box(box, frame.shape[1], frame.shape[0])
        self._shape = frame.shape
        self._state = self._compiled.init(frame, box)

    def update(self, frame: np.ndarray) -> TrackOutput:
        """Finds the target in the next frame.

        Args:
          frame: [H, W, 3] uint8 RGB, of the first frame's size.

        Returns:
          `TrackOutput` of NumPy arrays.

        Raises:
          ValueError: a bad frame, another size, or no `init` before.
        """
        if self._state is None:
            raise ValueError('update: call init(frame, box) first')
        frame = inputs.check_frame(frame)
        if frame.shape != self._shape:
            raise ValueError(f'frame: got {frame.shape[:2]}, the first was {self._shape[:2]} (height, width)')
        self._state, packed, rest = self._compiled.live(self._state, frame)
        packed, (maps, proposals) = jax.device_get((packed, rest))
        return TrackOutput(packed[:4], packed[4], packed[5] > 0, maps, proposals, packed[6:])

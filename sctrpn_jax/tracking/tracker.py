"""The tracker as compiled programs: `functions`, `track_sequence` as one scan, a thin live `Tracker`.

All run the same step (`tracking/track_step.py`), so a live tracker and a scan over the video give the same boxes.
"""

import dataclasses
import functools
import json
import typing

import chex
import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_check
from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import sctrpn
from sctrpn_jax.tracking import inputs
from sctrpn_jax.tracking.track_step import TrackOutput, TrackState, init_state, network, track_step

__all__ = [
    'Functions',
    'TrackOutput',
    'TrackState',
    'Tracker',
    'functions',
    'init_state',
    'over_sequences',
    'track_sequence',
    'track_step',
]


class Functions(typing.NamedTuple):
    """The compiled entry points of one config; each compiles once a frame size (and chunk length).

    `step`, `chunk` and `live` take the state's memory for the new one (donation): only the state they return is good
    afterwards.
    """

    prepare: typing.Callable
    init: typing.Callable
    step: typing.Callable
    chunk: typing.Callable
    sequence: typing.Callable
    live: typing.Callable


def over_sequences(function: typing.Callable) -> typing.Callable:
    """A function of (variables, state, ...) for B sequences: every argument but the variables has a leading [B].

    `jax.vmap`, except on a CPU: its cache holds the maps of one sequence, not of a batch, so that one after the other
    in one program takes half the time.
    """
    if convolution.on_cpu():
        return lambda variables, *rest: jax.lax.map(lambda one: function(variables, *one), rest)
    return lambda variables, *rest: jax.vmap(function, in_axes=(None, *[0] * len(rest)))(variables, *rest)


def functions(config: config_lib.Config, details: bool = False) -> Functions:
    """Jitted entry points of a config, cached by the fields that tracking reads.

    Args:
      config: the run's.
      details: whether outputs hold response maps and proposals.

    Returns:
      `prepare(variables)` gives variables with which the others are fastest (`sctrpn.prepare`; they take plain ones
      too); `init(variables, frame, box[, extent])`, `step(variables, state, frame)`, `chunk(variables, state, frames)`,
      `sequence(variables, frames, box)`; `live(variables, state, frame)` gives the state, [8] box, score and region in
      one array (one transfer to the host), and the rest of the output.

    Raises:
      ValueError: a field with a value that cannot work.
    """
    kept = config_lib.to_dict(config_check.check(config))
    key = json.dumps({name: kept[name] for name in ('model', 'track')}, sort_keys=True)
    return _functions(key, details)


@functools.lru_cache(maxsize=32)
def _functions(key: str, details: bool) -> Functions:
    config = config_lib.from_dict(json.loads(key))

    def prepare(variables):
        return sctrpn.prepare(variables, network(config).config)

    def init(variables, frame, box, extent=None):
        return init_state(variables, frame, box, config, extent)

    def step(variables, state, frame):
        return track_step(variables, state, frame, config, details)

    def chunk(variables, state, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), state, frames)

    def sequence(variables, frames, box):
        variables = prepare(variables)
        _, rest = chunk(variables, init(variables, frames[0], box), frames[1:])
        box = box.astype(jnp.float32)
        return rest.replace(
            box=jnp.concatenate([box[None], rest.box]), score=jnp.concatenate([jnp.ones(1), rest.score])
        )

    def live(variables, state, frame):
        state, output = step(variables, state, frame)
        packed = jnp.concatenate([output.box, output.score[None], output.region])
        return state, packed, (output.response_maps, output.proposals)

    step_like = (jax.jit(function, donate_argnums=1) for function in (step, chunk))
    return Functions(jax.jit(prepare), jax.jit(init), *step_like, jax.jit(sequence), jax.jit(live, donate_argnums=1))


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
    return functions(config, details).sequence(variables, frames, jnp.asarray(box))


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
        self._functions = functions(self.config, self.details)
        self._variables = self._functions.prepare(self.variables)
        self._state, self._shape = None, None

    def init(self, frame: np.ndarray, box: typing.Sequence[float]) -> None:
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
        self._state = self._functions.init(self._variables, frame, box)

    def update(self, frame: np.ndarray) -> TrackOutput:
        """Finds the target in the next frame.

        Args:
          frame: as `init`'s, of the same size.

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
        self._state, packed, rest = self._functions.live(self._variables, self._state, frame)
        packed, (maps, proposals) = jax.device_get((packed, rest))
        return TrackOutput(packed[:4], packed[4], maps, proposals, packed[5:])

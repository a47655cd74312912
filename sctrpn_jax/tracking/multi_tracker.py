"""Several objects in one video, in one compiled program: `MultiTracker`."""

import dataclasses
import typing

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.tracking import compiled, inputs
from sctrpn_jax.tracking.track_state import TrackOutput

_put = jax.jit(
    lambda states, state, slot: jax.tree.map(lambda every, one: every.at[slot].set(one), states, state),
    donate_argnums=0,
)


@dataclasses.dataclass
class MultiTracker:
    """Follows several objects in live frames; each may start, and end, in a frame of its own.

        tracker = MultiTracker(*load_pretrained('sctrpn_lite'), slots=2)
        tracker.start('left', frames[0], (x, y, w, h))
        tracker.start('right', frames[0], (x, y, w, h))
        for frame in frames[1:]:
            for name, output in tracker.update(frame).items():
                print(name, output.box, output.score)

    The boxes are those of a `Tracker` for each target, up to rounding. On a CPU the targets come one after the other,
    on an accelerator they are one batch.

    Attributes:
      variables: of `SCTRPN`.
      config: the run's.
      slots: targets that the program has room for. It compiles once for this number, whenever targets start; when one
        more starts than there is room for, the number doubles, and it compiles again.
      details: keep response maps and proposals in each output.
    """

    variables: dict
    config: config_lib.Config
    slots: int = 1
    details: bool = False

    def __post_init__(self):
        if self.slots < 1:
            raise ValueError(f'slots: got {self.slots}; accepted is 1 or more')
        self._compiled = compiled.CompiledTracker(self.variables, self.config, self.details)
        self._states: typing.Any = None
        self._slot_of: dict[typing.Hashable, int] = {}
        self._shape: tuple[int, ...] = ()

    @property
    def targets(self) -> tuple[typing.Hashable, ...]:
        """Names of the targets that are followed, in the order in which they first started."""
        return tuple(self._slot_of)

    def start(self, target: typing.Hashable, frame: np.ndarray, box: typing.Sequence[float] | np.ndarray) -> None:
        """Follows a target from a frame on; one that is followed already starts anew there.

        Args:
          target: its name, a string or a number.
          frame: [H, W, 3] uint8 RGB (grey and RGBA are converted), of the size of the frames so far.
          box: x, y, w, h; top-left form, 0-based pixels.

        Raises:
          ValueError: a bad frame or box.
        """
        frame = self._checked(frame)
        box = inputs.check_box(box, frame.shape[1], frame.shape[0])
        slot = self._slot_of.get(target)
        if slot is None:
            if len(self._slot_of) == self.slots:
                self._double()
            slot = min(set(range(self.slots)) - set(self._slot_of.values()))
        state = self._compiled.init(frame, box)
        self._states = _put(self._all_states(state), state, slot)
        self._slot_of[target] = slot

    def stop(self, target: typing.Hashable) -> None:
        """No longer follows a target.

        Raises:
          ValueError: none of that name is followed.
        """
        if target not in self._slot_of:
            raise ValueError(f'stop: no target {target!r}; there are {list(self._slot_of)}')
        del self._slot_of[target]

    def update(self, frame: np.ndarray) -> dict[typing.Hashable, TrackOutput]:
        """Finds every target in the next frame.

        Args:
          frame: [H, W, 3] uint8 RGB, of the size of the frames so far.

        Returns:
          By target, `TrackOutput` of NumPy arrays.

        Raises:
          ValueError: a bad frame, or another size.
        """
        return self.update_many(self._checked(frame)[None])[0]

    def update_many(
        self, frames: np.ndarray, begin: int = 0, end: int | None = None
    ) -> list[dict[typing.Hashable, TrackOutput]]:
        """Finds every target in the next frames, in one call of the program, which compiles once for each T.

        Args:
          frames: [T, H, W, 3] uint8 RGB, of the size of the frames so far.
          begin: the first of them to look at.
          end: the one after the last to look at; None: T.

        Returns:
          For each of the frames from `begin` to `end`, what `update` returns.

        Raises:
          ValueError: frames of another size.
        """
        end = len(frames) if end is None else end
        self._checked(frames[0])
        if not self._slot_of:
            return [{} for _ in range(begin, end)]
        active = np.zeros((len(frames), self.slots), bool)
        active[begin:end, list(self._slot_of.values())] = True
        output = jax.device_get(self._run(frames, active))
        return [
            {target: jax.tree.map(lambda leaf: leaf[t, slot], output) for target, slot in self._slot_of.items()}  # noqa: B023
            for t in range(begin, end)
        ]

    def compile(self, frame: np.ndarray, length: int = 1) -> None:
        """Compiles now what frames of this size need, so that no later call waits for it.

        Args:
          frame: [H, W, 3] uint8 RGB.
          length: of `update_many`'s frames.
        """
        frame = self._checked(frame)
        height, width = frame.shape[:2]
        state = self._compiled.init(frame, np.array([0, 0, width, height], np.float32))
        self._states = self._all_states(state)
        self._run(np.stack([frame] * length), np.zeros((length, self.slots), bool))

    def _run(self, frames: np.ndarray, active: np.ndarray) -> TrackOutput:
        """Of the program, with a leading [T, slots]."""
        self._states, output = self._compiled.jitted.targets(self._compiled.variables, self._states, frames, active)
        return output

    def _all_states(self, state: typing.Any) -> typing.Any:
        """States of every slot; before there are any, copies of one, which no slot reads."""
        if self._states is not None:
            return self._states
        return jax.tree.map(lambda leaf: jnp.stack([leaf] * self.slots), state)

    def _double(self) -> None:
        if self._states is not None:
            self._states = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), self._states)
        self.slots *= 2

    def _checked(self, frame: np.ndarray) -> np.ndarray:
        frame = inputs.check_frame(frame)
        if self._slot_of and frame.shape != self._shape:
            raise ValueError(f'frame: got {frame.shape[:2]}, the first was {self._shape[:2]} (height, width)')
        self._shape = frame.shape
        return frame

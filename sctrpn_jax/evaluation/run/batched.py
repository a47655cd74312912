"""Many sequences tracked together: one compiled step over B of them, whatever their sizes and lengths.

Frames are padded to a few shapes, and a sequence that ends leaves its place to the next, so nothing is compiled twice
and no place stays empty. Each sequence gets the boxes that it would get alone, up to rounding.
"""

import concurrent.futures
import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import compiled

SHAPE_STEP = 256  # frames are padded to multiples of it, pixels: a handful of shapes for a benchmark


@dataclasses.dataclass
class _Place:
    """A sequence under way: which, its frames' height and width, the next one, and what was tracked."""

    sequence: sequences_lib.Sequence
    size: tuple[int, int]
    frame: int
    boxes: list[np.ndarray]
    scores: list[np.ndarray]
    seconds: float = 0.0


def padded_shape(height: int, width: int) -> tuple[int, int]:
    """Shape that a frame of that size is padded to, pixels."""
    return -(-height // SHAPE_STEP) * SHAPE_STEP, -(-width // SHAPE_STEP) * SHAPE_STEP


def pad(frame: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """[H, W, 3] uint8 with zeros to the right and below, up to a shape."""
    padded = np.zeros((*shape, 3), np.uint8)
    padded[: frame.shape[0], : frame.shape[1]] = frame
    return padded


class BatchedTracker:
    """Tracks lists of sequences, B at a time.

    Args:
      variables: of `SCTRPN`.
      config: the run's.
      batch_size: B.
      chunk: frames of each sequence between two looks at the host.

    Attributes:
      compilations: how many programs were compiled, three per padded shape.
    """

    def __init__(self, variables: dict, config: config_lib.Config, batch_size: int, chunk: int = 8):
        self._batch_size, self._chunk = batch_size, chunk
        self._tracker = compiled.CompiledTracker(variables, config)
        self._step = jax.jit(compiled.over_sequences(self._tracker.jitted.chunk), donate_argnums=1)
        self._place = jax.jit(
            lambda states, index, state: jax.tree.map(lambda all_, one: all_.at[index].set(one), states, state),
            donate_argnums=0,
        )
        self._shapes: set[tuple[int, int]] = set()

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return self._step._cache_size() + self._place._cache_size() + len(self._shapes)

    def track(
        self,
        sequences: Sequence[sequences_lib.Sequence],
        done: Callable[[sequences_lib.Sequence, np.ndarray, np.ndarray, np.ndarray], None],
    ) -> None:
        """Tracks sequences from their first boxes, long ones first.

        Args:
          sequences: with a box in the first frame.
          done: called for each when it ends: sequence, boxes [T, 4] xywh, scores [T], seconds [T] (its share of the
            batch's time; 0 for the first frame).

        Raises:
          ValueError: an image that cannot be read or has another size than the first.
        """
        by_shape: dict[tuple[int, int], list] = {}
        for sequence in sorted(sequences, key=lambda sequence: -len(sequence.frames)):
            height, width = images.read_image(sequence.frames[0]).shape[:2]
            by_shape.setdefault(padded_shape(height, width), []).append(sequence)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for shape, group in by_shape.items():
                self._shapes.add(shape)
                self._track_shape(shape, iter(group), len(group), pool, done)

    def _track_shape(self, shape, waiting: Iterator, count: int, pool, done) -> None:
        size = min(self._batch_size, count)
        places: list[_Place | None] = [None] * size
        states = None
        while True:
            for i in range(size):
                if places[i] is None and (sequence := next(waiting, None)) is not None:
                    places[i], state = self._begin(sequence, shape)
                    if states is None:
                        states = jax.tree.map(lambda leaf: jnp.stack([leaf] * size), state)
                    states = self._place(states, i, state)
            running = [place for place in places if place is not None]
            if not running:
                return
            interrupts.check()
            frames = np.stack(list(pool.map(lambda place: self._frames(place, shape), places)))
            start = time.perf_counter()
            states, outputs = self._step(self._tracker.variables, states, frames)
            boxes, scores = jax.device_get((outputs.box, outputs.score))
            share = (time.perf_counter() - start) / len(running)
            for i, place in enumerate(places):
                if place is None:
                    continue
                left = min(self._chunk, len(place.sequence.frames) - place.frame)
                place.boxes.append(boxes[i, :left])
                place.scores.append(scores[i, :left])
                place.seconds += share
                place.frame += left
                if place.frame >= len(place.sequence.frames):
                    self._finish(place, done)
                    places[i] = None

    def _begin(self, sequence: sequences_lib.Sequence, shape: tuple[int, int]):
        frame = images.read_image(sequence.frames[0])
        box = np.asarray(sequence.boxes[0], np.float32)
        extent = np.array([frame.shape[1], frame.shape[0]], np.int32)
        state = self._tracker.init(pad(frame, shape), box, extent)
        return _Place(sequence, frame.shape[:2], 1, [np.asarray(sequence.boxes[:1])], [np.ones(1)]), state

    def _frames(self, place: _Place | None, shape: tuple[int, int]) -> np.ndarray:
        frames = np.zeros((self._chunk, *shape, 3), np.uint8)
        if place is not None:
            for i, path in enumerate(place.sequence.frames[place.frame : place.frame + self._chunk]):
                frame = images.read_image(path)
                if frame.shape[:2] != place.size:
                    raise ValueError(f'{path}: {frame.shape[:2]} pixels, the first has {place.size} (height, width)')
                frames[i, : frame.shape[0], : frame.shape[1]] = frame
        return frames

    def _finish(self, place: _Place, done) -> None:
        count = len(place.sequence.frames)
        seconds = np.full(count, place.seconds / max(count - 1, 1))
        seconds[0] = 0
        done(place.sequence, np.concatenate(place.boxes), np.concatenate(place.scores), seconds)

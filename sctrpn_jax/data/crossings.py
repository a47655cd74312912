"""Generated crossings: a look-alike passes in front of the target, and how much of the target it hides is known."""

import dataclasses
import functools
import math
import typing

import numpy as np

from sctrpn_jax.data import generated

FRAMES = 100
MIDDLE = 45  # frame in which the look-alike stands right in front of the target
# Of the look-alike against the target: side, frames to pass one target size, and how far it misses the middle, sizes.
_SIDE, _PACE, _MISS = (1.3, 1.8), (6.0, 20.0), 0.15


@dataclasses.dataclass(frozen=True, eq=False)
class _Passing:
    """A path (`generated.Path`) past another one, on a straight line beside it."""

    other: generated.Path
    step: np.ndarray  # [2] against the other, pixels per frame
    miss: np.ndarray  # [2] pixels

    def at(self, t: float) -> np.ndarray:
        return self.other.at(t) + self.step * (t - MIDDLE) + self.miss


@dataclasses.dataclass(frozen=True, eq=False)
class _Larger:
    """A pose path of an object that turns with another one and is larger than it."""

    other: generated.Path
    more: float  # logarithm

    def at(self, t: float) -> np.ndarray:
        return self.other.at(t) + [self.more, 0.0, 0.0]


class Crossing(typing.NamedTuple):
    """A clip.

    Attributes:
      frames: [T, H, W, 3] uint8.
      boxes: [T, 4] float32 xywh, frame pixels: of the whole target, what is hidden of it too.
      visible: [T] float64: share of the target's area that nothing covers, 0..1.
    """

    frames: np.ndarray
    boxes: np.ndarray
    visible: np.ndarray


@functools.lru_cache(maxsize=32)
def make_scene(seed: int) -> generated.Scene:
    """The scene of a seed (`generated.make_scene`) with a look-alike that passes in front of its target.

    The look-alike has the target's shape and colours in another pattern, and is larger, so that for some frames it
    hides the target wholly.

    Args:
      seed: not negative.
    """
    scene = generated.make_scene(seed)
    rng = np.random.default_rng((seed, 2))
    target = scene.sprites[-1]
    side = math.exp(target.pose.at(MIDDLE)[0])
    angle = rng.uniform(0, 2 * math.pi)
    way = np.array([math.cos(angle), math.sin(angle)])
    step = way * side / rng.uniform(*_PACE)
    miss = rng.uniform(-_MISS, _MISS) * side * way[::-1] * [-1, 1]
    size = len(target.texture)
    pattern = np.roll(target.texture[::-1, ::-1], size // 3, axis=(0, 1))
    cover = generated.Sprite(
        np.ascontiguousarray(pattern),
        target.alpha,
        typing.cast(generated.Path, _Passing(target.place, step, miss)),
        typing.cast(generated.Path, _Larger(target.pose, math.log(rng.uniform(*_SIDE)))),
    )
    return dataclasses.replace(scene, cover=cover)


def make_crossing(seed: int, num_frames: int = FRAMES) -> Crossing:
    """The clip of a seed.

    Args:
      seed: not negative.
      num_frames: more than `MIDDLE`, or nothing crosses.
    """
    scene = make_scene(seed)
    drawn = [scene.draw(t) for t in range(num_frames)]
    visible = [float(part.sum(dtype=float) / max(whole.sum(dtype=float), 1.0)) for _, whole, part in drawn]
    boxes = [generated.box_of(whole) for _, whole, _ in drawn]
    return Crossing(np.stack([frame for frame, *_ in drawn]), np.stack(boxes), np.array(visible))

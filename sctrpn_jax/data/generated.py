"""Generated sequences: a textured object among look-alikes over a moving background, any frame drawn on its own.

They need no files: the quick start, the tests and endless training pairs are made of them.
"""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from sctrpn_jax.data import textures

MAX_SPEED = 6.0  # frame pixels per frame, about, summed over a path's two waves


def _rng(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@dataclass(frozen=True, eq=False)
class Path:
    """A smooth bounded function of time, [D] values: centre + sum over waves of amplitude * sin(rate * t + phase)."""

    centre: np.ndarray
    amplitude: np.ndarray
    rate: np.ndarray
    phase: np.ndarray

    def at(self, t: float) -> np.ndarray:
        """[D] values at frame t."""
        return self.centre + (self.amplitude * np.sin(self.rate * t + self.phase)).sum(0)


def _path(rng: np.random.Generator, centre, reach, speed: float) -> Path:
    """Two waves whose amplitudes sum to at most `reach` [D] and whose speeds stay about under `speed` per frame."""
    centre, reach = np.asarray(centre, float), np.asarray(reach, float)
    share = rng.uniform(0.5, 0.8)
    amplitude = np.stack([reach * share, reach * (1 - share)]) * rng.uniform(0.4, 1.0, (2, len(reach)))
    rate = np.minimum(rng.uniform([[0.02], [0.08]], [[0.06], [0.2]], amplitude.shape), speed / (2 * amplitude + 1e-6))
    return Path(centre, amplitude, rate, rng.uniform(0, 2 * math.pi, amplitude.shape))


@dataclass(frozen=True, eq=False)
class Sprite:
    """An object: texture [S, S, 3] uint8 and alpha [S, S] uint8 (0..255) with the paths it follows.

    `place` gives (x, y) in frame pixels, `pose` (log side, angle in radians, log aspect): side is the square root of
    the area of the shape's own box.
    """

    texture: np.ndarray
    alpha: np.ndarray
    place: Path
    pose: Path


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a sequence is made of; `draw` shows it at any time."""

    height: int
    width: int
    background: np.ndarray
    camera: Path
    light: Path
    grain: np.ndarray
    sprites: tuple[Sprite, ...]  # back to front; the target is the last
    cover: Sprite | None = None  # in front of the target

    def draw(self, t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Frame t and the target's place in it.

        Returns:
          frame [H, W, 3] uint8; alpha [H, W] uint8 of the whole target, seen where >= 128; alpha of the part of it that
          nothing covers.
        """
        x, y, log_zoom, angle = self.camera.at(t)
        tall, wide = self.background.shape[:2]
        matrix = _placement((wide, tall), (self.width / 2 + x, self.height / 2 + y), math.exp(log_zoom), angle, 1.0)
        frame = cv2.warpAffine(
            self.background,
            matrix,
            (self.width, self.height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        alpha = np.zeros((self.height, self.width), np.uint8)
        for sprite in self.sprites:
            alpha[:] = 0
            _paste(frame, alpha, sprite, t)
        visible = alpha
        if self.cover:
            hidden = np.zeros_like(alpha)
            _paste(frame, hidden, self.cover, t)
            visible = cv2.multiply(alpha, 255 - hidden, scale=1 / 255)
        gain, shift = self.light.at(t)
        frame = cv2.convertScaleAbs(frame, alpha=gain, beta=shift)
        down, right = _rng(t, 1).integers(0, np.array(self.grain.shape[:2]) - frame.shape[:2] + 1)
        grain = self.grain[down : down + self.height, right : right + self.width]
        return cv2.add(frame, grain, dtype=cv2.CV_8U), alpha, visible


def _placement(size: tuple[int, int], centre, zoom: float, angle: float, aspect: float) -> np.ndarray:
    """[2, 3] affine from texture to frame, pixel indices (cv2): the texture's middle goes to `centre` (continuous)."""
    stretch = np.diag([zoom / math.sqrt(aspect), zoom * math.sqrt(aspect)])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) @ stretch
    middle = np.array([size[0] / 2 - 0.5, size[1] / 2 - 0.5])
    return np.hstack([turn, (np.asarray(centre) - 0.5 - turn @ middle)[:, None]])


def _paste(frame: np.ndarray, alpha: np.ndarray, sprite: Sprite, t: int) -> None:
    """Draws a sprite into the frame and its visible part into `alpha`, both in place, touching its own region only."""
    log_side, angle, log_aspect = sprite.pose.at(t)
    size = sprite.alpha.shape[0]
    zoom = math.exp(log_side) / size
    matrix = _placement((size, size), sprite.place.at(t), zoom, angle, math.exp(log_aspect))
    corners = matrix @ np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], float).T
    left, top = np.maximum(np.floor(corners.min(1)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(corners.max(1)).astype(int) + 2, (frame.shape[1], frame.shape[0]))
    if right <= left or bottom <= top:
        return
    matrix[:, 2] -= (left, top)
    shape = (int(right - left), int(bottom - top))
    region = frame[top:bottom, left:right]
    texture = cv2.warpAffine(sprite.texture, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(sprite.alpha, matrix, shape, flags=cv2.INTER_LINEAR)
    alpha[top:bottom, left:right] = cover
    weight = cover.astype(np.float32) * np.float32(1 / 255)
    region[:] = cv2.blendLinear(texture, np.ascontiguousarray(region), weight, 1 - weight)


def _sprite(rng, frame_size, sides, side, alpha, palette, speed, margin: float) -> Sprite:
    """A sprite that wanders over the part of the frame (w, h) that is `margin` (share of a side) off the border."""
    width, height = frame_size
    centre = rng.uniform(0.4, 0.6, 2) * frame_size
    reach = np.minimum(centre, frame_size - centre) - margin * np.array([width, height])
    bound = min(0.45, math.log(sides[1] / side), math.log(side / sides[0]))
    tilt = rng.uniform(-math.pi, math.pi)
    pose = _path(rng, [math.log(side), tilt, 0.0], [bound, 0.5, 0.25], 0.03)
    return Sprite(textures.random_texture(rng, alpha.shape, palette), alpha, _path(rng, centre, reach, speed), pose)


@functools.lru_cache(maxsize=32)
def make_scene(seed: int, height: int = 240, width: int = 320, min_side: float = 24.0, max_side: float = 80.0) -> Scene:
    """The scene of a seed: the same arguments give the same scene, whatever was made before.

    Args:
      seed: not negative.
      height: of the frame, pixels.
      width: of the frame, pixels.
      min_side: about the least size of the target, the square root of its own box's area, frame pixels. Its upright
        box may be up to about 1.5 times as wide when it is turned.
      max_side: about the largest size.

    Raises:
      ValueError: the sides are not 4 <= min_side < max_side <= half of the frame's smaller side.
    """
    if not 4 <= min_side < max_side <= min(height, width) / 2:
        limit = min(height, width) / 2
        raise ValueError(f'min_side, max_side are {min_side}, {max_side}; expected 4 <= min_side < max_side <= {limit}')
    rng = _rng(seed, 0)
    frame_size, sides = np.array([width, height], float), (min_side, max_side)
    background = textures.random_background(rng, (int(width * 1.25), int(height * 1.25)))

    side = min_side * (max_side / min_side) ** rng.uniform(0.2, 0.8)
    size = int(min(192, max(48, 1.2 * max_side)))
    near = (
        cv2.mean(background)[:3] if rng.random() < 0.4 else textures.random_color(rng)
    )  # some targets blend into the background
    alpha, palette = textures.random_alpha(rng, size), textures.random_palette(rng, near, 70)
    speed = rng.uniform(0.2, 1.0) * MAX_SPEED
    target = _sprite(rng, frame_size, sides, side, alpha, palette, speed, 0.1)
    others = []
    for _ in range(int(rng.integers(1, 6))):
        like = rng.random() < 0.6  # a look-alike keeps the colours, and half of them the shape too
        colors = (
            np.clip(palette + rng.normal(0, 12, 3), 0, 255)
            if like
            else textures.random_palette(rng, textures.random_color(rng), 70)
        )
        shape = alpha if like and rng.random() < 0.5 else textures.random_alpha(rng, size)
        their_side = float(np.clip(side * math.exp(rng.uniform(-0.3, 0.3)), min_side, max_side))
        others.append(_sprite(rng, frame_size, sides, their_side, shape, colors, MAX_SPEED / 2, -0.1))
    grain = rng.standard_normal((height + 32, width + 32), np.float32) * np.float32(rng.uniform(0, 5))
    return Scene(
        height=height,
        width=width,
        background=background,
        camera=_path(rng, [0, 0, 0.0, 0], [0.2 * width, 0.2 * height, 0.1, 0.1], MAX_SPEED / 2),
        light=_path(rng, [1.0, 0.0], [rng.uniform(0, 0.25), rng.uniform(0, 15)], 1.0),
        grain=cv2.merge([grain.astype(np.int16)] * 3),
        sprites=(*others, target),
    )


def box_of(alpha: np.ndarray) -> np.ndarray:
    """[4] float32 xywh: the tight box of what is visible (alpha [H, W] >= 128); zeros where nothing is."""
    visible = (alpha >= 128).astype(np.uint8)
    return np.array(cv2.boundingRect(visible), np.float32)


def render_frame(seed: int, t: int, **scene) -> tuple[np.ndarray, np.ndarray]:
    """Frame t of the sequence of a seed, drawn on its own.

    Args:
      seed: not negative.
      t: frame number, not negative.
      **scene: size arguments of `make_scene`.

    Returns:
      frame [H, W, 3] uint8 and box [4] float32 xywh, frame pixels: the tight box of the target's visible part.
    """
    frame, alpha, _ = make_scene(seed, **scene).draw(t)
    return frame, box_of(alpha)


def make_sequence(
    seed: int, num_frames: int, height: int = 240, width: int = 320, min_side: float = 24.0, max_side: float = 80.0
) -> tuple[np.ndarray, np.ndarray]:
    """A whole sequence.

    Returns:
      frames [T, H, W, 3] uint8 and boxes [T, 4] float32 xywh, frame pixels.
    """
    size = {'height': height, 'width': width, 'min_side': min_side, 'max_side': max_side}
    drawn = [render_frame(seed, t, **size) for t in range(num_frames)]
    return np.stack([frame for frame, _ in drawn]), np.stack([box for _, box in drawn])


@dataclass(frozen=True)
class GeneratedSource:
    """Tracks for pairs (`pairs.Source`): a track is a seed, and only the two frames that a pair needs are drawn.

    With the default seed the scenes 0 to num_tracks - 1 are never trained on: they are for validation.

    Attributes:
      num_tracks: number of scenes.
      num_frames: frames of each that pairs are drawn from.
      stride: from one of them to the next, frames.
    """

    seed: int = 1
    num_tracks: int = 1 << 16
    num_frames: int = 8
    stride: int = 12
    name: str = 'generated'
    refused: tuple[str, ...] = ()

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """[T + 1] int64, first row of each track."""
        return np.arange(self.num_tracks + 1) * self.num_frames

    @functools.cached_property
    def frame(self) -> np.ndarray:
        """[N] int64 frame number of each row."""
        return np.tile(np.arange(self.num_frames) * self.stride, self.num_tracks)

    @functools.cached_property
    def image(self) -> np.ndarray:
        """[N] int64: every row is an image of its own."""
        return np.arange(self.num_tracks * self.num_frames)

    def read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame [240, 320, 3] uint8 and box [4] float32 xywh (frame pixels)."""
        track, frame = divmod(row, self.num_frames)
        return render_frame(self.seed * self.num_tracks + track, frame * self.stride)

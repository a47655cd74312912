"""Generated sequences: a textured object among look-alikes over a moving background, any frame drawn on its own.

They need no files: the quick start, the tests and endless training pairs are made of them.
"""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

MAX_SPEED = 6.0  # frame pixels a frame, about, summed over a path's two waves


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
    """Two waves whose amplitudes sum to at most `reach` [D] and whose speeds stay about under `speed` a frame."""
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

    def draw(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame t and the target's visible part.

        Returns:
          frame [H, W, 3] uint8 and alpha [H, W] uint8 of the target (visible where >= 128).
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
        gain, shift = self.light.at(t)
        frame = cv2.convertScaleAbs(frame, alpha=gain, beta=shift)
        down, right = _rng(t, 1).integers(0, np.array(self.grain.shape[:2]) - frame.shape[:2] + 1)
        grain = self.grain[down : down + self.height, right : right + self.width]
        return cv2.add(frame, grain, dtype=cv2.CV_8U), alpha


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


def _noise(rng: np.random.Generator, size: tuple[int, int], coarsest: int, roughness: float) -> np.ndarray:
    """[H, W] float32 in 0..1: noise of many scales; `roughness` is how much each finer octave keeps."""
    total, weight = np.zeros((2, 2), np.float32), 1.0
    # From coarse to fine, each octave at its own size: the cost is that of the finest, at half the resolution.
    while coarsest <= max(size) / 2:
        cells = [max(2, round(coarsest * side / max(size))) for side in size]
        total = cv2.resize(total, cells) + weight * rng.random(cells[::-1], np.float32)
        weight, coarsest = weight * roughness, coarsest * 2
    return cv2.resize(cv2.normalize(total, None, 0.0, 1.0, cv2.NORM_MINMAX), size)


def _palette(rng: np.random.Generator, base: np.ndarray, contrast: float) -> np.ndarray:
    """[4, 3] colours, 0..255, around a base colour [3]: lightness varies by `contrast`, hue by less, as in pictures."""
    return np.clip(base + rng.uniform(-contrast, contrast, (4, 1)) + rng.normal(0, contrast / 4, (4, 3)), 0, 255)


def _color(rng: np.random.Generator) -> np.ndarray:
    """[3] a random colour, 0..255, seldom a vivid one."""
    return np.clip(rng.uniform(40, 215) + rng.normal(0, rng.uniform(5, 45), 3), 0, 255)


def _paint(values: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """[H, W, 3] uint8: values in 0..1 through a palette."""
    stops = np.linspace(0, 255, len(palette))
    table = np.stack([np.interp(np.arange(256), stops, palette[:, c]) for c in range(3)], -1)
    return cv2.applyColorMap((values * 255).astype(np.uint8), table.astype(np.uint8)[:, None])


def _texture(rng: np.random.Generator, size: tuple[int, int], palette: np.ndarray) -> np.ndarray:
    """[H, W, 3] uint8: noise, or stripes, checks or dots bent by noise."""
    noise = _noise(rng, size, int(rng.integers(3, 7)), rng.uniform(0.5, 0.8))
    kind = rng.integers(0, 4)
    if kind == 0:
        return _paint(noise, palette)
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32) / max(size)
    count, angle = rng.uniform(3, 9) * 2 * math.pi, rng.uniform(0, math.pi)
    bend = noise * rng.uniform(0, 4)
    u = np.sin((x * math.cos(angle) + y * math.sin(angle)) * count + bend, dtype=np.float32)
    if kind > 1:
        v = np.sin((y * math.cos(angle) - x * math.sin(angle)) * count * rng.uniform(0.6, 1.6) + bend, dtype=np.float32)
        u = u * v if kind == 2 else np.maximum(u, v)
    return _paint(0.35 * noise + 0.325 * np.clip(2 * u + 1, 0, 2), palette)


def _alpha(rng: np.random.Generator, size: int) -> np.ndarray:
    """[size, size] uint8: an ellipse, rectangle, polygon or blob that reaches the borders, with smooth edges."""
    kind, ratio = rng.integers(0, 4), math.exp(rng.uniform(-0.45, 0.45))
    alpha, fine = np.zeros((size, size), np.uint8), 16  # cv2 draws on 1/16 pixels (shift=4)
    if kind == 0:
        angle = np.linspace(0, 2 * math.pi, 64, endpoint=False)
        radius = np.ones_like(angle)
    elif kind == 1:
        angle = np.array([-3, -1, 1, 3]) * math.pi / 4
        radius = np.ones_like(angle)
    elif kind == 2:
        corners = int(rng.integers(3, 9))
        angle = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * math.pi / corners
        radius = rng.uniform(0.6, 1.0, corners)
    else:
        angle = np.linspace(0, 2 * math.pi, 96, endpoint=False)
        waves = np.arange(2, 6)[:, None]
        bumps = rng.normal(0, 0.22, (4, 1)) / waves**0.5 * np.cos(waves * angle + rng.uniform(0, 6.28, (4, 1)))
        radius = np.exp(bumps.sum(0))
    points = np.stack([np.cos(angle), np.sin(angle)], -1) * radius[:, None]
    low, high = points.min(0), points.max(0)
    half = np.array([min(1.0, ratio), min(1.0, 1 / ratio)]) * (size / 2 - 2)
    points = ((points - low) / (high - low) * 2 - 1) * half + (size - 1) / 2
    cv2.fillPoly(alpha, [np.round(points * fine).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return alpha


def _sprite(rng, frame_size, sides, side, alpha, palette, speed, margin: float) -> Sprite:
    """A sprite that wanders over the part of the frame (w, h) that is `margin` (share of a side) off the border."""
    width, height = frame_size
    centre = rng.uniform(0.4, 0.6, 2) * frame_size
    reach = np.minimum(centre, frame_size - centre) - margin * np.array([width, height])
    bound = min(0.45, math.log(sides[1] / side), math.log(side / sides[0]))
    tilt = rng.uniform(-math.pi, math.pi)
    pose = _path(rng, [math.log(side), tilt, 0.0], [bound, 0.5, 0.25], 0.03)
    return Sprite(_texture(rng, alpha.shape, palette), alpha, _path(rng, centre, reach, speed), pose)


def _clutter(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Draws flat and textured shapes over a background in place, large ones first."""
    tall, wide = canvas.shape[:2]
    for scale in np.sort(rng.uniform(0.03, 0.35, int(rng.integers(8, 40))))[::-1]:
        size = rng.uniform(0.3, 1.0, 2) * scale * wide
        centre = rng.uniform(0, 1, 2) * (wide, tall)
        spot = canvas[int(centre[1]), int(centre[0])].astype(float)
        color = np.clip(spot + rng.normal(0, 15, 3) + rng.normal(0, 40), 0, 255).tolist()
        box = (tuple(centre.tolist()), tuple((2 * size).tolist()), rng.uniform(0, 180))
        if rng.random() < 0.5:
            cv2.ellipse(canvas, box, color, -1, cv2.LINE_AA)
        else:
            cv2.fillConvexPoly(canvas, np.int32(cv2.boxPoints(box)), color, cv2.LINE_AA)


def _background(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """[H, W, 3] uint8: a texture or clouds, with shapes on it, and fine dirt over all."""
    if rng.random() < 0.3:
        canvas = _texture(rng, size, _palette(rng, _color(rng), 50))
    else:
        canvas = _paint(_noise(rng, size, 2, rng.uniform(0.4, 0.75)), _palette(rng, _color(rng), 70))
    _clutter(rng, canvas)
    dirt = (_noise(rng, size, 32, 0.8) * 115 + 140).astype(np.uint8)
    return cv2.multiply(canvas, cv2.merge([dirt] * 3), scale=1 / 200)


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
    background = _background(rng, (int(width * 1.25), int(height * 1.25)))

    side = min_side * (max_side / min_side) ** rng.uniform(0.2, 0.8)
    size = int(min(192, max(48, 1.2 * max_side)))
    near = cv2.mean(background)[:3] if rng.random() < 0.4 else _color(rng)  # some targets blend into the background
    alpha, palette = _alpha(rng, size), _palette(rng, near, 70)
    speed = rng.uniform(0.2, 1.0) * MAX_SPEED
    target = _sprite(rng, frame_size, sides, side, alpha, palette, speed, 0.1)
    others = []
    for _ in range(int(rng.integers(1, 6))):
        like = rng.random() < 0.6  # a look-alike keeps the colours, and half of them the shape too
        colors = np.clip(palette + rng.normal(0, 12, 3), 0, 255) if like else _palette(rng, _color(rng), 70)
        shape = alpha if like and rng.random() < 0.5 else _alpha(rng, size)
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
    frame, alpha = make_scene(seed, **scene).draw(t)
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
    """Endless tracks for pairs: a track is a seed, and only the two frames that a pair needs are drawn.

    With the default seed the scenes 0 to num_tracks - 1 are never trained on: they are for validation.
    """

    seed: int = 1
    num_tracks: int = 1 << 20
    num_frames: int = 200
    name: str = 'generated'
    refused: tuple[str, ...] = ()

    def frames(self, track: int) -> np.ndarray:
        """[R] int64 frame numbers of a track."""
        return np.arange(self.num_frames)

    def image_name(self, track: int, row: int) -> str:
        """What names a frame in a message."""
        return f'{self.name}:{track}:{row}'

    def read(self, track: int, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Frame [240, 320, 3] uint8 and box [4] float32 xywh (frame pixels)."""
        return render_frame(self.seed * self.num_tracks + track, row)

"""What generated scenes are painted with: noise of many scales, textures, outlines of objects, backgrounds."""

import math

import cv2
import numpy as np


def _noise(rng: np.random.Generator, size: tuple[int, int], coarsest: int, roughness: float) -> np.ndarray:
    """[H, W] float32 in 0..1: noise of many scales; `roughness` is how much each finer octave keeps."""
    total, weight = np.zeros((2, 2), np.float32), 1.0
    # From coarse to fine, each octave at its own size: the cost is that of the finest, at half the resolution.
    while coarsest <= max(size) / 2:
        cells = [max(2, round(coarsest * side / max(size))) for side in size]
        total = cv2.resize(total, cells) + weight * rng.random(cells[::-1], np.float32)
        weight, coarsest = weight * roughness, coarsest * 2
    return cv2.resize(cv2.normalize(total, None, 0.0, 1.0, cv2.NORM_MINMAX), size)


def random_palette(rng: np.random.Generator, base: np.ndarray, contrast: float) -> np.ndarray:
    """[4, 3] colours, 0..255, around a base colour [3]: lightness varies by `contrast`, hue by less, as in pictures."""
    return np.clip(base + rng.uniform(-contrast, contrast, (4, 1)) + rng.normal(0, contrast / 4, (4, 3)), 0, 255)


def random_color(rng: np.random.Generator) -> np.ndarray:
    """[3] a random colour, 0..255, seldom a vivid one."""
    return np.clip(rng.uniform(40, 215) + rng.normal(0, rng.uniform(5, 45), 3), 0, 255)


def _paint(values: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """[H, W, 3] uint8: values in 0..1 through a palette."""
    stops = np.linspace(0, 255, len(palette))
    table = np.stack([np.interp(np.arange(256), stops, palette[:, c]) for c in range(3)], -1)
    return cv2.applyColorMap((values * 255).astype(np.uint8), table.astype(np.uint8)[:, None])


def random_texture(rng: np.random.Generator, size: tuple[int, int], palette: np.ndarray) -> np.ndarray:
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


def random_alpha(rng: np.random.Generator, size: int) -> np.ndarray:
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


def random_background(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """[H, W, 3] uint8: a texture or clouds, with shapes on it, and fine dirt over all."""
    if rng.random() < 0.3:
        canvas = random_texture(rng, size, random_palette(rng, random_color(rng), 50))
    else:
        canvas = _paint(_noise(rng, size, 2, rng.uniform(0.4, 0.75)), random_palette(rng, random_color(rng), 70))
    _clutter(rng, canvas)
    dirt = (_noise(rng, size, 32, 0.8) * 115 + 140).astype(np.uint8)
    return cv2.multiply(canvas, cv2.merge([dirt] * 3), scale=1 / 200)

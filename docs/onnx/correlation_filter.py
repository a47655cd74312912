"""The correlation filter that learns the target from the video (BACF), in NumPy and OpenCV.

Maps are those of the network's first layer, [k, k, C]. What the constants mean is told in
`sctrpn_jax/tracking/correlation_filter.py`.
"""

import cv2
import numpy as np
from geometry import bilinear

CELL = 4  # crop pixels from one cell of the map to the next
REACH, PEAK_WIDTH, RIDGE, PENALTY, GROWTH, ROUNDS = 1.5, 1 / 16, 0.01, 1.0, 10.0, 2
TOLERANCE, NEAR, RATE, LEAST = 2, 0.25, 0.015, 1e-3


class CorrelationFilter:
    """The filter and what it was learned from.

    Args:
      features: [n, n, C] map of the first frame's search crop, the target in the middle.
      size: [2] (w, h) of the target, crop pixels.
    """

    def __init__(self, features, size):
        self.sample = transform(features)
        self.taps = solve(self.sample, size / CELL)

    def update(self, features, peak, size):
        """Learns from another frame, with the target at `peak` [2] from the middle of the map, crop pixels."""
        new = shifted(transform(features), peak / CELL)
        self.sample = np.complex64((1 - RATE) * self.sample + RATE * new)
        self.taps = solve(self.sample, size / CELL)

    def inner(self, features):
        """The middle [n, n, C] of a map [k, k, C]."""
        border = (len(features) - self.taps.shape[1]) // 2
        return features[border : len(features) - border, border : len(features) - border]

    def respond(self, features):
        """[k, k] float32: near 1 on the target, near 0 elsewhere."""
        k = len(features)
        border = (k - self.taps.shape[1]) // 2
        taps = np.pad(self.taps, ((0, 0), (border, border), (border, border)))
        product = (np.conj(np.fft.rfft2(taps)) * transform(features)).sum(0)
        return np.fft.fftshift(np.fft.irfft2(product, s=(k, k))).astype(np.float32)


def evidence(response, centres, search):
    """[N] response at proposals with centres [N, 2], crop pixels of a crop of side `search`; the best has 1."""
    best = cv2.dilate(response, np.ones((2 * TOLERANCE + 1, 2 * TOLERANCE + 1), np.uint8))
    cells = (centres - first_cell(len(response), search)) / CELL
    found = np.maximum(bilinear(best, cells[:, 0], cells[:, 1]), LEAST)
    return found / found.max()


def peak_near(response, box, search):
    """[2] (x, y) of the highest response near a box's centre, crop pixels, and its height, 0 or more."""
    k = len(response)
    first = first_cell(k, search)
    at, reach = first + np.arange(k) * CELL, max(NEAR * np.sqrt(box[2] * box[3]), CELL)
    near = (np.abs(at - box[0]) < reach)[None, :] & (np.abs(at - box[1]) < reach)[:, None]
    if not near.any():
        return box[:2], 0.0
    row, column = np.unravel_index(np.where(near, response, -np.inf).argmax(), response.shape)
    around = np.pad(response, 1, mode='edge')[row : row + 3, column : column + 3]
    cell = np.array([column + vertex(around[1]), row + vertex(around[:, 1])])
    return first + cell * CELL, max(float(response[row, column]), 0.0)


def first_cell(cells, search):
    """Centre of the map's first cell, crop pixels."""
    return (search - (cells - 1) * CELL) / 2


def vertex(values):
    """Where the parabola through three values at -1, 0, 1 has its top; 0 where it has none."""
    bend = values[0] - 2 * values[1] + values[2]
    return np.clip((values[0] - values[2]) / (2 * min(bend, -1e-9)), -0.5, 0.5) if bend < 0 else 0.0


def transform(features):
    """[n, n, C] map to the [C, n, n // 2 + 1] Fourier transform under a Hann window, at unit mean square."""
    hann = np.hanning(len(features) + 2)[1:-1]
    scale = 1 / np.sqrt(np.square(features).mean() + 1e-6)
    windowed = features * np.float32(np.outer(hann, hann) * scale)[..., None]
    return np.fft.rfft2(windowed.transpose(2, 0, 1))


def shifted(sample, shift):
    """A transformed map whose content at the middle + shift [2], cells, is brought to the middle."""
    n = sample.shape[1]
    phase = 2 * np.pi * (shift[0] * np.fft.rfftfreq(n)[None, :] + shift[1] * np.fft.fftfreq(n)[:, None])
    return sample * np.exp(1j * phase)[None]


def solve(sample, size):
    """[C, n, n] taps for a transformed map with a target of `size` [2] (w, h), cells, in its middle."""
    n = sample.shape[1]
    bell = np.exp(-0.5 * np.square(np.fft.fftfreq(n, 1 / n) / (PEAK_WIDTH * np.sqrt(size.prod()))))
    wanted = np.complex64(np.fft.rfft2(np.outer(bell, bell)))
    half = np.minimum(REACH * size, n - 2) / 2
    cover = np.clip(half[:, None] - np.abs(np.arange(n) - (n - 1) / 2)[None] + 0.5, 0, 1)
    mask = np.float32(np.outer(cover[1], cover[0]))
    cells, power = float(n * n), np.square(np.abs(sample)).sum(0)
    transformed, multipliers, penalty = np.zeros_like(sample), np.zeros_like(sample), PENALTY
    for _ in range(ROUNDS):
        right = sample * (wanted / (cells * penalty)) - multipliers / penalty + transformed
        along = (np.conj(sample) * right).sum(0) / (power + cells * penalty)
        free = right - sample * along
        taps = np.fft.irfft2(penalty * free + multipliers, s=(n, n)) * (mask * (cells / (RIDGE + penalty * cells)))
        transformed = np.fft.rfft2(taps)
        multipliers = multipliers + penalty * (free - transformed)
        penalty *= GROWTH
    return np.float32(taps)

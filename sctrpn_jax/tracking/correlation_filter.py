"""A correlation filter on the first layer that learns the target from the video (addition `track.filter_exponent`).

The filter is a ridge regression from the map of conv1, whose cells are half as far apart as the anchors, to a peak on
the target. It learns from the first frame and from every frame in which the target is not lost, so it tells the target
from what stands around it in this very video. Its taps reach a quarter of the target's size beyond it; what lies
farther away counts as background (Kiani Galoogahi et al., ICCV 2017, "Learning background-aware correlation filters",
BACF). Response and network are multiplied, as the cues of Eq. 13 are.
"""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from sctrpn_jax.geometry import grid, sampling

STRIDE = grid.STRIDES[0] * grid.POOL_STRIDE  # crop pixels from one cell of conv1's pooled map to the next: 4
REACH = 1.5  # side of the area that has taps, target sizes; 1 and 2 lose more targets on CROWDED
PEAK_WIDTH = 1 / 16  # standard deviation of the wanted response, target sizes (BACF)
RIDGE = 0.01  # weight of the taps' squares (BACF)
# The method of multipliers: penalty of the first round, its growth, and how many rounds (BACF).
PENALTY, GROWTH, ROUNDS = 1.0, 10.0, 2
# A proposal has the best response so many cells around its centre, since the network's centres are off by as much.
TOLERANCE = 2
NEAR = 0.25  # the box's centre may move by this many target sizes to the peak of the response
RATE = 0.015  # weight of a new frame in what the filter learns from (BACF: 0.013)
TO_PEAK = 0.5  # how far the box's centre goes to the peak: the network's places fit the box, the filter's do not drift
_LEAST = 1e-3  # of a response: below it is noise, which no power shall blow up


@struct.dataclass
class CorrelationFilter:
    """The filter and what it was learned from; C channels, n cells along a side of the map, m = n // 2 + 1.

    Attributes:
      sample: [C, n, m] complex64: running mean of the maps with the target in the middle, Fourier transformed.
      taps: [C, n, n] float32: the filter; zeros away from the target, which is in the middle.
    """

    sample: chex.Array
    taps: chex.Array


@struct.dataclass
class Seen:
    """What a frame shows the filter.

    Attributes:
      sample: [C, n, m] complex64: conv1's map of the middle of the search crop, of `transform`.
      peak: [2] (x, y) from the crop's middle to the peak of the response near the chosen box, crop pixels.
    """

    sample: chex.Array
    peak: chex.Array


def transform(features: chex.Array) -> chex.Array:
    """Fourier transform of a map's channels under a Hann window, scaled to unit mean square.

    Args:
      features: [n, n, C] conv1's map of a crop.

    Returns:
      [C, n, n // 2 + 1] complex64.
    """
    features = features.astype(jnp.float32)
    hann = np.hanning(features.shape[0] + 2)[1:-1].astype(np.float32)
    scale = jax.lax.rsqrt(jnp.square(features).mean() + 1e-6)
    windowed = features * (np.outer(hann, hann) * scale)[..., None]
    return jnp.fft.rfft2(windowed.transpose(2, 0, 1))


def learn(features: chex.Array, size: chex.Array) -> CorrelationFilter:
    """The filter of the first frame.

    Args:
      features: [n, n, C] conv1's map of the search crop, the target in the middle.
      size: [2] (w, h) of the target, crop pixels.
    """
    sample = transform(features)
    return CorrelationFilter(sample, _solve(sample, size / STRIDE))


def update(known: CorrelationFilter, seen: Seen, size: chex.Array, rate: float = RATE) -> CorrelationFilter:
    """The filter after another frame.

    Args:
      known: before it.
      seen: of the frame. The target is taken to be at the peak, not at the box's centre: so the filter does not follow
        the network's errors.
      size: [2] (w, h) of the target, crop pixels.
      rate: weight of the frame, 0..1.
    """
    new = _shifted(seen.sample, seen.peak / STRIDE)
    sample = (1 - rate) * known.sample + rate * new
    return CorrelationFilter(sample, _solve(sample, size / STRIDE))


def respond(known: CorrelationFilter, sample: chex.Array) -> chex.Array:
    """Response at every cell of a map: near 1 on what the filter has learned, near 0 elsewhere.

    Args:
      known: the filter.
      sample: [C, k, k // 2 + 1] of `transform`: conv1's map of a search crop, k - n even and not negative.

    Returns:
      [k, k], cell by cell of the map.
    """
    k = sample.shape[1]
    border = (k - known.taps.shape[1]) // 2
    taps = jnp.pad(known.taps, ((0, 0), (border, border), (border, border)))
    response = jnp.fft.irfft2((jnp.conj(jnp.fft.rfft2(taps)) * sample).sum(0), s=(k, k))
    return jnp.fft.fftshift(response)  # where nothing has moved: from the corner to the middle


def evidence(response: chex.Array, centres: chex.Array, search_size: int) -> chex.Array:
    """[N] the response at each proposal, in shares of the best proposal's, 0..1.

    Args:
      response: [k, k] of `respond`.
      centres: [N, 2] (x, y) of the proposals, crop pixels.
      search_size: side of the search crop, pixels.
    """
    window = (2 * TOLERANCE + 1, 2 * TOLERANCE + 1)
    best = nn.max_pool(response[None, :, :, None], window, padding='SAME')[0]
    cells = (centres - _first_cell(response.shape[0], search_size)) / STRIDE
    found = jnp.maximum(sampling.grid_sample(best, cells, border='edge')[:, 0], _LEAST)
    return found / found.max()


def peak_near(response: chex.Array, box: chex.Array, search_size: int) -> tuple[chex.Array, chex.Array]:
    """Place of the highest response around a box's centre, to a part of a cell.

    Args:
      response: [k, k] of `respond`.
      box: [4] centre form, crop pixels.
      search_size: side of the search crop, pixels.

    Returns:
      [2] (x, y) crop pixels, the box's own centre where it lies outside the map; [] the response there, 0 or more.
    """
    k = response.shape[0]
    first = _first_cell(k, search_size)
    at = first + jnp.arange(k, dtype=jnp.float32) * STRIDE
    reach = jnp.maximum(NEAR * jnp.sqrt(box[2] * box[3]), STRIDE)
    near = (jnp.abs(at[None, :] - box[0]) < reach) & (jnp.abs(at[:, None] - box[1]) < reach)
    inside = jnp.where(near, response, -jnp.inf)
    row, column = jnp.divmod(jnp.argmax(inside), k)
    around = jax.lax.dynamic_slice(jnp.pad(response, 1, mode='edge'), (row, column), (3, 3))
    cell = jnp.stack([column, row]).astype(jnp.float32) + jnp.stack([_vertex(around[1]), _vertex(around[:, 1])])
    return jnp.where(near.any(), first + cell * STRIDE, box[:2]), jnp.maximum(inside.max(), 0)


def _first_cell(cells: int, search_size: int) -> float:
    """Centre of the map's first cell, crop pixels; the map is centred in the crop."""
    return (search_size - (cells - 1) * STRIDE) / 2


def _vertex(values: chex.Array) -> chex.Array:
    """[] where the parabola through three values [3] at -1, 0, 1 has its top; 0 where it has none."""
    bend = values[0] - 2 * values[1] + values[2]
    return jnp.where(bend < 0, jnp.clip((values[0] - values[2]) / (2 * jnp.minimum(bend, -1e-9)), -0.5, 0.5), 0.0)


def _shifted(sample: chex.Array, shift: chex.Array) -> chex.Array:
    """A transformed map whose content at the middle + shift [2] (x, y), cells, is brought to the middle."""
    n = sample.shape[1]
    x, y = np.fft.rfftfreq(n).astype(np.float32), np.fft.fftfreq(n).astype(np.float32)
    phase = 2 * np.pi * (shift[0] * x[None, :] + shift[1] * y[:, None])
    return sample * jax.lax.complex(jnp.cos(phase), jnp.sin(phase))[None]


def _solve(sample: chex.Array, size: chex.Array) -> chex.Array:
    """[C, n, n] taps for a transformed map [C, n, m] with a target of `size` [2] (w, h), cells, in the middle."""
    n = sample.shape[1]
    away = jnp.asarray(np.fft.fftfreq(n, 1 / n).astype(np.float32))
    bell = jnp.exp(-0.5 * jnp.square(away / (PEAK_WIDTH * jnp.sqrt(size.prod()))))
    wanted = jnp.fft.rfft2(bell[:, None] * bell[None, :])
    # Cells that lie halfway in the area count half; it never fills the map, whose border is background.
    half = jnp.minimum(REACH * size, n - 2) / 2
    from_middle = np.abs(np.arange(n) - (n - 1) / 2).astype(np.float32)
    cover = jnp.clip(half[:, None] - from_middle[None] + 0.5, 0, 1)
    mask = cover[1][:, None] * cover[0][None, :]
    cells, power = float(n * n), (sample * jnp.conj(sample)).sum(0)

    def masked(constrained, penalty):
        return jnp.fft.irfft2(constrained, s=(n, n)) * (mask * (cells / (RIDGE + penalty * cells)))[None]

    # Free of the mask, each frequency has a closed form (Sherman and Morrison). The first round begins with zeros.
    penalty = PENALTY
    constrained = penalty * sample * (wanted / (power + cells * penalty))[None]
    for _ in range(ROUNDS - 1):
        transformed = jnp.fft.rfft2(masked(constrained, penalty))
        multipliers = constrained - penalty * transformed
        penalty *= GROWTH
        right = sample * (wanted / (cells * penalty))[None] - multipliers / penalty + transformed
        along = (jnp.conj(sample) * right).sum(0) / (power + cells * penalty)
        constrained = penalty * (right - sample * along[None]) + multipliers
    return masked(constrained, penalty)

"""Which two rows make a training pair: a function of (seed, position) in whole numbers, the same on every machine.

It is written once, in JAX: the streaming pipeline calls it on the host, the resident one inside its step on the device.
"""

from collections.abc import Sequence
from typing import Protocol

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

MAX_ATTEMPTS = 16  # pairs tried at a position when images cannot be read
_DRAWS = 16  # of a negative's other target
_RESOLUTION = 1 << 24  # of shares; whole numbers give the same pairs on every machine
# Added to the attempt, so that no key is one of those that `augment` splits off at the same position.
_STREAM = 1000


class Source(Protocol):
    """What pairs are drawn from: `folder.FolderSource`, `generated.GeneratedSource`, `prepared.PreparedSource`.

    Attributes:
      name: for messages.
      starts: [T + 1] int64: rows of track t are starts[t] to starts[t + 1], one at least.
      frame: [N] int64: order and distance in time, ascending within a track.
      image: [N] int64: rows of the same image have the same number.
      refused: one line per refused item.
      images_of: where it exists, the source that the numbers in `image` are of (`regions.RegionSource`).
    """

    name: str
    starts: np.ndarray
    frame: np.ndarray
    image: np.ndarray
    refused: Sequence[str]

    def read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Image [H, W, 3] uint8 and box [4] float32 xywh in its pixels; ValueError where it cannot be read."""


@struct.dataclass
class PairIndex:
    """All that decides pairs, for S sources of T tracks and N rows in all; rows are numbered across all sources.

    Attributes:
      shares: [S] uint32, cumulative shares of the sources in 2^-24.
      others: [S, S] uint32: row s holds the cumulative shares of the sources that a negative's other target is from,
        where the template is of source s.
      tracks: [S + 1] int32, first track of each source.
      rows: [T + 1] int32, first row of each track.
      partners: [N, 4] int32 (low, left, right, high): partners are rows low to left - 1 and right to high - 1.
      image: [N] int32, number of the row's image.
    """

    shares: chex.Array
    others: chex.Array
    tracks: chex.Array
    rows: chex.Array
    partners: chex.Array
    image: chex.Array


@struct.dataclass
class PairChoice:
    """A pair; every field has the shape of the positions it was drawn for.

    Attributes:
      template, search: int32, rows.
      positive: bool, both rows are the same target.
      mirrored: bool, both crops are to be flipped.
    """

    template: chex.Array
    search: chex.Array
    positive: chex.Array
    mirrored: chex.Array


def _median_steps(starts: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """[T] median step of each track's frames; 0 for a track of one row."""
    track = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    within = track[1:] == track[:-1]
    steps, track = np.diff(frame)[within], track[1:][within]
    steps = steps[np.lexsort((steps, track))]
    first = np.searchsorted(track, np.arange(len(starts)))
    count = np.diff(first)
    several = count > 0
    median = np.zeros(len(starts) - 1)
    low, high = first[:-1] + (count - 1) // 2, first[:-1] + count // 2
    median[several] = (steps[low[several]] + steps[high[several]]) / 2
    return median


def partner_ranges(starts: np.ndarray, frame: np.ndarray, interval: tuple[int, int]) -> np.ndarray:
    """Rows that may be the search row of each template row.

    The first of these that is not empty, other rows of the same track all: where the median step of the track is wider
    than the interval (view codes, not times), all; those at an interval away; those nearer; the nearest. A row that is
    alone in its track is its own partner.

    Args:
      starts: [T + 1] int64, first row of each track.
      frame: [N] int64, ascending within a track.
      interval: least and largest distance, frames.

    Returns:
      [N, 4] int64 (low, left, right, high): rows low to left - 1 and right to high - 1.
    """
    least, most = interval
    row = np.arange(len(frame))
    size = np.diff(starts)
    first, last = np.repeat(starts[:-1], size), np.repeat(starts[1:], size)
    # One clock for all tracks: a step over the interval counts as just over it, so that sums cannot overflow, and
    # tracks lie as far apart, so that no search leaves its track.
    step = np.minimum(np.diff(frame, prepend=frame[:1]), most + 1)
    step[starts[:-1]] = most + 1
    clock = np.cumsum(step)
    low, high = np.searchsorted(clock, clock - most), np.searchsorted(clock, clock + most, side='right')
    left = np.minimum(np.searchsorted(clock, clock - least, side='right'), row)
    right = np.maximum(np.searchsorted(clock, clock + least), row + 1)
    found = np.stack([low, np.maximum(left, low), np.minimum(right, high), high], -1)

    nearer = np.stack([low, row, row + 1, high], -1)
    before = np.where(row > first, np.diff(frame, prepend=frame[:1]), np.iinfo(np.int64).max)
    after = np.where(row < last - 1, np.diff(frame, append=frame[-1:]), np.iinfo(np.int64).max)
    nearest = np.stack([row - (before <= after), row, row + 1, row + 1 + (after <= before)], -1)
    for ranges in (nearer, nearest):
        empty = (found[:, 1] - found[:, 0]) + (found[:, 3] - found[:, 2]) == 0
        found[empty] = ranges[empty]
    sparse = np.repeat(_median_steps(starts, frame) > most, size)
    found[sparse] = np.stack([first, row, row + 1, last], -1)[sparse]
    alone = last - first == 1
    found[alone] = np.stack([row, row + 1, row + 1, row + 1], -1)[alone]
    return found


def make_index(
    sources: Sequence[Source],
    weights: Sequence[float],
    intervals: Sequence[tuple[int, int]],
) -> PairIndex:
    """The index of a mixture, NumPy arrays.

    Args:
      sources: S sources with at least one row each.
      weights: S shares, not negative, of any positive sum.
      intervals: S (least, largest) distances between template and search row, frames.

    Raises:
      ValueError: the numbers of sources, weights and intervals differ, or the weights are no shares.
    """
    weights = np.asarray(weights, np.float64)
    if not len(sources) == len(weights) == len(intervals) or not len(sources) or weights.min() < 0 or not weights.any():
        raise ValueError(f'{len(sources)} sources with weights {weights.tolist()}; expected one weight >= 0 a source')

    def cumulative(share):
        return np.round(np.cumsum(share) / np.sum(share) * _RESOLUTION).astype(np.uint32)

    elsewhere = weights * (1 - np.eye(len(weights)))
    elsewhere = np.where(elsewhere.any(axis=1, keepdims=True), elsewhere, weights)
    rows = np.cumsum([0, *(len(source.frame) for source in sources)])
    # Regions count images as the source that they are cut from, so that negatives can avoid the template's own image.
    shown_in = [getattr(source, 'images_of', source) for source in sources]
    first, images = 0, {}
    for source in shown_in:
        if id(source) not in images:
            images[id(source)] = first
            first += int(source.image.max()) + 1
    partners = [
        partner_ranges(source.starts, source.frame, interval) + first
        for source, interval, first in zip(sources, intervals, rows, strict=False)
    ]
    return PairIndex(
        shares=cumulative(weights),
        others=np.stack([cumulative(share) for share in elsewhere]),
        tracks=np.cumsum([0, *(len(source.starts) - 1 for source in sources)]).astype(np.int32),
        rows=np.concatenate(
            [[0], *(source.starts[1:] + first for source, first in zip(sources, rows, strict=False))]
        ).astype(np.int32),
        partners=np.concatenate(partners).astype(np.int32),
        image=np.concatenate(
            [source.image + images[id(base)] for source, base in zip(sources, shown_in, strict=True)]
        ).astype(np.int32),
    )


def draw_pair(
    index: PairIndex,
    seed: chex.Array,
    position: chex.Array,
    attempt: chex.Array,
    *,
    negative_share: float = 0.05,
    mirror_share: float = 0.0,
) -> PairChoice:
    """The pair at a position of the endless stream of a seed.

    A source is drawn by its share, a track of it uniformly, a row of that uniformly.

    Args:
      index: of the mixture.
      seed: [] uint32.
      position: [] uint32.
      attempt: [] int32: 0, then 1, 2, ... for another pair at the same position when one cannot be read.
      negative_share: share of pairs whose search row is another target (of which source: `make_index`). A negative is
        never of the template's own image, which would show the template's target; where 16 draws find no other image
        the pair is a positive one.
      mirror_share: share of mirrored pairs.

    Returns:
      `PairChoice` of scalars.
    """
    index = jax.tree.map(jnp.asarray, index)
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), position), attempt + _STREAM)
    # All that decides is drawn at once, so that one share does not change what the others draw.
    bits = jax.random.bits(key, (6 + 3 * _DRAWS,), jnp.uint32)

    def below(drawn, share):
        return (drawn >> 8) < jnp.uint32(round(share * _RESOLUTION))

    def among(drawn, first, end):
        # The remainder's bias, count / 2^32, is far below what any number of pairs could show.
        return first + (drawn % (end - first).astype(jnp.uint32)).astype(jnp.int32)

    def draw(drawn, shares):
        source = jnp.searchsorted(shares[:-1], drawn[0] >> 8, side='right')
        track = among(drawn[1], index.tracks[source], index.tracks[source + 1])
        return source, track, among(drawn[2], index.rows[track], index.rows[track + 1])

    source, track, template = draw(bits[2:5], index.shares)
    low, left, right, high = (index.partners[template, i] for i in range(4))
    partner = among(bits[5], low, low + (left - low) + (high - right))
    partner = jnp.where(partner < left, partner, partner - left + right)

    _, tracks, rows = jax.vmap(draw, in_axes=(0, None))(bits[6:].reshape(_DRAWS, 3), index.others[source])
    other = (tracks != track) & (index.image[rows] != index.image[template])
    negative = below(bits[0], negative_share) & other.any()
    return PairChoice(
        template=template,
        search=jnp.where(negative, rows[jnp.argmax(other)], partner),
        positive=~negative,
        mirrored=below(bits[1], mirror_share),
    )

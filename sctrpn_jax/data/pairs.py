"""Which two images make a training pair: a pure function of (seed, position), so any host or device can redo it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_NEGATIVE_DRAWS = 16


class Source(Protocol):
    """What pairs are drawn from: `folder.FolderSource`, `generated.GeneratedSource`."""

    name: str
    num_tracks: int

    def frames(self, track: int) -> np.ndarray:
        """[R] int64 frame numbers of a track's rows, ascending."""

    def image_name(self, track: int, row: int) -> str:
        """Names the image of a row; rows of the same image have the same name."""

    def read(self, track: int, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Image [H, W, 3] uint8 and box [4] float32 xywh in its pixels; ValueError where it cannot be read."""


@dataclass(frozen=True)
class Row:
    """One stored target: index of the source, of the track in it, and of the row in the track."""

    source: int
    track: int
    row: int


@dataclass(frozen=True)
class PairChoice:
    """A pair: positive when both rows are the same target; mirrored when both crops are to be flipped."""

    template: Row
    search: Row
    positive: bool
    mirrored: bool


def _uniform(rng: np.random.Generator, count: int) -> int:
    return int(rng.integers(count))


def _draw_row(rng: np.random.Generator, sources: Sequence[Source], share: np.ndarray) -> Row:
    """Source by its share, track uniformly, row uniformly."""
    source = int(rng.choice(len(share), p=share))
    track = _uniform(rng, sources[source].num_tracks)
    return Row(source, track, _uniform(rng, len(sources[source].frames(track))))


def partners(frames: np.ndarray, row: int, max_interval: int) -> np.ndarray:
    """Rows that may be the search image of a template row.

    Args:
      frames: [R] int64 frame numbers of one track, ascending.
      row: the template's.
      max_interval: frames.

    Returns:
      [P] int64, P >= 1: the other rows at most max_interval away; the nearest one where there is none so near; all
      other rows where even the median step is wider (view codes, not times); the row itself where it is the only one.
    """
    others = np.delete(np.arange(len(frames)), row)
    if not others.size:
        return np.array([row])
    if np.median(np.diff(frames)) > max_interval:
        return others
    gap = np.abs(frames[others] - frames[row])
    return others[gap <= max(max_interval, gap.min())]


def choose_pair(
    sources: Sequence[Source],
    weights: Sequence[float],
    seed: int,
    position: int,
    attempt: int = 0,
    *,
    max_interval: int = 100,
    negative_share: float = 0.05,
    mirror_share: float = 0.0,
) -> PairChoice:
    """The pair at a position of the endless stream of a seed.

    Args:
      sources: S sources with at least one track each.
      weights: S shares, not negative, of any positive sum.
      seed: not negative.
      position: not negative.
      attempt: 0, then 1, 2, ... for another pair at the same position when the first cannot be read.
      max_interval: frames between template and search row (`partners`).
      negative_share: share of pairs whose search row is another target, of another source where there are two. A
        negative is never of the template's own image, which would show the template's target; where 16 draws find no
        other image the pair is a positive one.
      mirror_share: share of mirrored pairs.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, position], counter=[0, 0, 0, attempt]))
    share = np.asarray(weights, np.float64) / np.sum(weights)
    # All that decides is drawn first and always, so that one share does not change what the others draw.
    negative, mirrored = rng.random(2) < (negative_share, mirror_share)
    template = _draw_row(rng, sources, share)
    source = sources[template.source]
    frames = source.frames(template.track)
    near = partners(frames, template.row, max_interval)
    same = Row(template.source, template.track, int(near[_uniform(rng, len(near))]))
    if negative:
        elsewhere = share.copy()
        elsewhere[template.source] = 0
        other_share = elsewhere / elsewhere.sum() if elsewhere.sum() > 0 else share
        name = source.image_name(template.track, template.row)
        for _ in range(_NEGATIVE_DRAWS):
            other = _draw_row(rng, sources, other_share)
            same_track = (other.source, other.track) == (template.source, template.track)
            if not same_track and sources[other.source].image_name(other.track, other.row) != name:
                return PairChoice(template, other, False, bool(mirrored))
    return PairChoice(template, same, True, bool(mirrored))

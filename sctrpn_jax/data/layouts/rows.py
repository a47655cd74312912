"""Rows of numbers, one per frame: parsed, put beside the images of those frames, and made a clip.

A row that cannot be used is refused by name but keeps its place, because row i belongs to the image numbered first + i.
"""

import dataclasses
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sctrpn_jax.bounded import MAX_PIXEL
from sctrpn_jax.data.layouts import clip as clip_lib
from sctrpn_jax.data.layouts import listing

_NUMBER = re.compile(r'[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|nan|inf)', re.IGNORECASE)
_SEPARATORS = re.compile(r'[,\s]+')
_SHOWN = 80  # characters of a bad line


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """R rows of a file.

    Attributes:
      path: the file.
      lines: [R] int64, line of each row, from 1.
      values: [R, C] float64; NaN where the target is absent, and in refused rows.
      usable: [R] bool, False for refused rows.
      refused: `path:line: reason` of each of those.
    """

    path: str
    lines: np.ndarray
    values: np.ndarray
    usable: np.ndarray
    refused: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, part: slice) -> 'Rows':
        return dataclasses.replace(self, lines=self.lines[part], values=self.values[part], usable=self.usable[part])

    def padded(self, count: int) -> 'Rows':
        """As many rows as there are frames, where a set publishes the first frame's alone: NaN in the others."""
        more = count - len(self)
        return dataclasses.replace(
            self,
            lines=np.pad(self.lines, (0, more), 'edge'),
            values=np.pad(self.values, ((0, more), (0, 0)), constant_values=np.nan),
            usable=np.pad(self.usable, (0, more), constant_values=True),
        )


def numbers(text: str) -> list[float] | None:
    """Numbers separated by commas, tabs or spaces (OTB mixes them); None where something else stands there.

    One comma may follow the last number, as some tools write it.
    """
    parts = _SEPARATORS.split(text.strip().removesuffix(',').rstrip())
    return [float(part) for part in parts] if all(_NUMBER.fullmatch(part) for part in parts) else None


def pixels(values: Sequence[float], text: str) -> Sequence[float]:
    """The values, if they are all pixel positions or all NaN (target absent); ValueError otherwise."""
    if not (all(map(math.isnan, values)) or all(-MAX_PIXEL <= value <= MAX_PIXEL for value in values)):
        raise ValueError(f'{text.strip()[:_SHOWN]!r} is no pixel position')
    return values


def parse_box(text: str) -> Sequence[float]:
    """The four numbers of a line, all finite or all NaN; ValueError with the reason otherwise."""
    values = numbers(text)
    if values is None or len(values) != 4:
        raise ValueError(f'got {text.strip()[:_SHOWN]!r}, expected 4 numbers')
    return pixels(values, text)


def read_rows(path: str | os.PathLike, parse: Callable[[str], Sequence[float]] = parse_box, columns: int = 4) -> Rows:
    """Reads a file with one row per line; empty lines are no rows, as in the benchmarks' own readers.

    Args:
      path: the file.
      parse: `columns` numbers of a line, or ValueError with the reason.
      columns: how many `parse` gives.

    Raises:
      ValueError: the file is missing or empty.
    """
    path = os.fspath(path)
    lines = [(line, text) for line, text in enumerate(listing.read_text(path).split('\n'), 1) if text.strip()]
    if not lines:
        raise ValueError(f'{path}: empty, expected one row per frame')
    values, usable, refused = np.full((len(lines), columns), np.nan), np.ones(len(lines), bool), []
    for row, (line, text) in enumerate(lines):
        try:
            values[row] = parse(text)
        except ValueError as error:
            usable[row] = False
            refused.append(f'{path}:{line}: {error}')
    return Rows(path, np.array([line for line, _ in lines], np.int64), values, usable, tuple(refused))


def read_flags(path: str | os.PathLike, rows: Rows, highest: int = 1, short: bool = False) -> tuple[np.ndarray, Rows]:
    """Reads whole numbers from 0 to `highest`, one per row, all on one line (LaSOT) or each on its own (GOT-10k, VOT).

    Args:
      path: the file.
      rows: what they are said of.
      highest: largest value.
      short: rows at the end may be left out; they are 0.

    Returns:
      [R] float64, NaN where a value is damaged; and the rows with those refused.

    Raises:
      ValueError: the file is missing or has another number of values.
    """
    path = os.fspath(path)
    texts = listing.read_text(path).split('\n')
    found = [(line, part) for line, text in enumerate(texts, 1) for part in _SEPARATORS.split(text) if part]
    if len(found) > len(rows) or (len(found) < len(rows) and not short):
        raise ValueError(f'{path}: got {len(found)} values for {len(rows)} rows; expected one per row')
    flags, refused = np.zeros(len(rows)), []
    for row, (line, text) in enumerate(found):
        value = float(text) if _NUMBER.fullmatch(text) else np.nan
        flags[row] = value if value in range(highest + 1) else np.nan
        if np.isnan(flags[row]):
            refused.append(f'{path}:{line}: value {row + 1} is {text[:_SHOWN]!r}, expected 0 to {highest}')
    usable = rows.usable & ~np.isnan(flags)
    return flags, dataclasses.replace(rows, usable=usable, refused=(*rows.refused, *refused))


def to_boxes(values: np.ndarray, origin: int) -> np.ndarray:
    """[R, 4] xywh, 0-based: `origin` is what the set counts its pixels from; NaN where there is no size."""
    boxes = values - [origin, origin, 0, 0]
    return np.where((boxes[:, 2:] > 0).all(axis=1, keepdims=True), boxes, np.nan)


def place(rows: Rows, images: listing.Images, first: int) -> tuple[np.ndarray, list[str]]:
    """Puts rows beside images: row i is of the image numbered first + i.

    Where there is a row for each image and none is missing between, the first image may have any number.

    Args:
      rows: of one target.
      images: those that the rows should be of.
      first: number of the first row's image in the published set.

    Returns:
      [R] int64 number of each row's image, -1 where that is missing; and what was refused.

    Raises:
      ValueError: rows and images differ in number and which row is missing cannot be known.
    """
    found = np.array(list(images.paths), np.int64)
    refused = []
    if len(rows) != len(found):
        reason = f'{rows.path}: got {len(rows)} rows for {len(found)} frames; expected one per frame'
        if rows.lines[-1] - rows.lines[0] >= len(rows):
            raise ValueError(f'{reason}; there are empty lines between')
        refused.append(reason)
    elif found[-1] - found[0] + 1 == len(found):
        first = int(found[0])
    wanted = first + np.arange(len(rows))
    missing = ~np.isin(wanted, found)
    for line, number in zip(rows.lines[missing], wanted[missing], strict=True):
        refused.append(f'{rows.path}:{line}: no image of frame {number} in {images.folder}')
    more = np.setdiff1d(found, wanted)
    if len(more) and len(rows) == len(found):
        refused.append(f'{images.paths[int(more[0])]}: no row for it, nor for {len(more) - 1} others of its folder')
    return np.where(missing, -1, wanted), refused


def make_target(
    rows: Rows,
    placed: np.ndarray,
    images: listing.Images,
    boxes: np.ndarray,
    name: str = 'object',
    category: str = '',
    visible: np.ndarray | None = None,
    polygons: np.ndarray | None = None,
    tags: Mapping[str, np.ndarray] | None = None,
) -> clip_lib.Target:
    """A target in those of its R rows that are usable and have an image.

    Args:
      rows: of one target.
      placed: [R], of `place`.
      images: of the clip.
      boxes: [R, 4]; this and the others as in `clip.Target`, but a value for each of the R rows.
      name: of the target.
      category: of the target.
      visible: [R].
      polygons: [R, 8].
      tags: name -> [R], 0 or 1.
    """
    keep = rows.usable & (placed >= 0)
    return clip_lib.Target(
        name,
        np.searchsorted(np.array(list(images.paths)), placed[keep]),
        boxes[keep],
        category,
        None if visible is None else visible[keep].astype(np.float32),
        None if polygons is None else polygons[keep],
        {tag: values[keep] > 0 for tag, values in (tags or {}).items()},
    )


def make_clip(
    name: str, images: listing.Images, targets: Sequence[clip_lib.Target], refused: Sequence[str]
) -> clip_lib.Clip:
    """A clip of the targets that have a row; ValueError where none has, naming the first refusal."""
    targets = [target for target in targets if len(target.rows)]
    if not targets:
        raise ValueError(refused[0])
    frames = np.array(list(images.paths), np.int64)
    return clip_lib.Clip(name, tuple(images.paths.values()), frames, targets, (*images.refused, *refused))


def one_target_clip(
    name: str, images: listing.Images, rows: Rows, first: int, boxes: np.ndarray, refused: Sequence[str] = (), **fields
) -> clip_lib.Clip:
    """A clip of one target.

    Args:
      name: of the clip.
      images: those that the rows should be of.
      rows: R rows.
      first: number of the first row's image in the published set.
      boxes: [R, 4] as `clip.Target.boxes`.
      refused: what was refused besides.
      **fields: further attributes of `clip.Target`.

    Raises:
      ValueError: no row can be used.
    """
    placed, unplaced = place(rows, images, first)
    target = make_target(rows, placed, images, boxes, **fields)
    return make_clip(name, images, [target], (*rows.refused, *unplaced, *refused))

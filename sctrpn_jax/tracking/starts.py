"""Which targets of a video are followed: the box of each, and the frame that it is given in."""

import csv
import os
import pathlib
import typing

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import inputs

COLUMNS = ('frame', 'x', 'y', 'w', 'h')
NAME = 'target'  # the column after these, which may be left out
MOST = 1000  # targets
SAME_PLACE = 0.8  # intersection over union of two boxes that may well be of one object
_LAST_FRAME = 10**9  # a year at 30 per second
_LONGEST_NAME = 40  # characters


class Start(typing.NamedTuple):
    """A target: name, for files and pictures; frame, from 0, in which its box [4] xywh (frame pixels) is given."""

    name: str
    frame: int
    box: tuple[float, ...]


def read_starts(path: str | os.PathLike) -> list[Start]:
    """Reads a file of targets: CSV with the columns frame,x,y,w,h and, if they have names, target.

    Without names the targets are called 1, 2, .. in the order of their rows.

    Raises:
      ValueError: no such file, another header, no row or more than `MOST`, a value that is no number, a name twice.
    """
    path = pathlib.Path(path)
    try:
        bounded.check_file(path, bounded.TEXT_BYTES)
        with path.open(newline='', encoding='utf-8-sig') as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f'cannot read {str(path)!r}: {error}; expected CSV with {",".join(COLUMNS)},{NAME}') from error
    header = [cell.strip() for cell in header]
    if tuple(header) not in (COLUMNS, (*COLUMNS, NAME)):
        accepted = ','.join(COLUMNS)
        raise ValueError(f'{path}: first line is {",".join(header)!r:.80}, expected {accepted} or {accepted},{NAME}')
    if not 0 < len(rows) <= MOST:
        raise ValueError(f'{path}: {len(rows)} targets; accepted are 1 to {MOST}')
    found = []
    for index, row in enumerate(rows):
        cells = [cell.strip() for cell in row]
        try:
            frame, *box = (float(cell) for cell in cells[: len(COLUMNS)])
            name = cells[len(COLUMNS)] if len(header) > len(COLUMNS) else str(index + 1)
            sound = len(cells) == len(header) and 0 <= frame <= _LAST_FRAME and frame == int(frame)
            sound = sound and all(abs(value) <= bounded.MAX_PIXEL for value in box)
        except (ValueError, IndexError):
            sound = False
        if not sound or not (name.isprintable() and 0 < len(name) <= _LONGEST_NAME):
            raise ValueError(
                f'{path}, line {index + 2}: got {",".join(row)!r:.80}, expected {",".join(header)}: the frame a whole '
                f'number from 0, the name 1 to {_LONGEST_NAME} characters'
            )
        found.append(Start(name, int(frame), tuple(box)))
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'{path}: two targets are called {twice!r}; each needs a name of its own')
    return found


def check(starts: typing.Iterable[Start], size: tuple[int, int], num_frames: int | None, source: str) -> None:
    """Checks targets against the video.

    Args:
      starts: the targets.
      size: (width, height) of the frames, pixels.
      num_frames: of the video; None where it is not known.
      source: names the video in messages.

    Raises:
      ValueError: a bad box (`inputs.check_box`), or a frame after the last one; the message names the target.
    """
    for start in starts:
        try:
            inputs.check_box(start.box, *size)
        except ValueError as error:
            raise ValueError(f'target {start.name}: {error}') from None
        if num_frames is not None and start.frame >= num_frames:
            raise ValueError(
                f'target {start.name}: its box is given in frame {start.frame}, but {source} has the frames 0 to '
                f'{num_frames - 1}'
            )


def same_place(box: np.ndarray, others: dict[str, np.ndarray]) -> str | None:
    """Name of the first other target whose box [4] xywh overlaps a box by `SAME_PLACE` or more; None: there is none."""
    return next((name for name, other in others.items() if one_pass.overlap(box, other) >= SAME_PLACE), None)

"""The CSV file of boxes of one tracked video, written frame by frame so that a failure loses nothing."""

import contextlib
import csv
import math
import os
import pathlib
import typing
from collections.abc import Sequence

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.system import files

HEADER = ('frame', 'x', 'y', 'w', 'h', 'score')
_LAST_FRAME = 10**9  # a year at 30 per second
OPTIONAL = ('hidden', 'time', 'target')  # columns after these, in this order, each where it is asked for


class ResultWriter:
    """Writes boxes.csv; every row is on disk when `write` returns. A context manager.

    Args:
      path: of the file.
      columns: of `OPTIONAL`, in that order.

    Raises:
      OSError: the file cannot be created.
    """

    def __init__(self, path: str | os.PathLike, columns: Sequence[str] = ()):
        self._columns, self._path = tuple(columns), pathlib.Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open('w', newline='', encoding='utf-8')
        self._rows = csv.writer(self._file, lineterminator='\n')
        self._next = 0
        self._write([*HEADER, *self._columns])

    def write(
        self,
        box: Sequence[float] | np.ndarray,
        score: float,
        frame: int | None = None,
        *,
        hidden: bool = False,
        time: float = 0.0,
        target: str = '',
    ) -> None:
        """Appends a row.

        Args:
          box: [4] (x, y, w, h), 0-based frame pixels, top-left corner.
          score: 0..1; 1 for the given box of the first frame.
          frame: its number, from 0; None: the one after that of the last row.
          hidden: the target is taken to be hidden; written as 1 or 0.
          time: seconds since the first frame.
          target: name of the target.

        Raises:
          OSError: the row cannot be written.
        """
        frame = self._next if frame is None else frame
        extra = {'hidden': int(hidden), 'time': f'{time:.4f}', 'target': target}
        numbers = [*(f'{float(v):.4f}' for v in box), f'{float(score):.6f}']
        self._write([frame, *numbers, *(extra[name] for name in self._columns)])
        self._next = frame + 1

    def _write(self, row: Sequence[object]) -> None:
        with files.named(self._path):
            self._rows.writerow(row)
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        with contextlib.suppress(OSError):  # of a row that could not be written, which was told
            self._file.close()

    def __enter__(self) -> 'ResultWriter':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TargetBoxes(typing.NamedTuple):
    """One target's rows: frames [N] int from 0, rising; boxes [N, 4] float64 xywh frame pixels; scores [N] float64."""

    frames: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray


def read_results(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Reads what `ResultWriter` wrote of one target that is there from the first frame on, whatever its columns.

    Returns:
      (boxes [N, 4] float64 xywh frame pixels, scores [N] float64).

    Raises:
      ValueError: no such file, another header, several targets, a row with a wrong frame number, a missing or
        non-finite value.
    """
    path = pathlib.Path(path)
    columns, rows = _read(path)
    if columns[-1] == 'target':
        names = {row[-1] for row in rows if len(row) == len(columns)}
        if len(names) > 1:
            raise ValueError(
                f'{path}: has the boxes of {len(names)} targets, expected one (read_targets reads several)'
            )
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    values = np.empty((len(rows), len(columns) - 1))
    for index, row in enumerate(rows):
        frame, values[index] = _numbers(path, index, row, columns)
        if frame != index:
            raise _wrong_row(path, index, row, [str(index), *columns[1:]])
    return values[:, :4], values[:, 4]


def read_targets(path: str | os.PathLike) -> dict[str, TargetBoxes]:
    """Reads what `ResultWriter` wrote of several targets: a file with a column `target`.

    Returns:
      By the targets' names.

    Raises:
      ValueError: no such file, another header, a frame of a target that does not come after its last one, a missing or
        non-finite value.
    """
    path = pathlib.Path(path)
    columns, rows = _read(path)
    if columns[-1] != 'target':
        raise ValueError(f'{path}: has no column target; expected {",".join((*HEADER, *OPTIONAL))}')
    found: dict[str, list[tuple[float, np.ndarray]]] = {}
    for index, row in enumerate(rows):
        frame, values = _numbers(path, index, row[:-1], columns[:-1])
        kept = found.setdefault(row[-1], [])  # a row that has been read has its last cell
        rises = frame > kept[-1][0] if kept else frame >= 0
        if len(row) != len(columns) or frame != int(frame) or frame > _LAST_FRAME or not rises:
            raise _wrong_row(path, index, row, ['a later frame than in the row before of the target', *columns[1:]])
        kept.append((frame, values))
    return {
        name: TargetBoxes(
            np.array([frame for frame, _ in kept], int),
            np.array([values[:4] for _, values in kept]),
            np.array([values[4] for _, values in kept]),
        )
        for name, kept in found.items()
    }


def _read(path: pathlib.Path) -> tuple[list[str], list[list[str]]]:
    """(names of the columns, cells of each row after the header)."""
    try:
        bounded.check_file(path, bounded.TEXT_BYTES)
        with path.open(newline='', encoding='utf-8') as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f'cannot read {str(path)!r}: {error}; expected a boxes.csv') from error
    columns = rows[0] if rows else []
    if columns != [*HEADER, *(name for name in OPTIONAL if name in columns)]:
        raise ValueError(f'{path}: first line is {",".join(columns)!r:.80}, expected {",".join(HEADER)}')
    return columns, rows[1:]


def _numbers(path: pathlib.Path, index: int, row: list[str], columns: list[str]) -> tuple[float, np.ndarray]:
    """(frame, the numbers after it) of a row."""
    try:
        # A comma may follow the last value, as some tools write it.
        frame, *numbers = (float(cell) for cell in (row if row[-1:] != [''] else row[:-1]))
    except ValueError:
        frame, numbers = math.nan, []
    if not math.isfinite(frame) or len(numbers) != len(columns) - 1 or not np.isfinite(numbers).all():
        raise _wrong_row(path, index, row, [str(index), *columns[1:]])
    return frame, np.array(numbers)


def _wrong_row(path: pathlib.Path, index: int, row: list[str], expected: list[str]) -> ValueError:
    return ValueError(f'{path}, line {index + 2}: got {",".join(row)!r:.80}, expected {",".join(expected)} (finite)')

"""The CSV file of boxes of one tracked video, written frame by frame so that a failure loses nothing."""

import contextlib
import csv
import math
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.system import files

HEADER = ('frame', 'x', 'y', 'w', 'h', 'score')
HIDDEN = 'hidden'  # the column after these, where it is asked for


class ResultWriter:
    """Writes boxes.csv; every row is on disk when `write` returns. A context manager.

    Args:
      path: of the file.
      hidden: whether there is a column for `hidden`.

    Raises:
      OSError: the file cannot be created.
    """

    def __init__(self, path: str | os.PathLike, hidden: bool = False):
        self._hidden, self._path = hidden, pathlib.Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open('w', newline='', encoding='utf-8')
        self._rows = csv.writer(self._file, lineterminator='\n')
        self._count = 0
        self._write([*HEADER, HIDDEN] if hidden else HEADER)

    def write(self, box: np.ndarray, score: float, hidden: bool = False) -> None:
        """Appends the next frame's row.

        Args:
          box: [4] (x, y, w, h), 0-based frame pixels, top-left corner.
          score: 0..1; 1 for the given box of the first frame.
          hidden: the target is taken to be hidden; written as 1 or 0.

        Raises:
          OSError: the row cannot be written.
        """
        state = [int(hidden)] if self._hidden else []
        self._write([self._count, *(f'{float(v):.4f}' for v in box), f'{float(score):.6f}', *state])
        self._count += 1

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


def read_results(path: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Reads what `ResultWriter` wrote.

    Returns:
      (boxes [N, 4] float64 xywh frame pixels, scores [N] float64).

    Raises:
      ValueError: no such file, another header, a row with a wrong frame number, a missing or non-finite value.
    """
    path = pathlib.Path(path)
    try:
        bounded.check_file(path, bounded.TEXT_BYTES)
        with path.open(newline='', encoding='utf-8') as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f'cannot read {str(path)!r}: {error}; expected a boxes.csv') from error
    if not rows or tuple(rows[0]) not in (HEADER, (*HEADER, HIDDEN)):
        raise ValueError(
            f'{path}: first line is {",".join(rows[0] if rows else [])!r:.80}, expected {",".join(HEADER)}'
        )
    values = np.empty((len(rows) - 1, len(rows[0]) - 1))
    for index, row in enumerate(rows[1:]):
        try:
            # A comma may follow the last value, as some tools write it.
            frame, *numbers = (float(cell) for cell in (row if row[-1:] != [''] else row[:-1]))
        except ValueError:
            frame, numbers = math.nan, []
        if frame != index or len(numbers) != values.shape[1] or not np.isfinite(numbers).all():
            raise ValueError(
                f'{path}, line {index + 2}: got {",".join(row)!r:.80}, expected {",".join([str(index), *rows[0][1:]])} (finite)'
            )
        values[index] = numbers
    return values[:, :4], values[:, 4]

"""Result files of any tracker, one box per frame, read without the frames and without dropping anything in silence.

Whatever cannot be used is named (`path:line: reason`) and counted. Boxes come out 0-based, top-left form (x, y, w, h).
"""

import collections
import dataclasses
import os
import re
from collections.abc import Mapping

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.data.benchmarks import sequence_names
from sctrpn_jax.data.layouts import listing, rows
from sctrpn_jax.tracking import results

_ENDINGS = ('.txt', '.csv')
_VOT_ENDING = '_001.txt'  # of files in a folder per sequence, GOT-10k's too
_PLAIN = b'0123456789.+-eE,; \t\r\n'
_SPACES, _COMMAS = bytes.maketrans(b',;\t', b'   '), bytes.maketrans(b';', b',')
_SHOWN = 20  # bad rows of one file that are named; the rest is counted


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
    """What was found of one tracker.

    Attributes:
      boxes: sequence -> [T, 4] 0-based, one row per frame of the truth; NaN in damaged rows, inf in rows that the file
        lacks.
      missing: sequences without a file, or with one that holds no box; they are not in `boxes`.
      problems: one line each, `path[:line]: reason`.
      counts: kind of problem (`row`, `length`, `file`, `missing`, `extra`) -> how many.
    """

    boxes: dict[str, np.ndarray]
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    counts: Mapping[str, int]


def read_boxes(path: str | os.PathLike, origin: float = 0) -> tuple[np.ndarray, list[str]]:
    """Boxes of one result file: commas, tabs, spaces or semicolons, with a header (boxes.csv has one) or without.

    Args:
      path: the file.
      origin: what it counts pixels from.

    Returns:
      [T, 4] 0-based xywh, NaN in rows that cannot be used; one line `path:line: reason` for each of those.

    Raises:
      ValueError: the file cannot be read, holds no box, or has a header without x, y, w, h.
    """
    path, text = os.fspath(path), listing.read_text(path)
    boxes, refused = plain_boxes(text), []
    if boxes is None:
        boxes, refused = _line_by_line(path, text)
    boxes[:, :2] -= origin
    return boxes, refused


def _has_gap(text: bytes) -> bool:
    """Whether a column is empty: its neighbours would be read in its place."""
    packed = text.translate(_COMMAS, b' \t\r')
    return b',,' in packed or b'\n,' in packed or packed.startswith(b',')


def plain_boxes(text: str) -> np.ndarray | None:
    """[T, 4] of a file with four numbers per row and nothing else, as most have, at C speed; None for any other."""
    raw = text.encode('ascii', 'replace')
    if raw.translate(None, _PLAIN) or _has_gap(raw):
        return None
    lines = raw.translate(_SPACES).decode().rstrip().split('\n')
    if any(not line or line.isspace() for line in lines):
        return None
    try:
        boxes = np.loadtxt(lines, np.float64, comments=None, ndmin=2)
    except ValueError:
        return None
    usable = boxes.shape == (len(lines), 4) and (np.abs(boxes) <= bounded.MAX_PIXEL).all()
    return boxes if usable else None


def _line_by_line(path: str, text: str) -> tuple[np.ndarray, list[str]]:
    lines = [(number, line) for number, line in enumerate(text.split('\n'), 1) if line.strip()]
    if not lines:
        raise ValueError(f'{path}: empty, expected one box per row')
    first = [name.strip('"\'').lower() for name in re.split(r'[,;\s]+', lines[0][1].strip())]
    columns, width = range(4), 4
    if first and all(rows.numbers(name) is None for name in first):
        if not set('xywh') <= set(first):
            raise ValueError(f'{path}:{lines[0][0]}: got {lines[0][1][:80]!r}, expected a header with x, y, w, h')
        columns, width, lines = [first.index(name) for name in 'xywh'], len(first), lines[1:]
    frame = first.index('frame') if width > 4 and 'frame' in first else None
    boxes, refused = np.full((len(lines), 4), np.nan), []
    for row, (number, line) in enumerate(lines):
        values = rows.numbers(line.replace(';', ' '))
        if row == 0 and values == [1.0] and path.endswith(_VOT_ENDING):
            continue  # VOT's mark of the frame where the tracker started
        if values is None or len(values) != width or _has_gap(line.encode()):
            reason = f'got {line.strip()[:80]!r}, expected {width} numbers'
        elif not all(abs(values[column]) <= bounded.MAX_PIXEL for column in columns):
            reason = f'{line.strip()[:80]!r} is no pixel position'
        elif frame is not None and values[frame] != row:
            reason = f'frame {values[frame]:g} stands where {row} was expected'
        else:
            boxes[row] = [values[column] for column in columns]
            continue
        refused.append(f'{path}:{number}: {reason}')
    if len(refused) == len(lines):
        raise ValueError(refused[0] if refused else f'{path}: a header alone, expected one box per row')
    return boxes, refused


def read_results(folder: str | os.PathLike, frames: Mapping[str, int], origin: float = 0) -> Results:
    """Results of one tracker: `<sequence>.txt` or `.csv`, or GOT-10k's and VOT's `<sequence>/<sequence>_001.txt`.

    `sequence_names.match` says which sequence a file belongs to. `*_time.txt` are not read. A file that is too long is
    cut.

    Args:
      folder: of the files.
      frames: sequence -> number of frames.
      origin: what the files count pixels from.

    Raises:
      ValueError: no such folder.
    """
    folder = os.fspath(folder)
    boxes, missing, problems = {}, [], []
    counts: collections.Counter[str] = collections.Counter()

    def note(kind: str, line: str, count: int = 1) -> None:
        counts[kind] += count
        problems.append(line)

    files = _files(folder)
    meant = sequence_names.match([name for name, _ in files], frames)
    matched: dict[str, str] = {}
    for name, path in sorted(files, key=lambda file: file[0] not in frames):  # the exact name before a similar one
        if name not in meant:
            note('extra', f'{path}: no sequence of that name is expected')
        elif matched.setdefault(meant[name], path) != path:
            note('extra', f'{path}: not read, {matched[meant[name]]} is of the same sequence')
    for name, count in frames.items():
        if name not in matched:
            missing.append(name)
            note('missing', f'{os.path.join(folder, name)}.txt: no results of this sequence')
            continue
        path = matched[name]
        try:
            found, refused = read_boxes(path, origin)
        except ValueError as error:
            missing.append(name)
            note('file', str(error))
            continue
        for line in refused[:_SHOWN]:
            note('row', line)
        if len(refused) > _SHOWN:
            more = len(refused) - _SHOWN
            note('row', f'{path}: {more} more rows cannot be used', more)
        if len(found) != count:
            what = 'the rest is cut' if len(found) > count else 'frames without a row are misses'
            note('length', f'{path}: {len(found)} rows for {count} frames; {what}')
        lacking = np.full((max(count - len(found), 0), 4), np.inf)
        boxes[name] = np.concatenate([found[:count], lacking])
    return Results(boxes, tuple(missing), tuple(problems), dict(counts))


def read_scores(folder: str | os.PathLike, frames: Mapping[str, int]) -> dict[str, np.ndarray]:
    """What a tracker thought of its boxes: `score` of our files, or VOT's `<sequence>_001_confidence.value`.

    Args:
      folder: of the files, as in `read_results`.
      frames: sequence -> number of frames.

    Returns:
      Sequence -> [T] float64; 1 in every frame of files without scores, NaN in frames that a file lacks. An empty line
      of VOT's files counts as 0, as in the toolkit.

    Raises:
      ValueError: a damaged file of scores.
    """
    scores = {name: np.ones(count) for name, count in frames.items()}
    files = _files(os.fspath(folder))
    meant = sequence_names.match([name for name, _ in files], frames)
    for name, path in sorted((file for file in files if file[0] in meant), key=lambda file: file[0] in frames):
        found, values = None, f'{path[:-4]}_confidence.value'
        if path.endswith('.csv') and listing.read_text(path).startswith(','.join(results.HEADER)):
            found = results.read_results(path)[1]
        elif os.path.isfile(values):
            lines = [line.strip() or '0' for line in listing.read_text(values).rstrip('\n').split('\n')]
            found = np.array([number for line in lines for number in (rows.numbers(line) or [np.nan])[:1]])
            if np.isnan(found).any():
                raise ValueError(f'{values}:{int(np.argmax(np.isnan(found))) + 1}: expected a number')
        if found is not None:
            count = frames[meant[name]]
            scores[meant[name]] = np.concatenate([found[:count], np.full(max(count - len(found), 0), np.nan)])
    return scores


def _files(folder: str) -> list[tuple[str, str]]:
    """(name, path) of every result file, sorted."""
    found = []
    for file in listing.names_in(folder, folders=False):
        stem, ending = os.path.splitext(file)
        if ending in _ENDINGS and not stem.endswith('_time'):
            found.append((stem, os.path.join(folder, file)))
    for name in listing.names_in(folder, folders=True):
        path = os.path.join(folder, name, name + _VOT_ENDING)
        if os.path.isfile(path):
            found.append((name, path))
    return found

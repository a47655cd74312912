"""Result files of any tracker, one box a frame, and the ground truth beside them: read without a frame, nothing silent.

Whatever cannot be used is named (`path:line: reason`) and counted. Boxes come out 0-based, top-left form (x, y, w, h).
"""

import collections
import dataclasses
import os
import re
from collections.abc import Iterable, Mapping

import numpy as np

from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.layouts import listing, rows
from sctrpn_jax.metrics import one_pass

# What the files of a benchmark, and so the results of most trackers on it, count pixels from (as data/layouts has it).
ORIGINS = {'otb': 1, 'lasot': 1, 'got10k': 1, 'uav123': 0, 'trackingnet': 0, 'davis': 0, 'vot': 0}

_FLAGGED = ('lasot', 'got10k')
_ENDINGS = ('.txt', '.csv')
_PLAIN = b'0123456789.+-eE,; \t\r\n'
_SPACES, _COMMAS = bytes.maketrans(b',;\t', b'   '), bytes.maketrans(b';', b',')
_SHOWN = 20  # bad rows of one file that are named; the rest is counted


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """Ground truth: boxes [T, 4] 0-based, NaN or without size where there is none; absent [T] bool, None: not said.

    A folder of annotations gives the numbers of its files, by which conventions tell zeros from NaN; a benchmark's own
    folder gives NaN for both.
    """

    boxes: np.ndarray
    absent: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
    """What was found of one tracker.

    Attributes:
      boxes: sequence -> [T, 4] 0-based, T as its truth has; NaN in damaged rows, inf in rows that the file lacks.
      missing: sequences without a file, or with one that holds no box; they are not in `boxes`.
      problems: one line each, `path[:line]: reason`.
      counts: `row`, `length`, `file`, `missing`, `extra` -> how many.
    """

    boxes: dict[str, np.ndarray]
    missing: tuple[str, ...]
    problems: tuple[str, ...]
    counts: Mapping[str, int]


def read_boxes(path: str | os.PathLike, origin: float = 0) -> tuple[np.ndarray, list[str]]:
    """Boxes of one result file: commas, tabs, spaces or semicolons, with a header (as boxes.csv) or without.

    Args:
      path: the file.
      origin: what it counts pixels from.

    Returns:
      [T, 4] 0-based xywh, NaN in rows that cannot be used; one line `path:line: reason` for each of those.

    Raises:
      ValueError: the file cannot be read, holds no box, or has a header without x, y, w, h.
    """
    path, text = os.fspath(path), listing.read_text(path)
    boxes, refused = _plain(text), []
    if boxes is None:
        boxes, refused = _line_by_line(path, text)
    boxes[:, :2] -= origin
    return boxes, refused


def _has_gap(text: bytes) -> bool:
    """Whether a column is empty, by which the next ones would be taken for it."""
    packed = text.translate(_COMMAS, b' \t\r')
    return b',,' in packed or b'\n,' in packed or packed.startswith(b',')


def _plain(text: str) -> np.ndarray | None:
    """[T, 4] of a file of four numbers a row and nothing else, as most are, at C speed; None for any other."""
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
    usable = boxes.shape == (len(lines), 4) and (np.abs(boxes) <= rows.MAX_PIXEL).all()
    return boxes if usable else None


def _line_by_line(path: str, text: str) -> tuple[np.ndarray, list[str]]:
    lines = [(number, line) for number, line in enumerate(text.split('\n'), 1) if line.strip()]
    if not lines:
        raise ValueError(f'{path}: empty, expected a box a row')
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
        if values is None or len(values) != width or _has_gap(line.encode()):
            reason = f'got {line.strip()[:80]!r}, expected {width} numbers'
        elif not all(abs(values[column]) <= rows.MAX_PIXEL for column in columns):
            reason = f'{line.strip()[:80]!r} is no pixel position'
        elif frame is not None and values[frame] != row:
            reason = f'frame {values[frame]:g} stands where {row} was expected'
        else:
            boxes[row] = [values[column] for column in columns]
            continue
        refused.append(f'{path}:{number}: {reason}')
    if len(refused) == len(lines):
        raise ValueError(refused[0] if refused else f'{path}: a header alone, expected a box a row')
    return boxes, refused


def read_results(folder: str | os.PathLike, frames: Mapping[str, int], origin: float = 0) -> Results:
    """Results of one tracker: `<sequence>.txt` or `.csv`, or GOT-10k's `<sequence>/<sequence>_001.txt`.

    A file belongs to a sequence whatever the case of its letters, and with `-`, `.` or `_` before a number at its end;
    that number may be left out, or added, where there is but one such sequence and file (Human4-2). `*_time.txt` are
    not read. A file that is too long is cut.

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
    meant = match_names([name for name, _ in files], frames)
    matched: dict[str, str] = {}
    for name, path in sorted(files, key=lambda file: file[0] not in frames):  # the very name before one alike
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


def match_names(given: Iterable[str], expected: Iterable[str]) -> dict[str, str]:
    """Which expected sequence each given name means, by the rule that `read_results` states.

    Returns:
      Given name -> expected name, without those that mean none.
    """
    given, expected = list(given), list(expected)
    meant = {_key(name): name for name in expected}
    keys = {_key(name) for name in given}
    alike, rivals = _by_stem(meant), _by_stem(keys)
    for key in keys - meant.keys():
        stem = _stem(key)
        if len(alike.get(stem, ())) == len(rivals[stem]) == 1 and stem in (key, alike[stem][0]):
            meant[key] = meant[alike[stem][0]]
    exact = set(expected)
    return {name: name if name in exact else meant[_key(name)] for name in given if _key(name) in meant}


def _key(name: str) -> str:
    """A name without the case of its letters, Jogging.1 and Jogging_1 as jogging-1."""
    return re.sub(r'[-._](?=[0-9]+$)', '-', name.casefold())


def _stem(key: str) -> str:
    return re.sub(r'-[0-9]+$', '', key)


def _by_stem(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(_stem(key), []).append(key)
    return found


def _files(folder: str) -> list[tuple[str, str]]:
    """(name, path) of every result file, sorted."""
    found = []
    for file in listing.names_in(folder, folders=False):
        stem, ending = os.path.splitext(file)
        if ending in _ENDINGS and not stem.endswith('_time'):
            found.append((stem, os.path.join(folder, file)))
    for name in listing.names_in(folder, folders=True):
        path = os.path.join(folder, name, f'{name}_001.txt')
        if os.path.isfile(path):
            found.append((name, path))
    return found


def read_truth(benchmark: str, root: str | os.PathLike, split: str | None = None) -> dict[str, Truth]:
    """Ground truth by sequence: of a folder of `<sequence>.txt`, or of a benchmark with its frames.

    Args:
      benchmark: a key of `data.sequences.BENCHMARKS`.
      root: a folder of annotation files, one that has them in `annotations`, or the benchmark's own.
      split: as `data.sequences.read_sequences`.

    Raises:
      ValueError: neither; an annotation with a damaged row.
    """
    if benchmark not in ORIGINS:
        raise ValueError(f'benchmark: got {benchmark!r}, accepted are {", ".join(ORIGINS)}')
    for folder in (os.path.join(root, 'annotations'), os.fspath(root)):
        files = listing.names_in(folder, folders=False) if os.path.isdir(folder) else []
        files = [file for file in files if file.endswith('.txt')]
        if files and not listing.names_in(folder, folders=True):
            return {file[:-4]: _annotation(os.path.join(folder, file), ORIGINS[benchmark]) for file in files}
    found = sequences_lib.read_sequences(benchmark, root, split=split)
    return {each.name: sequence_truth(benchmark, each) for each in found}


def sequence_truth(benchmark: str, sequence: sequences_lib.Sequence) -> Truth:
    """Ground truth of a sequence that was read with its frames.

    Frames are absent where the benchmark flags them beside its boxes (LaSOT, GOT-10k). UAV123 has NaN boxes alone, and
    toolkits judge those otherwise.
    """
    flagged = benchmark in _FLAGGED and sequence.visible is not None
    return Truth(sequence.boxes, sequence.visible == 0 if flagged else None)


def _annotation(path: str, origin: int) -> Truth:
    boxes = _plain(listing.read_text(path))
    if boxes is None:
        found = rows.read_rows(path)
        if found.refused:
            raise ValueError(found.refused[0])
        boxes = found.values
    return Truth(boxes - [origin, origin, 0, 0])


def score_results(
    results: Results, truth: Mapping[str, Truth], convention: str = 'otb', origin: float = 0
) -> dict[str, one_pass.Scores]:
    """Scores of every sequence that has results, in the order of `truth`; missing ones are for the caller to report.

    Args:
      results: of `read_results`.
      truth: of `read_truth`.
      convention: as `one_pass.score_sequence`.
      origin: as `one_pass.score_sequence`.
    """
    return {
        name: one_pass.score_sequence(results.boxes[name], each.boxes, each.absent, convention, origin)
        for name, each in truth.items()
        if name in results.boxes
    }

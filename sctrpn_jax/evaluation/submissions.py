"""Zip files that TrackingNet's and GOT-10k's servers take; the same boxes give the same bytes, and nothing is left out.

TrackingNet: `<sequence>.txt` with `%.2f` numbers (visionml/pytracking, pack_trackingnet_results.py), 511 of them.
GOT-10k: `<sequence>/<sequence>_001.txt` (`%.3f`) and `<sequence>_time.txt` (`%.8f`), by got-10k/toolkit, 180 of them.
"""

import os
import pathlib
import zipfile
from collections.abc import Mapping

import numpy as np

TRACKINGNET_SEQUENCES, GOT10K_SEQUENCES = 511, 180
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
_NAMED = 5


def write_trackingnet(
    path: str | os.PathLike,
    boxes: Mapping[str, np.ndarray],
    frames: Mapping[str, int],
    sequences: int = TRACKINGNET_SEQUENCES,
) -> None:
    """Writes a TrackingNet submission; whole or not at all.

    Args:
      path: the zip file, replaced where there is one.
      boxes: sequence -> [T, 4] xywh, 0-based as the set counts.
      frames: sequence -> T, of all sequences that the server wants.
      sequences: how many those are.

    Raises:
      ValueError: a sequence is missing or not wanted, or has another number of boxes or one that is not finite.
    """
    boxes = _checked('TrackingNet', boxes, frames, sequences)
    _write_zip(path, {f'{name}.txt': _text(each, '%.2f') for name, each in boxes.items()})


def write_got10k(
    path: str | os.PathLike,
    boxes: Mapping[str, np.ndarray],
    seconds: Mapping[str, np.ndarray],
    frames: Mapping[str, int],
    sequences: int = GOT10K_SEQUENCES,
) -> None:
    """Writes a GOT-10k submission of one repetition; whole or not at all.

    Args:
      path: the zip file, replaced where there is one.
      boxes: sequence -> [T, 4] xywh, 0-based; written 1-based, as the set counts.
      seconds: sequence -> [T] time of each frame.
      frames: sequence -> T, of all sequences that the server wants.
      sequences: how many those are.

    Raises:
      ValueError: as `write_trackingnet`, for boxes and for times.
    """
    boxes = _checked('GOT-10k', boxes, frames, sequences)
    files = {}
    for name, each in boxes.items():
        times = np.asarray(seconds.get(name, ()), np.float64)
        if times.shape != (frames[name],) or not (np.isfinite(times) & (times >= 0)).all():
            raise ValueError(f'GOT-10k: {name}: got times {times.shape}, accepted are {frames[name]}, from 0 on')
        files[f'{name}/{name}_001.txt'] = _text(each + [1, 1, 0, 0], '%.3f')
        files[f'{name}/{name}_time.txt'] = _text(times[:, None], '%.8f')
    _write_zip(path, files)


def _checked(
    server: str, boxes: Mapping[str, np.ndarray], frames: Mapping[str, int], sequences: int
) -> dict[str, np.ndarray]:
    """The boxes in the order of their names."""
    if len(frames) != sequences:
        raise ValueError(f'{server}: got {len(frames)} sequences to submit, its server wants {sequences}')
    for what, names in (('missing', frames.keys() - boxes.keys()), ('not wanted', boxes.keys() - frames.keys())):
        if names:
            shown = ', '.join(sorted(names)[:_NAMED]) + (', ...' if len(names) > _NAMED else '')
            raise ValueError(f'{server}: {len(names)} of {sequences} sequences {what}: {shown}')
    found = {}
    for name in sorted(frames):
        each = np.asarray(boxes[name], np.float64)
        if name in ('.', '..') or not name or set(name) & set('/\\\0'):
            raise ValueError(f'{server}: {name!r} is no name of a sequence')
        if each.shape != (frames[name], 4):
            raise ValueError(f'{server}: {name}: got boxes {each.shape}, expected {(frames[name], 4)}, one a frame')
        bad = np.flatnonzero(~np.isfinite(each).all(axis=1))
        if len(bad):
            raise ValueError(f'{server}: {name}: {len(bad)} boxes are not finite, first that of frame {bad[0]}')
        found[name] = each
    return found


def _text(values: np.ndarray, form: str) -> bytes:
    """Rows of numbers parted by commas."""
    line = ','.join([form] * values.shape[1]) + '\n'
    return ''.join(line % tuple(row) for row in values.tolist()).encode()


def _write_zip(path: str | os.PathLike, files: Mapping[str, bytes]) -> None:
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'{path.name}.partial')
    try:
        with zipfile.ZipFile(partial, 'w') as archive:
            for name, content in files.items():
                entry = zipfile.ZipInfo(name, _DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                entry.create_system = 3  # Unix on every system, or the bytes would differ
                archive.writestr(entry, content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)

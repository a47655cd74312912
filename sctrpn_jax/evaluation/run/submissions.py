"""Zip files that a benchmark's server takes; the same boxes give the same bytes, and nothing is left out."""

import os
import zipfile
from collections.abc import Mapping

import numpy as np

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.system import files

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
_NAMED = 5
_TIME_FORMAT = '%.8f'


def write(
    path: str | os.PathLike,
    benchmark: record.Benchmark,
    boxes: Mapping[str, np.ndarray],
    seconds: Mapping[str, np.ndarray],
    frames: Mapping[str, int],
) -> None:
    """Writes a submission of one repetition, whole or not at all.

    Args:
      path: the zip file, replaced where there is one.
      benchmark: one with a server.
      boxes: sequence -> [T, 4] xywh, 0-based; written from the benchmark's own origin.
      seconds: sequence -> [T] seconds per frame; read where the server asks for them.
      frames: sequence -> T, of all sequences that the server wants.

    Raises:
      ValueError: a sequence is missing or not wanted, has another number of boxes or one that is not finite, or lacks
        its times.
    """
    form, wanted = benchmark.submission, benchmark.split(benchmark.submission.split)
    contents = {}
    for name, each in _checked(wanted.title, boxes, frames, wanted.count).items():
        shift = np.array([benchmark.origin, benchmark.origin, 0, 0])
        contents[form.boxes.format(name=name)] = _text(each + shift, form.box_format)
        if form.times:
            times = np.asarray(seconds.get(name, ()), np.float64)
            if times.shape != (frames[name],) or not (np.isfinite(times) & (times >= 0)).all():
                raise ValueError(
                    f'{wanted.title}: {name}: got times {times.shape}, accepted are {frames[name]}, each 0 or more'
                )
            contents[form.times.format(name=name)] = _text(times[:, None], _TIME_FORMAT)
    _write_zip(path, contents)


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
            raise ValueError(f'{server}: {name}: got boxes {each.shape}, expected {(frames[name], 4)}, one per frame')
        bad = np.flatnonzero(~np.isfinite(each).all(axis=1))
        if len(bad):
            raise ValueError(f'{server}: {name}: {len(bad)} boxes are not finite, first that of frame {bad[0]}')
        found[name] = each
    return found


def _text(values: np.ndarray, form: str) -> bytes:
    """Rows of numbers separated by commas."""
    line = ','.join([form] * values.shape[1]) + '\n'
    return ''.join(line % tuple(row) for row in values.tolist()).encode()


def _write_zip(path: str | os.PathLike, contents: Mapping[str, bytes]) -> None:
    with files.replacing(path) as partial, zipfile.ZipFile(partial, 'w') as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix on every system, or the bytes would differ
            archive.writestr(entry, content)

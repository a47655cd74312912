"""The track table of a prepared set: all targets as flat arrays, so that no image is read to choose one."""

import dataclasses
import os

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.system import files

_SEPARATOR = '\0'  # no file name can have it


@dataclasses.dataclass(frozen=True, eq=False)
class TrackTable:
    """T targets with N rows in all, target by target; xywh boxes.

    Attributes:
      starts: [T + 1] int64: rows of target t are starts[t] to starts[t + 1].
      clip: [T] int64: number of the target's clip.
      clips: names of the clips.
      targets: T names, unique within a clip.
      categories: T texts.
      frame: [N] int64: order and distance in time.
      image: [N] int64: number of the image that the row was annotated on; rows of the same image share it.
      record: [N] int64: which record of the set holds the row's pixels; -1 where there are none (a target without a
        box, in a set of crops).
      boxes: [N, 4] float32, pixels of the published image, 0-based; NaN where the target has no box.
      visible: [N] float32, 0..1, NaN where the set does not say.
      places: [N, 3] float32: centre x, y in the published image of the stored crop, and crop pixels per image pixel;
        NaN in a set of whole images.
      polygons: [N, 8] float32, NaN where a target has none.
      tags: [N] uint32: bit i is tag_names[i].
      tag_names: at most 32.
    """

    starts: np.ndarray
    clip: np.ndarray
    clips: list[str]
    targets: list[str]
    categories: list[str]
    frame: np.ndarray
    image: np.ndarray
    record: np.ndarray
    boxes: np.ndarray
    visible: np.ndarray
    places: np.ndarray
    polygons: np.ndarray
    tags: np.ndarray
    tag_names: list[str]


_NAMES = ('clips', 'targets', 'categories', 'tag_names')
_DTYPES = {'boxes': np.float32, 'visible': np.float32, 'places': np.float32, 'polygons': np.float32, 'tags': np.uint32}


def write_table(path: str | os.PathLike, table: TrackTable) -> None:
    """Writes a table as .npz, whole or not at all."""
    arrays = {}
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        # Names are one text: an array of strings would be as wide as the longest.
        text = _SEPARATOR.join(value).encode('utf-8', 'surrogateescape') if field.name in _NAMES else None
        arrays[field.name] = value if text is None else np.frombuffer(text, np.uint8)
        if text is not None:
            arrays[f'{field.name}_count'] = np.int64(len(value))
    with files.replacing(path) as partial, partial.open('wb') as file:
        np.savez_compressed(file, **arrays)


_COLUMNS = {'boxes': (4,), 'places': (3,), 'polygons': (8,)}  # what one row of these has


def read_table(path: str | os.PathLike) -> TrackTable:
    """Reads what `write_table` wrote.

    Raises:
      ValueError: missing, damaged or of another form; the message names the file.
    """
    try:
        with bounded.ArrayFile(path, 'a track table') as file:
            values = {field.name: file[field.name] for field in dataclasses.fields(TrackTable)}
            counts = {name: int(file[f'{name}_count']) for name in _NAMES}
        for name, count in counts.items():
            text = values[name].tobytes().decode('utf-8', 'surrogateescape')
            values[name] = text.split(_SEPARATOR) if count else []
            if len(values[name]) != count:
                raise ValueError(f'{len(values[name])} {name} for {count}')
        table = TrackTable(**values)
        _check(table)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f'cannot read track table {os.fspath(path)!r}: {error}; run bin/prepare_data again') from error
    return table


def _check(table: TrackTable) -> None:
    """ValueError where the arrays do not go together, or point to what is not there."""
    rows, targets = len(table.frame), len(table.targets)
    lengths = {'starts': targets + 1, 'clip': targets} | dict.fromkeys(('frame', 'image', 'record', *_DTYPES), rows)
    for name, length in lengths.items():
        array, shape = getattr(table, name), (length, *_COLUMNS.get(name, ()))
        if array.shape != shape or array.dtype != _DTYPES.get(name, np.int64):
            raise ValueError(f'{name} of shape {array.shape} and type {array.dtype}; expected {shape}')
    ordered = table.starts[0] == 0 and table.starts[-1] == rows and (np.diff(table.starts) >= 0).all()
    known = (table.clip >= 0).all() and (table.clip < len(table.clips)).all() and len(table.categories) == targets
    if not (ordered and known and (table.image >= 0).all() and (table.record >= -1).all()):
        raise ValueError('rows, targets and clips do not go together')
    there = table.boxes[np.isfinite(table.boxes).all(axis=1)]
    if (there[:, 2:] <= 0).any() or len(there) + np.isnan(table.boxes).all(axis=1).sum() < rows:
        raise ValueError('boxes that are neither absent nor of a size')


def join_tables(tables: list[TrackTable], records: list[int], images: list[int]) -> TrackTable:
    """Tables of consecutive parts of a set as one.

    Args:
      tables: P parts.
      records: P counts of records.
      images: P counts of images.

    Returns:
      The table with records, images and clips numbered through.
    """

    def shifted(name, counts):
        first = np.cumsum([0, *counts])[:-1]
        return np.concatenate(
            [np.where(getattr(t, name) < 0, -1, getattr(t, name) + at) for t, at in zip(tables, first, strict=True)]
        ).astype(np.int64)

    def listed(name):
        return [text for table in tables for text in getattr(table, name)]

    tag_names = sorted({name for table in tables for name in table.tag_names})
    first_row = np.cumsum([0, *(len(table.frame) for table in tables)])
    joined = {name: np.concatenate([getattr(table, name) for table in tables]) for name in ('frame', *_DTYPES)}
    joined['tags'] = np.concatenate([_renumber(table.tags, table.tag_names, tag_names) for table in tables])
    return TrackTable(
        starts=np.concatenate([[0], *(t.starts[1:] + at for t, at in zip(tables, first_row, strict=False))]),
        clip=shifted('clip', [len(table.clips) for table in tables]),
        image=shifted('image', images),
        record=shifted('record', records),
        clips=listed('clips'),
        targets=listed('targets'),
        categories=listed('categories'),
        tag_names=tag_names,
        **joined,
    )


def _renumber(tags: np.ndarray, old: list[str], new: list[str]) -> np.ndarray:
    made = np.zeros_like(tags)
    for bit, name in enumerate(old):
        made |= ((tags >> np.uint32(bit)) & np.uint32(1)) << np.uint32(new.index(name))
    return made


class TableBuilder:
    """Gathers targets row by row into a `TrackTable`."""

    def __init__(self):
        self._clips, self._targets, self._categories, self._clip = [], [], [], []
        self._lengths, self._parts = [], []
        self._tag_names: list[str] = []

    def add_clip(self, name: str) -> None:
        """Starts a clip; targets added next belong to it."""
        self._clips.append(name)

    def add_target(self, target, keep: np.ndarray, **columns: np.ndarray) -> None:
        """Adds the kept rows of a target of the clip added last.

        Args:
          target: `layouts.clip.Target` of R rows.
          keep: [R] bool.
          **columns: frame, image, record [R] int64 and places [R, 3] float32.
        """
        count = int(keep.sum())
        tags = np.zeros(len(keep), np.uint32)
        for name, values in target.tags.items():
            if name not in self._tag_names:
                self._tag_names.append(name)
            tags |= values.astype(np.uint32) << np.uint32(self._tag_names.index(name))
        polygons = np.full((len(keep), 8), np.nan) if target.polygons is None else target.polygons
        row = {'boxes': target.boxes, 'visible': target.visible, 'polygons': polygons, 'tags': tags} | columns
        self._parts.append({name: values[keep] for name, values in row.items()})
        self._lengths.append(count)
        self._clip.append(len(self._clips) - 1)
        self._targets.append(target.name)
        self._categories.append(target.category)

    def table(self) -> TrackTable:
        """The table of all that was added."""
        if len(self._tag_names) > 32:
            raise ValueError(f'{len(self._tag_names)} tags; at most 32 fit: {", ".join(self._tag_names)}')
        shapes = {'boxes': (0, 4), 'places': (0, 3), 'polygons': (0, 8)}

        def column(name):
            parts = [part[name] for part in self._parts] or [np.zeros(shapes.get(name, (0,)))]
            return np.concatenate(parts).astype(_DTYPES.get(name, np.int64))

        return TrackTable(
            starts=np.cumsum([0, *self._lengths]).astype(np.int64),
            clip=np.array(self._clip, np.int64),
            clips=self._clips,
            targets=self._targets,
            categories=self._categories,
            tag_names=self._tag_names,
            **{name: column(name) for name in ('frame', 'image', 'record', *_DTYPES)},
        )

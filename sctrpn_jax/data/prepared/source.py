"""Prepared sets read back: as a source of training pairs, as whole sequences, and record by record."""

import os
import pathlib

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.data import images
from sctrpn_jax.data.prepared import features
from sctrpn_jax.data.prepared import table as table_lib


def read_summary(folder: str | os.PathLike) -> dict:
    """What prepared.json of a set says (`prepare.finish`).

    Raises:
      ValueError: no prepared set there, or one whose prepared.json is damaged.
    """
    path = pathlib.Path(folder) / 'prepared.json'
    try:
        summary = bounded.read_json(path, 'what a prepared set holds,')
    except OSError as error:
        raise ValueError(f'no prepared set in {os.fspath(folder)!r} ({error}); run bin/prepare_data') from error
    if wrong := _wrong(summary):
        raise ValueError(f'{path}: {wrong}; the set is damaged, run bin/prepare_data again')
    return summary


_COUNTS = ('clips', 'targets', 'rows', 'records', 'bytes', 'refused')


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _wrong(summary: object) -> str:
    """What a prepared.json lacks; empty: nothing."""
    if not isinstance(summary, dict) or not {'dataset', 'crop', 'splits'} <= summary.keys():
        return 'has no dataset, crop and splits'
    if summary['crop'] is not None and not (_is_count(summary['crop']) and 0 < summary['crop'] < 2**16):
        return f'crop is {summary["crop"]!r:.40}, expected null or the side of the crops, pixels'
    if not isinstance(summary['splits'], dict):
        return 'splits is no object'
    for name, split in summary['splits'].items():
        if not isinstance(split, dict) or not all(_is_count(split.get(count)) for count in _COUNTS):
            return f'split {name!r:.40} has no {", ".join(_COUNTS)}'
        files = split.get('files')
        good = isinstance(files, list) and all(
            isinstance(each, dict)
            and isinstance(each.get('file'), str)
            and isinstance(each.get('sha256'), str)
            and os.path.basename(each['file']) == each['file'] != ''
            and _is_count(each.get('records'))
            for each in files
        )
        if not good or sum(each['records'] for each in files) != split['records']:
            return f'split {name!r:.40} has no list of its files, their records and checksums'
    return ''


class PreparedSplit:
    """One split: its track table, and the encoded images by record.

    Args:
      folder: of the set (`prepare.Job.folder`).
      split: name of the split.

    Raises:
      ValueError: no such set or split, or a damaged one: the message names the file.
    """

    def __init__(self, folder: str | os.PathLike, split: str):
        summary = read_summary(folder)
        if split not in summary['splits']:
            there = ', '.join(summary['splits'])
            raise ValueError(f'{os.fspath(folder)!r} has no split {split!r}; its splits are {there}')
        self.folder, self.split, self.crop = os.fspath(folder), split, summary['crop']
        self._files, count = summary['splits'][split]['files'], summary['splits'][split]['records']
        path = pathlib.Path(folder) / f'tracks-{split}.npz'
        self.table = table_lib.read_table(path)
        if self.table.record.max(initial=-1) >= count:
            raise ValueError(f'{path}: the track table does not fit the {count} records of its set')
        for file in self._files:
            features.check_file(os.path.join(self.folder, file['file']), file['records'])
        self._records = features.open_records(self.folder, split, self._files)

    def __getstate__(self):
        return self.__dict__ | {'_records': None}  # open files do not travel to another process

    @property
    def records(self):
        """[R] the records: `records[i]` is a dict with `image` (encoded bytes) and `path` (bytes)."""
        if self._records is None:
            self._records = features.open_records(self.folder, self.split, self._files)
        return self._records

    def stored(self, record: int) -> dict:
        """A record of `records`.

        Raises:
          ValueError: its bytes are damaged; the message has the file.
        """
        try:
            return self.records[record]
        except Exception as error:  # of the library's readers
            ends = np.cumsum([file['records'] for file in self._files])
            file = self._files[int(np.searchsorted(ends, record, side='right'))]['file']
            path = os.path.join(self.folder, file)
            raise bounded.damaged(path, f'a whole file of images, record {record} of {self.split}', error) from None

    def image(self, record: int) -> np.ndarray:
        """[H, W, 3] uint8 RGB of a record.

        Raises:
          ValueError: it does not decode; the message has the set and the published file.
        """
        stored = self.stored(record)
        name = f'{self.folder}, {self.split} record {record} ({stored["path"].decode(errors="replace")})'
        return images.decode_image(stored['image'], name)

    def box_in_record(self, row: int) -> np.ndarray:
        """[4] float32 xywh of a row of the table in the pixels of its record: of the crop, where the set has crops."""
        box = self.table.boxes[row]
        if self.crop is None:
            return box
        size = box[2:] * self.table.places[row, 2]
        return np.concatenate([self.crop / 2 - size / 2, size]).astype(np.float32)


class PreparedSource:
    """A split as `pairs.Source`: rows with a box that is large enough, of a target that is not absent or hidden.

    Args:
      folder: of the set.
      split: name of the split.
      min_side: rows with a side under it (image pixels) are left out.

    Raises:
      ValueError: as `PreparedSplit`, or no row is left.
    """

    refused: tuple[str, ...] = ()  # bin/prepare_data has named what was refused

    def __init__(self, folder: str | os.PathLike, split: str = 'train', min_side: float = 4.0):
        self._split = PreparedSplit(folder, split)
        table = self._split.table
        self.name = f'{pathlib.Path(folder).parent.name}:{split}'
        with np.errstate(invalid='ignore'):
            good = (table.boxes[:, 2:] >= min_side).all(axis=1) & ~(table.visible <= 0) & (table.record >= 0)
        self.rows = np.flatnonzero(good)
        if not len(self.rows):
            raise ValueError(f'{self.name}: none of {len(good)} rows has a box with sides of {min_side:g} pixels')
        track = np.repeat(np.arange(len(table.targets)), np.diff(table.starts))[self.rows]
        changes = np.flatnonzero(np.diff(track, prepend=-1))
        self.starts = np.append(changes, len(track))
        self.frame = table.frame[self.rows]
        self.image = table.image[self.rows]

    def read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Image [H, W, 3] uint8 RGB and box [4] float32 xywh in its pixels; ValueError where it does not decode."""
        number = int(self.rows[row])
        return self._split.image(int(self._split.table.record[number])), self._split.box_in_record(number)

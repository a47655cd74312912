"""Prepared sets read back: as a source of training pairs, as whole sequences, and record by record."""

import json
import os
import pathlib

import numpy as np
import tensorflow_datasets as tfds

from sctrpn_jax.data import images
from sctrpn_jax.data.prepared import table as table_lib


def read_summary(folder: str | os.PathLike) -> dict:
    """What prepared.json of a set says (`prepare.finish`).

    Raises:
      ValueError: no prepared set there.
    """
    path = pathlib.Path(folder) / 'prepared.json'
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'no prepared set in {os.fspath(folder)!r} ({error}); run bin/prepare_data') from error


class PreparedSplit:
    """One split: its track table, and the encoded images by record.

    Args:
      folder: of the set (`prepare.Job.folder`).
      split: name of the split.

    Raises:
      ValueError: no such set or split, or a damaged one.
    """

    def __init__(self, folder: str | os.PathLike, split: str):
        summary = read_summary(folder)
        if split not in summary['splits']:
            there = ', '.join(summary['splits'])
            raise ValueError(f'{os.fspath(folder)!r} has no split {split!r}; its splits are {there}')
        self.folder, self.split, self.crop = os.fspath(folder), split, summary['crop']
        self.table = table_lib.read_table(pathlib.Path(folder) / f'tracks-{split}.npz')
        self._records = None

    def __getstate__(self):
        return self.__dict__ | {'_records': None}  # open files do not travel to another process

    @property
    def records(self):
        """[R] the records: `records[i]` is a dict with `image` (encoded bytes) and `path` (bytes)."""
        if self._records is None:
            builder = tfds.builder_from_directory(self.folder)
            decoders = {'image': tfds.decode.SkipDecoding()}
            self._records = builder.as_data_source(self.split, decoders=decoders)
        return self._records

    def image(self, record: int) -> np.ndarray:
        """[H, W, 3] uint8 RGB of a record.

        Raises:
          ValueError: it does not decode; the message has the set and the published file.
        """
        stored = self.records[record]
        name = f'{self.folder}, {self.split} record {record} ({stored["path"].decode()})'
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

"""UAV123 as published: `data_seq/<subset>/<video>/000001.jpg`, `anno/<subset>/<name>.txt`; boxes taken as printed.

A row of NaN: wholly hidden or out of the image (the set's README). Parts of a video (car1_1, car1_2) share its folder:
each begins with the last frame of the part before, except three that the published list (`configSeqs.m`) places
elsewhere. UAV20L uses the images of UAV123; UAV123_10fps has every third of them, numbered from 1 again. This gives all
starts of `uav123.json` (got-10k/toolkit) and of the `configSeqs.m` that comes with the 10 fps images.
"""

import os
import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from sctrpn_jax.data.layouts import clip, listing, rows

# First frame, in the 30 fps numbering, of the parts that do not begin where the part before ended.
_STARTS = {'bird1_2': 775, 'bird1_3': 1573, 'uav1_3': 2473}


class Uav123:
    """One clip per annotation file."""

    splits: ClassVar[tuple[str, ...]] = ('UAV123', 'UAV123_10fps', 'UAV20L')
    clips_per_shard: ClassVar[int] = 4

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        self._split = split
        self._anno = os.path.join(root, 'anno', split)
        self._videos = os.path.join(root, 'data_seq', 'UAV123' if split == 'UAV20L' else split)
        self.refused: Sequence[str] = []
        files = listing.names_in(self._anno, folders=False) if os.path.isdir(self._anno) else []
        self._names = [file[:-4] for file in files if file.endswith('.txt')]
        if not self._names:
            raise ValueError(f'no UAV123 annotations; expected {os.path.join(self._anno, "<name>.txt")}')

    def keys(self) -> Sequence[str]:
        """Names of the annotation files, sorted."""
        return self._names

    def read(self, key: str) -> clip.Clip:
        """The clip of an annotation; ValueError, naming the file, where nothing of it can be used."""
        found, video = self._rows(key), re.sub(r'_[0-9]+$', '', key)
        images = listing.numbered_images(os.path.join(self._videos, video))
        first = self._first(key, video)
        if key != video:
            images = images.within(first, first + len(found) - 1)
            if not images.paths:
                raise ValueError(f'{images.folder}: no image from frame {first} on, where {key} begins')
        visible = np.where(np.isnan(found.values[:, 0]), 0, np.nan)
        return rows.one_target_clip(key, images, found, first, rows.to_boxes(found.values, origin=0), visible=visible)

    def _rows(self, name: str) -> rows.Rows:
        return rows.read_rows(os.path.join(self._anno, f'{name}.txt'))

    def _first(self, name: str, video: str) -> int:
        """Number of the image that a part, or a whole video, begins with."""
        part = 1 if name == video else int(name.rpartition('_')[2])
        after = 0
        while part > 1 and f'{video}_{part}' not in _STARTS:
            part -= 1
            after += len(self._rows(f'{video}_{part}')) - 1
        start = _STARTS.get(f'{video}_{part}', 1)
        return (start - 1) // (3 if self._split == 'UAV123_10fps' else 1) + 1 + after

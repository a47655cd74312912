"""TrackingNet as its devkit unpacks it: `TRAIN_0` .. `TRAIN_11`, `TEST` of `frames/<video>/0.jpg`, `anno/<video>.txt`.

Images are numbered from 0 without leading zeros, rows are x,y,w,h, and TEST has the first box alone. Boxes are taken as
printed, counted from 0: the devkit (SilvioGiancola/TrackingNet-devkit, `generate_BB_frames.py`) draws those numbers
into `<row>.jpg` with OpenCV. Rows may begin with a space and boxes reach out of the image (issue 23 there).
"""

import os
from collections.abc import Sequence
from typing import ClassVar

from sctrpn_jax.data.layouts import clip, listing, rows

_CHUNKS = {'train': tuple(f'TRAIN_{chunk}' for chunk in range(12)), 'test': ('TEST',)}


class TrackingNet:
    """One clip per video, from as many of the split's chunks as there are."""

    splits: ClassVar[tuple[str, ...]] = ('train', 'test')
    clips_per_shard: ClassVar[int] = 16

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        self._root, self._split = os.fspath(root), split
        self._chunks: dict[str, str] = {}
        self.refused: Sequence[str] = []
        for chunk in _CHUNKS[split]:
            folder = os.path.join(root, chunk)
            if os.path.isdir(folder):
                self._add(chunk, folder)
        if not self._chunks:
            expected = os.path.join(root, _CHUNKS[split][0], 'anno', '<video>.txt')
            raise ValueError(f'no TrackingNet videos; expected {expected}')

    def _add(self, chunk: str, folder: str) -> None:
        anno = os.path.join(folder, 'anno')
        names = [name[:-4] for name in listing.names_in(anno, folders=False) if name.endswith('.txt')]
        for name in names:
            if name in self._chunks:
                self.refused.append(f'{os.path.join(anno, name)}.txt: {self._chunks[name]} has a video of that name')
            else:
                self._chunks[name] = chunk
        frames = os.path.join(folder, 'frames')
        for name in sorted(set(listing.names_in(frames, folders=True)) - set(names)):
            self.refused.append(f'{os.path.join(frames, name)}: no annotation; expected {name}.txt in {anno}')

    def keys(self) -> Sequence[str]:
        """Names of the videos, chunk by chunk, sorted within."""
        return list(self._chunks)

    def read(self, key: str) -> clip.Clip:
        """The clip of a video; ValueError, naming the file, where nothing of it can be used."""
        folder = os.path.join(self._root, self._chunks[key])
        images = listing.numbered_images(os.path.join(folder, 'frames', key))
        found = rows.read_rows(os.path.join(folder, 'anno', f'{key}.txt'))
        if len(found) == 1 and self._split == 'test':
            found = found.padded(len(images.paths))
        return rows.one_target_clip(key, images, found, 0, rows.to_boxes(found.values, origin=0))

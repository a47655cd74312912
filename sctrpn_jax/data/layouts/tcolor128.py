"""TempleColor-128 as published: `<name>/img/0001.jpg`, `<name>/<name>_gt.txt`, `<name>/<name>_frames.txt`.

Boxes are x,y,w,h counted from 1, as in OTB, of which 50 videos are a part. The third file holds the numbers of the
first and the last image, `300,770`; the others are not annotated. Names of files may be spelled unlike the folder's
(`Yo_yos_ce1/Yo-yos_ce1_gt.txt`). From got-10k/toolkit, `got10k/datasets/tcolor128.py`, and visionml/pytracking,
`pytracking/evaluation/tpldataset.py`.
"""

import os
from collections.abc import Sequence
from typing import ClassVar

from sctrpn_jax.data.layouts import clip, listing, rows


class TColor128:
    """One clip per folder."""

    splits: ClassVar[tuple[str, ...]] = ('test',)
    clips_per_shard: ClassVar[int] = 4

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        self._root = os.fspath(root)
        self.refused: Sequence[str] = []
        self._files: dict[str, list[str]] = {}
        for name in listing.names_in(root, folders=True):
            files = listing.names_in(os.path.join(root, name), folders=False)
            if sum(file.endswith('_gt.txt') for file in files) == 1:
                self._files[name] = files
            else:
                self.refused.append(f'{os.path.join(root, name)}: expected one file <name>_gt.txt in it')
        if not self._files:
            raise ValueError(f'no TempleColor-128 sequences; expected {os.path.join(root, "<name>", "<name>_gt.txt")}')

    def keys(self) -> Sequence[str]:
        """Names of the folders, sorted."""
        return list(self._files)

    def read(self, key: str) -> clip.Clip:
        """The clip of a folder; ValueError, naming the file, where nothing of it can be used."""
        folder = os.path.join(self._root, key)
        images = listing.numbered_images(os.path.join(folder, 'img'))
        first = min(images.paths)
        for file in (file for file in self._files[key] if file.endswith('_frames.txt')):
            first, last = _range(os.path.join(folder, file))
            images = images.within(first, last)
            if not images.paths:
                raise ValueError(f'{images.folder}: no image from {first} to {last}, which {file} names')
        (file,) = (file for file in self._files[key] if file.endswith('_gt.txt'))
        found = rows.read_rows(os.path.join(folder, file))
        return rows.one_target_clip(key, images, found, first, rows.to_boxes(found.values, origin=1))


def _range(path: str) -> tuple[int, int]:
    """Numbers of the first and the last image."""
    text = listing.read_text(path)
    values = rows.numbers(text)
    if values is None or len(values) != 2 or not all(value.is_integer() for value in values):
        raise ValueError(f'{path}: got {text.strip()[:80]!r}, expected the numbers of the first and the last image')
    return int(values[0]), int(values[1])

"""OTB-2015 as published: `<name>/img/0001.jpg` (Board: five digits), `<name>/groundtruth_rect.txt`, rows x, y, w, h.

Pixels are counted from 1 and numbers separated by commas, tabs or spaces. 98 folders hold 100 sequences: Jogging and
Skating2 have two targets (`groundtruth_rect.1.txt`, `.2.txt`), Human4 has an empty first file. Five annotations cover a
part of the images, three begin at a later number, and Tiger1's first five frames are left out (startFrame, endFrame and
initOmit of the benchmark's sequence list, jwlim/tracker_benchmark; got-10k/toolkit, visionml/pytracking and
votchallenge/toolkit hold the same numbers).
"""

import os
import re
from collections.abc import Sequence
from typing import ClassVar

from sctrpn_jax.data.layouts import clip, listing, rows

_RANGES = {
    'David': (300, 770),
    'Diving': (1, 215),
    'Football1': (1, 74),
    'Freeman3': (1, 460),
    'Freeman4': (1, 283),
}
_FIRST = {'BlurCar1': 247, 'BlurCar3': 3, 'BlurCar4': 18}
_SKIP = {'Tiger1': 5}
_ANNOTATION = re.compile(r'groundtruth_rect(?:\.([0-9]+))?\.txt')


class Otb:
    """One clip per folder, one target per annotation file, named by its number ('1' where it has none)."""

    splits: ClassVar[tuple[str, ...]] = ('test',)
    clips_per_shard: ClassVar[int] = 4

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        self._root = os.fspath(root)
        self._annotations: dict[str, list[str]] = {}
        self.refused: Sequence[str] = []
        for name in listing.names_in(root, folders=True):
            files = listing.names_in(os.path.join(root, name), folders=False)
            self._annotations[name] = [file for file in files if _ANNOTATION.fullmatch(file)]
            if not self._annotations[name]:
                del self._annotations[name]
                self.refused.append(f'{os.path.join(root, name)}: no annotation; expected groundtruth_rect.txt in it')
        if not self._annotations:
            raise ValueError(f'no OTB sequences; expected {os.path.join(root, "<name>", "groundtruth_rect.txt")}')

    def keys(self) -> Sequence[str]:
        """Names of the folders, sorted."""
        return list(self._annotations)

    def read(self, key: str) -> clip.Clip:
        """The clip of a folder; ValueError, naming the file, where nothing of it can be used."""
        folder = os.path.join(self._root, key)
        images = listing.numbered_images(os.path.join(folder, 'img'))
        first, last = _RANGES.get(key, (_FIRST.get(key, 1), max(images.paths)))
        skip = _SKIP.get(key, 0)
        if key in _RANGES or skip:
            images = images.within(first + skip, last)
        targets, refused = {}, []
        files = [os.path.join(folder, file) for file in self._annotations[key]]
        for file in [file for file in files if listing.read_text(file).strip()] or files[:1]:
            name = _ANNOTATION.fullmatch(os.path.basename(file))[1] or '1'
            if name in targets:
                raise ValueError(f'{file}: a second annotation of target {name}')
            found = rows.read_rows(file)
            refused += found.refused
            if len(found) <= skip:
                raise ValueError(f'{file}: got {len(found)} rows, of which the first {skip} are not used')
            found = found[skip:]
            placed, unplaced = rows.place(found, images, first + skip)
            targets[name] = rows.make_target(found, placed, images, rows.to_boxes(found.values, origin=1), name)
            refused += unplaced
        return rows.make_clip(key, images, list(targets.values()), refused)

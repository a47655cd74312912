"""Need for Speed as published: `<name>/30/<name>/00001.jpg`, `<name>/30/<name>.txt`, and the same below `240`.

A row is a number, left, top, right, bottom, and more, which is not read (flags, a word in quotes); numbers are
separated by spaces. The text below `30` may have a row for each frame at 240 per second: then every eighth is of an
image. One row or one image more than the other is left out. From got-10k/toolkit, `got10k/datasets/nfs.py`.
"""

import os
from collections.abc import Sequence
from typing import ClassVar

from sctrpn_jax.data.layouts import clip, listing, rows

_RATIO = 8  # frames at 240 per second to one at 30


class Nfs:
    """One clip per text file; the split is the number of frames per second."""

    splits: ClassVar[tuple[str, ...]] = ('30', '240')
    clips_per_shard: ClassVar[int] = 4

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        self._split = split
        self.refused: Sequence[str] = []
        self._folders: dict[str, str] = {}
        for name in listing.names_in(root, folders=True):
            folder = os.path.join(root, name, split)
            if not os.path.isdir(folder):
                continue
            found = [file[:-4] for file in listing.names_in(folder, folders=False) if file.endswith('.txt')]
            if not found:
                self.refused.append(f'{folder}: no annotation; expected {name}.txt in it')
            self._folders |= dict.fromkeys(found, folder)
        if not self._folders:
            expected = os.path.join(root, '<name>', split, '<name>.txt')
            raise ValueError(f'no NfS sequences at {split} frames per second; expected {expected}')

    def keys(self) -> Sequence[str]:
        """Names of the text files, in the order of their folders."""
        return list(self._folders)

    def read(self, key: str) -> clip.Clip:
        """The clip of a sequence; ValueError, naming the file, where nothing of it can be used."""
        folder = self._folders[key]
        images = listing.numbered_images(os.path.join(folder, key))
        found = rows.read_rows(os.path.join(folder, f'{key}.txt'), parse_row)
        first, count = min(images.paths), len(images.paths)
        if self._split == '30' and len(found) > count + 1 and abs(len(found[::_RATIO]) - count) <= 1:
            found = found[::_RATIO]
        if abs(len(found) - count) == 1:
            found, images = found[:count], images.within(first, first + len(found) - 1)
        return rows.one_target_clip(key, images, found, first, rows.to_boxes(found.values, origin=0))


def parse_row(text: str) -> Sequence[float]:
    """Box x, y, w, h of a line; ValueError with the reason where it has none."""
    values = rows.numbers(' '.join(text.split()[:5]))
    if values is None or len(values) != 5:
        raise ValueError(f'got {text.strip()[:80]!r}, expected a number, left, top, right, bottom')
    left, top, right, bottom = rows.pixels(values[1:], text)
    return [left, top, right - left, bottom - top]

"""GOT-10k as published: `<split>/list.txt`, `<split>/<name>/00000001.jpg`, `groundtruth.txt` of x,y,w,h counted from 1.

Beside it lie `absence.label` (1: not there, the box means nothing), `cover.label` (visible part, 0 to 8 eighths),
`cut_by_image.label` and `meta_info.ini`, whose `object_class` is the category; the test split has none of these and the
first box alone. Folder and file names: got-10k/toolkit, `got10k/datasets/got10k.py`; counting from 1: its author in
issue 6 there; levels of cover: the dataset's download page.
"""

import os
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from sctrpn_jax.data.layouts import clip, listing, rows


class Got10k:
    """One clip per sequence; the label files may be missing, then nothing is said of visibility.

    `root` holds the split's folder or, as pieces of the set are often kept, is that folder.
    """

    splits: ClassVar[tuple[str, ...]] = ('train', 'val', 'test')
    clips_per_shard: ClassVar[int] = 32

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        folder = os.path.join(root, split)
        if not os.path.isdir(folder) and os.path.basename(os.path.abspath(root)) not in set(self.splits) - {split}:
            folder = os.fspath(root)
        names = os.path.join(folder, 'list.txt')
        self._split, self._folder = split, folder
        self.refused: Sequence[str] = []
        if os.path.isfile(names):
            self._names, self.refused = listing.read_names(names)
        else:
            found = listing.names_in(folder, folders=True) if os.path.isdir(folder) else []
            self._names = [name for name in found if os.path.isfile(os.path.join(folder, name, 'groundtruth.txt'))]
        if not self._names:
            expected = os.path.join(root, split, '<name>', 'groundtruth.txt')
            raise ValueError(f'no GOT-10k sequences; expected {expected}')

    def keys(self) -> Sequence[str]:
        """Names in `list.txt`, in its order; without it those of the folders, sorted."""
        return self._names

    def read(self, key: str) -> clip.Clip:
        """The clip of a sequence; ValueError, naming the file, where nothing of it can be used."""
        folder = os.path.join(self._folder, key)
        images = listing.numbered_images(folder)
        found = rows.read_rows(os.path.join(folder, 'groundtruth.txt'))
        if len(found) == 1 and self._split != 'train':
            found = found.padded(len(images.paths))
        visible, tags = None, {}
        boxes = rows.to_boxes(found.values, origin=1)
        for label, highest in (('cover', 8), ('absence', 1), ('cut_by_image', 1)):
            file = os.path.join(folder, f'{label}.label')
            if not os.path.isfile(file):
                continue
            flags, found = rows.read_flags(file, found, highest)
            if label == 'cover':
                visible = flags / 8
            elif label == 'absence':
                visible = np.where(flags > 0, 0, np.full(len(found), np.nan) if visible is None else visible)
                boxes = np.where(flags[:, None] > 0, np.nan, boxes)
            else:
                tags[label] = flags
        category, refused = _object_class(os.path.join(folder, 'meta_info.ini'))
        return rows.one_target_clip(
            key, images, found, 1, boxes, refused, category=category, visible=visible, tags=tags
        )


def _object_class(path: str) -> tuple[str, list[str]]:
    """The line `object_class: ...` of a file that need not be there."""
    if not os.path.isfile(path):
        return '', []
    for line in listing.read_text(path).split('\n'):
        name, _, value = line.partition(':')
        if name.strip() == 'object_class' and value.strip():
            return value.strip(), []
    return '', [f'{path}: no line "object_class: ..."; the category is not known']

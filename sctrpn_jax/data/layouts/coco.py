"""COCO, instance annotations of 2014 and 2017: one clip per image, one target per object.

`annotations/instances_<split>.json` beside `<split>/` with the images. `bbox` is [x, y, width, height] in continuous
pixels from the top left corner, 0-based (cocodataset.org, "Data format"), and is taken as it is; where it is missing or
has no area the box is that of `segmentation`. Objects with `iscrowd` are groups, not single targets, and are left out.
"""

import json
import os
from typing import ClassVar, NamedTuple

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.data.layouts import clip, listing, segmentation


class _Object(NamedTuple):
    """What is kept of one annotation while the file is parsed; polygons are most of the file and are let go at once."""

    id: object
    image: object
    category: object
    crowd: bool
    box: tuple[float, float, float, float] | None
    reason: str


def _box(entry: dict) -> tuple[float, float, float, float]:
    box = entry.get('bbox')
    if box:
        if not isinstance(box, list) or len(box) != 4 or not all(map(segmentation.is_pixel, box)):
            raise ValueError(f'bbox {str(box)[:60]} is not [x, y, width, height] in pixels')
        if min(box[2:]) > 0:
            return tuple(box)
        if min(box[2:]) < 0 or not entry.get('segmentation'):
            raise ValueError(f'size {box[2]:g}x{box[3]:g} is not positive')
    elif not entry.get('segmentation'):
        raise ValueError('neither bbox nor segmentation')
    return segmentation.segmentation_box(entry['segmentation'])


def _keep(entry: dict) -> object:
    """An annotation becomes an `_Object`; any other JSON object stays as it is."""
    if 'image_id' not in entry:
        return entry
    crowd, box, reason = bool(entry.get('iscrowd')), None, ''
    if not crowd:
        try:
            box = _box(entry)
        except ValueError as error:
            reason = str(error)
    return _Object(entry.get('id'), entry['image_id'], entry.get('category_id'), crowd, box, reason)


def _is_id(value: object) -> bool:
    return type(value) in (int, str)


def _is_text(value: object) -> bool:
    """Whether the value can be stored as text; JSON can spell half a surrogate pair."""
    return isinstance(value, str) and not any('\ud800' <= char <= '\udfff' for char in value)


class COCO:
    """COCO in its published layout, e.g. `COCO(root, 'train2017')`; see `clip.Layout`.

    Opening parses the annotation file once (train2017: 450 MB) and keeps flat arrays of it.

    Args:
      root: folder with `annotations/` and the folder of images, `<split>/` or `images/<split>/`.
      split: see `splits`.

    Raises:
      ValueError: unknown split, no such file or folder, not of the format, or no usable object.
    """

    splits: ClassVar[tuple[str, ...]] = ('train2017', 'val2017', 'train2014', 'val2014')
    clips_per_shard: ClassVar[int] = 1024

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        root = os.fspath(root)
        self._file = os.path.join(root, 'annotations', f'instances_{split}.json')
        folders = [os.path.join(root, split), os.path.join(root, 'images', split)]
        self._folder = next(filter(os.path.isdir, folders), folders[0])
        self._listings: dict[str, frozenset[str]] = {}
        self._refused: list[str] = []
        self._refused_of: dict[int, list[str]] = {}
        try:
            content = json.loads(bounded.read_bytes(self._file), object_hook=_keep)
        except OSError as error:
            expected = f'expected {self._file} and images {self._folder}/*.jpg'
            raise ValueError(f'{root!r} is no COCO folder ({error.strerror}); {expected}') from error
        except (ValueError, RecursionError) as error:
            raise ValueError(f'{self._file}: not JSON ({error})') from error
        if not isinstance(content, dict):
            content = {}
        lists = [content.get(name) for name in ('images', 'annotations', 'categories')]
        if not all(isinstance(entries, list) for entries in lists[:2]):
            raise ValueError(f'{self._file}: expected a JSON object with the lists images, annotations and categories')
        index = self._read_images(lists[0])
        self._read_objects(lists[1], index, self._read_categories(lists[2]))
        self._keys = [name for name, place in self._places.items() if self._starts[place] < self._starts[place + 1]]
        of_clips = {self._places[name] for name in self._keys}
        for place in sorted(self._refused_of.keys() - of_clips):
            self._refused += self._refused_of.pop(place)
        empty = len(self._places) - len(of_clips)
        if empty:
            self._refused.append(f'{self._file}: {empty} images without a usable object are left out')
        self.refused = tuple(self._refused)
        if not self._keys:
            raise ValueError(
                f'{self._file}: no usable object with an image {self._folder}/<file_name>'
                + (f'; first refusal: {self.refused[0]}' if self.refused else '')
            )

    def _exists(self, name: str) -> bool:
        folder, _, base = name.rpartition('/')
        if not base or name.startswith('/') or '..' in name.split('/'):
            return False
        if folder not in self._listings:
            try:
                names = listing.names_in(os.path.join(self._folder, folder), folders=False)
            except ValueError:
                names = []
            self._listings[folder] = frozenset(names)
        return base in self._listings[folder]

    def _read_images(self, entries: list) -> dict[int | str, int | None]:
        """Fills the places of images by name; gives the place of each image id, None where the image is refused."""
        self._places: dict[str, int] = {}
        index: dict[int | str, int | None] = {}
        for number, entry in enumerate(entries):
            image, name = (entry.get('id'), entry.get('file_name')) if isinstance(entry, dict) else (None, None)
            place, reason = None, ''
            if not _is_id(image) or not _is_text(name):
                reason = 'no id or no file_name'
            elif image in index:
                self._refused.append(f'{self._file}: image {image!r:.60} is there twice')
                continue
            elif name in self._places:
                reason = f'file_name {name!r:.200} is there twice'
            elif not self._exists(name):
                reason = f'{os.path.join(self._folder, name)!r:.300} does not exist'
            else:
                place = self._places[name] = len(self._places)
            if reason:
                self._refused.append(f'{self._file}: image {number} of the list, id {image!r:.60}: {reason}')
            if _is_id(image):
                index[image] = place
        self._listings.clear()
        return index

    def _read_categories(self, entries: object) -> dict[int | str, str]:
        entries = entries if isinstance(entries, list) else []
        pairs = [(entry.get('id'), entry.get('name')) for entry in entries if isinstance(entry, dict)]
        return {category: name for category, name in pairs if _is_id(category) and _is_text(name)}

    def _read_objects(self, entries: list, index: dict, categories: dict) -> None:
        """Fills names, boxes and categories [M], ordered by image, and their starts [images + 1]."""
        kept, crowds, seen = [], 0, set()
        for number, entry in enumerate(entries):
            if not isinstance(entry, _Object):
                self._refused.append(f'{self._file}: annotation number {number}: no image_id')
                continue
            if not _is_id(entry.image) or entry.image not in index:
                self._refused.append(f'{self._file}: annotation {entry.id!r:.60}: no image {entry.image!r:.60}')
                continue
            place = index[entry.image]
            if place is None:  # its image is refused by name
                continue
            if entry.crowd:
                crowds += 1
                continue
            reason = entry.reason
            if not _is_id(entry.id) or not _is_text(str(entry.id)):
                reason = 'no id'
            elif (place, str(entry.id)) in seen:
                reason = f'image {entry.image!r} has the id twice'
            if reason:
                line = f'{self._file}: annotation {entry.id!r:.60}: {reason}'
                self._refused_of.setdefault(place, []).append(line)
                continue
            seen.add((place, str(entry.id)))
            category = categories.get(entry.category, '') if _is_id(entry.category) else ''
            kept.append((place, str(entry.id), category, entry.box))
        if crowds:
            self._refused.append(f'{self._file}: {crowds} annotations with iscrowd are groups and left out')
        kept.sort(key=lambda row: row[0])
        self._names = [row[1] for row in kept]
        self._categories = [row[2] for row in kept]
        self._boxes = np.array([row[3] for row in kept], np.float64).reshape(-1, 4)
        self._starts = np.searchsorted([row[0] for row in kept], np.arange(len(self._places) + 1))

    def keys(self) -> list[str]:
        """File names of the images with a usable object, in the order of the annotation file."""
        return list(self._keys)

    def read(self, key: str) -> clip.Clip:
        """The image of that file name with its objects, named by their ids."""
        place = self._places.get(key)
        if place is None or self._starts[place] == self._starts[place + 1]:
            raise ValueError(f'{self._file}: no usable object of image {key!r}')
        targets = [
            clip.Target(self._names[row], np.zeros(1, np.int64), self._boxes[row : row + 1], self._categories[row])
            for row in range(self._starts[place], self._starts[place + 1])
        ]
        refused = tuple(self._refused_of.get(place, ()))
        return clip.Clip(key, [os.path.join(self._folder, key)], np.zeros(1, np.int64), targets, refused)

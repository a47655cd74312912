"""ImageNet VID (snippets of video) and DET (stills) of ILSVRC2015: JPEG files under `Data/`, one XML file per image.

Folder and file names are those of the devkit's readme.txt, 2.2 and 4.2; boxes: `imagenet_xml`.

Boxes of DET are relative to the size that the XML states, which is the size the annotator saw; where the stored image
has another one they are scaled to it (image-net.org/download-bboxes, named by the devkit readme 1.4).
"""

import os
import re
from typing import ClassVar

import numpy as np

from sctrpn_jax.data.layouts import clip, image_header, imagenet_xml, listing

_JPEG = ('.jpeg', '.jpg')
_DIGITS = 15  # of a frame number, at most
# Other folders are other people's: links `a`, `b`, .. to these (and to val) are a common aid of training scripts.
_TRAIN_FOLDER = re.compile(r'ILSVRC20\d\d_.*|n\d{8}')


def _open(layout: type, kind: str, root: str | os.PathLike, split: str) -> tuple[str, str]:
    """Folders of a split's images and annotation."""
    listing.check_split(split, layout.splits)
    folders = tuple(os.path.join(os.fspath(root), top, kind, split) for top in ('Data', 'Annotations'))
    for folder in folders:
        if not os.path.isdir(folder):
            raise ValueError(f'{os.fspath(root)!r} is no {layout.__name__} folder; expected {folder}')
    return folders


def _names(path: str, folders: bool, refused: list[str]) -> list[str]:
    """Sorted names in a folder, none where it is missing."""
    try:
        names = listing.names_in(path, folders)
    except ValueError:
        return []
    bad = [name for name in names if not name.isascii() and any('\ud800' <= char <= '\udfff' for char in name)]
    refused += [f'{path}/{ascii(name)}: the name is not UTF-8' for name in bad]
    return [name for name in names if name not in bad]


def _stems(path: str, endings: tuple[str, ...], refused: list[str]) -> dict[str, str]:
    """Name without its ending -> name, for the files in a folder that have one of the endings."""
    names = _names(path, False, refused)
    return {os.path.splitext(name)[0]: name for name in names if name.lower().endswith(endings)}


class ImageNetVID:
    """ImageNet VID in its published layout: one clip per snippet, one target per trackid; see `clip.Layout`.

    `Data/VID/train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000/000000.JPEG`, `Data/VID/val/ILSVRC2015_val_..`,
    and the same under `Annotations/VID` with `.xml`. Tags: `occluded` (in part or wholly, so visibility stays unknown)
    and `generated` (interpolated between boxes drawn by hand). The category is the WordNet id.

    Args:
      root: folder with `Data` and `Annotations` (ILSVRC2015).
      split: see `splits`.

    Raises:
      ValueError: unknown split, a folder is missing, or no snippet has both images and annotation.
    """

    splits: ClassVar[tuple[str, ...]] = ('train', 'val')
    clips_per_shard: ClassVar[int] = 16

    def __init__(self, root: str | os.PathLike, split: str):
        self._images, self._annotation = _open(type(self), 'VID', root, split)
        refused, keys = [], []
        for batch in self._batches(refused) if split == 'train' else ['']:
            there = set(_names(os.path.join(self._images, batch), True, refused))
            for name in _names(os.path.join(self._annotation, batch), True, refused):
                key = f'{batch}/{name}' if batch else name
                if name in there:
                    keys.append(key)
                else:
                    refused.append(f'{os.path.join(self._annotation, key)}: no images {self._images}/{key}')
        self._keys, self.refused = tuple(keys), tuple(refused)
        if not keys:
            name = 'ILSVRC2015_VID_train_*/ILSVRC2015_train_*' if split == 'train' else 'ILSVRC2015_val_*'
            raise ValueError(
                f'no snippet; expected {self._annotation}/{name}/000000.xml and {self._images}/{name}/000000.JPEG'
                + (f'; first refusal: {refused[0]}' if refused else '')
            )

    def _batches(self, refused: list[str]) -> list[str]:
        names = _names(self._annotation, True, refused)
        other = [name for name in names if not _TRAIN_FOLDER.fullmatch(name)]
        refused += [
            f'{os.path.join(self._annotation, name)}: not of the published layout, so not read' for name in other
        ]
        return [name for name in names if name not in other]

    def keys(self) -> list[str]:
        """Snippets, `<batch>/<snippet>` in train and `<snippet>` in val, sorted."""
        return list(self._keys)

    def read(self, key: str) -> clip.Clip:
        """The snippet with every annotated frame; a track has no row in frames that do not annotate it."""
        if key not in self._keys:
            raise ValueError(f'{self._annotation}: no snippet {key!r}')
        folder = os.path.join(self._annotation, key)
        refused, frames, rows = [], {}, []
        images = _stems(os.path.join(self._images, key), _JPEG, refused)
        xmls = _stems(folder, ('.xml',), refused)
        for stem in sorted(images.keys() | xmls.keys(), key=lambda stem: (stem.zfill(_DIGITS), stem)):
            path = os.path.join(folder, xmls.get(stem, f'{stem}.xml'))
            try:
                if stem not in images:
                    raise ValueError(f'{path}: no image {os.path.join(self._images, key, stem)}.JPEG')
                if not (stem.isascii() and stem.isdigit()) or len(stem) > _DIGITS:
                    raise ValueError(f'{os.path.join(self._images, key, images[stem])}: the name is no frame number')
                if int(stem) in frames:
                    raise ValueError(f'{path}: frame {int(stem)} is there twice')
                _, objects, bad = imagenet_xml.read_xml(path)
            except ValueError as error:
                refused.append(str(error))
                continue
            rows += [(len(frames), path, found) for found in objects]
            frames[int(stem)] = os.path.join(self._images, key, images[stem])
            refused += bad
        targets = _tracks(rows, refused)
        if not targets:
            first = f'; first refusal: {refused[0]}' if refused else ''
            raise ValueError(f'{folder}: no usable object in its {len(xmls)} files{first}')
        return clip.Clip(key, list(frames.values()), np.array(list(frames), np.int64), targets, tuple(refused))


def _tracks(rows: list[tuple[int, str, imagenet_xml.Object]], refused: list[str]) -> list[clip.Target]:
    """Targets of (row, file, object), in order of appearance; what contradicts an earlier row is refused."""
    tracks: dict[str, list[tuple[int, imagenet_xml.Object]]] = {}
    for row, path, found in rows:
        track = tracks.setdefault(found.track, [])
        if not found.track:
            refused.append(f'{path}: an object has no trackid')
        elif track and track[-1][0] == row:
            refused.append(f'{path}: trackid {found.track[:60]!r} is there twice')
        elif track and track[0][1].category != found.category:
            names = f'{found.category[:60]!r}, was {track[0][1].category[:60]!r}'
            refused.append(f'{path}: trackid {found.track[:60]!r} is of {names}')
        else:
            track.append((row, found))
    return [
        clip.Target(
            name=name,
            rows=np.array([row for row, _ in track], np.int64),
            boxes=np.array([found.box for _, found in track], np.float64),
            category=track[0][1].category,
            tags={
                'occluded': np.array([found.occluded for _, found in track]),
                'generated': np.array([found.generated for _, found in track]),
            },
        )
        for name, track in tracks.items()
        if track
    ]


class ImageNetDET:
    """ImageNet DET in its published layout: a clip an image, one target per object; see `clip.Layout`.

    `Data/DET/train/ILSVRC2013_train/n01440764/n01440764_1.JPEG`, `Data/DET/train/ILSVRC2014_train_0000/..`,
    `Data/DET/val/ILSVRC2012_val_00000001.JPEG`, and the same under `Annotations/DET` with `.xml`. Images without an XML
    hold no object (negatives) and are not read. Targets are named '0', '1', .. in the file's order; the category is the
    WordNet id.

    Args:
      root: folder with `Data` and `Annotations` (ILSVRC2015).
      split: see `splits`.

    Raises:
      ValueError: unknown split, a folder is missing, or no image has an annotation file.
    """

    splits: ClassVar[tuple[str, ...]] = ('train', 'val')
    clips_per_shard: ClassVar[int] = 1024

    def __init__(self, root: str | os.PathLike, split: str):
        self._images, self._annotation = _open(type(self), 'DET', root, split)
        refused: list[str] = []
        self._files: dict[str, tuple[str, str]] = {}
        self._list('', refused)
        self.refused = tuple(refused)
        if not self._files:
            pattern = '*/*' if split == 'train' else '*'
            raise ValueError(
                f'no image with annotation; expected {self._annotation}/{pattern}.xml and {self._images}/{pattern}.JPEG'
                + (f'; first refusal: {refused[0]}' if refused else '')
            )

    def _list(self, folder: str, refused: list[str]) -> None:
        images = _stems(os.path.join(self._images, folder), _JPEG, refused)
        for stem, name in _stems(os.path.join(self._annotation, folder), ('.xml',), refused).items():
            if stem in images:
                self._files[os.path.join(folder, stem)] = name, images[stem]
            else:
                path = os.path.join(self._annotation, folder, name)
                refused.append(f'{path}: no image {os.path.join(self._images, folder, stem)}.JPEG')
        for name in _names(os.path.join(self._annotation, folder), True, refused):
            # The published depth; a link to a folder above would be followed for ever.
            if _TRAIN_FOLDER.fullmatch(name) and folder.count('/') < 1:
                self._list(os.path.join(folder, name), refused)
            else:
                path = os.path.join(self._annotation, folder, name)
                refused.append(f'{path}: not of the published layout, so not read')

    def keys(self) -> list[str]:
        """Images that have an annotation file, by path in the split without ending, sorted within each folder."""
        return list(self._files)

    def read(self, key: str) -> clip.Clip:
        """The image with its objects; ValueError where it has none (validation has such images)."""
        if key not in self._files:
            raise ValueError(f'{self._annotation}: no image {key!r}')
        folder = os.path.dirname(key)
        path = os.path.join(self._annotation, folder, self._files[key][0])
        image = os.path.join(self._images, folder, self._files[key][1])
        stated, objects, refused = imagenet_xml.read_xml(path)
        if not objects:
            raise ValueError(refused[0] if refused else f'{path}: no object')
        scale = _scale(path, image, stated)
        targets = [
            clip.Target(str(number), np.zeros(1, np.int64), np.array([found.box]) * scale, found.category)
            for number, found in enumerate(objects)
        ]
        return clip.Clip(key, [image], np.zeros(1, np.int64), targets, tuple(refused))


def _scale(path: str, image: str, stated: tuple[float, float] | None) -> np.ndarray:
    """[4] float64: stored pixels per pixel of the stated size, for x, y, w, h; 1 where the XML states no size."""
    if stated is None or min(stated) <= 0:
        return np.ones(4)
    width, height = image_header.image_size(image)
    x, y = width / stated[0], height / stated[1]
    # Within the rounding of a size that was scaled to whole pixels; otherwise the image was turned or is another one.
    if abs(x / y - 1) > 0.02:
        raise ValueError(f'{path}: boxes on {stated[0]:g}x{stated[1]:g} pixels, but {image} has {width}x{height}')
    return np.array([x, y, x, y])

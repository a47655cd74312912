"""DAVIS as published: `JPEGImages/480p/<name>/00000.jpg`, `Annotations/480p/<name>/00000.png`; the masks' tight boxes.

DAVIS-2016 masks are grey, 0 or 255, one target; DAVIS-2017 masks have a palette, whose index is the object, 255 void
(davisvideochallenge/davis2017-evaluation, `davis2017/davis.py`). A split is the first list there is in
`ImageSets/2017`, `2016` (names) or `480p` (the release of 2016, paths). A missing mask: a frame without annotation.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import ClassVar

import cv2
import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.data.layouts import clip, listing

_VOID = 255


class Davis:
    """One clip per sequence.

    Without any list of a split, as in pieces of the set, each split is all folders.

    Args:
      root: folder of `JPEGImages` and `Annotations`.
      split: 'train' or 'val'.
      objects: one target per object; False: one target, all that is no background, and the lists of 2016 first.
    """

    splits: ClassVar[tuple[str, ...]] = ('train', 'val')
    clips_per_shard: ClassVar[int] = 16

    def __init__(self, root: str | os.PathLike, split: str, objects: bool = True):
        listing.check_split(split, self.splits)
        self._objects = objects
        self._images = os.path.join(root, 'JPEGImages', '480p')
        self._masks = os.path.join(root, 'Annotations', '480p')
        if not os.path.isdir(self._images):
            raise ValueError(f'no DAVIS sequences; expected {os.path.join(self._images, "<name>", "00000.jpg")}')
        self._names, self.refused = _split_names(
            root, split, ('2017', '2016', '480p') if objects else ('2016', '480p', '2017')
        )
        self._names = self._names or listing.names_in(self._images, folders=True)
        if not self._names:
            raise ValueError(f'no DAVIS sequences; expected {os.path.join(self._images, "<name>", "00000.jpg")}')

    def keys(self) -> Sequence[str]:
        """Names in the split's list, in its order; without it those of the folders, sorted."""
        return self._names

    def read(self, key: str) -> clip.Clip:
        """The clip of a sequence; ValueError, naming the file, where nothing of it can be used."""
        images = listing.numbered_images(os.path.join(self._images, key))
        masks = os.path.join(self._masks, key)
        if not os.path.isdir(masks):
            raise ValueError(f'no masks of DAVIS sequence {key!r}; expected {masks}')
        rows, boxes, refused = self._boxes(images, masks)
        labels = sorted(set().union(*(each or {} for each in boxes)))
        if not labels:
            raise ValueError(refused[0] if refused else f'{masks}: no mask shows an object')
        targets = [_target(label, rows, boxes, str(label) if self._objects else 'object') for label in labels]
        frames = np.array(list(images.paths), np.int64)
        return clip.Clip(key, tuple(images.paths.values()), frames, targets, (*images.refused, *refused))

    def _boxes(self, images: listing.Images, folder: str) -> tuple[list[int], list[dict | None], list[str]]:
        """Which images can be used, label -> box in each of them (None: it has no mask), and what was refused."""
        names = [name for name in listing.names_in(folder, folders=False) if name.endswith('.png')]
        masks = {name[:-4]: os.path.join(folder, name) for name in names}
        rows, boxes, refused, size = [], [], [], None
        for row, image in enumerate(images.paths.values()):
            path = masks.pop(os.path.splitext(os.path.basename(image))[0], None)
            try:
                labels = None if path is None else read_labels(path)
                if labels is not None:
                    size = size or labels.shape
                    if labels.shape != size:
                        raise ValueError(f'{path}: {labels.shape} pixels, expected {size} as in the masks before')
                    labels = labels if self._objects else labels > 0
            except ValueError as error:
                refused.append(str(error))
            else:
                rows.append(row)
                boxes.append(None if labels is None else _label_boxes(labels))
        refused += [f'{path}: no image of that frame in {images.folder}' for path in masks.values()]
        return rows, boxes, refused


def read_labels(path: str | os.PathLike) -> np.ndarray:
    """[H, W] labels of a mask, 0 where there is no object: palette indices without void, or grey values.

    A mask of other colours, or of grey up to 255 (DAVIS-2016), has the label 1 alone.

    Raises:
      ValueError: it is no undamaged PNG image.
    """
    try:
        data = bounded.read_bytes(path)
        picture, indexed = _index_picture(data)
        mask = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, ValueError, cv2.error):
        mask = None
    if mask is None:
        raise ValueError(f'{os.fspath(path)}: cannot decode mask; expected a PNG image')
    if indexed:
        mask = mask[..., 0] if mask.ndim == 3 else mask
        return np.where(mask == _VOID, 0, mask)
    if mask.ndim == 2 and mask.max() < 255:
        return mask
    return (mask if mask.ndim == 2 else mask[..., :3].any(axis=-1)).astype(bool).astype(np.uint8)


def _index_picture(data: bytes) -> tuple[bytes, bool]:
    """A PNG whose palette shows index i as grey i, because OpenCV gives colours alone; and whether it had a palette."""
    made, indexed = [data[:8]], False
    for kind, body in _chunks(data):
        if kind == b'IHDR':
            indexed = body[9:10] == b'\x03'
        if kind == b'PLTE' and indexed:
            body = bytes(np.arange(256, dtype=np.uint8).repeat(3))[: len(body)]
        if kind != b'tRNS':
            made.append(struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body)))
    return b''.join(made), indexed


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each part of a PNG file; ValueError where it is damaged (OpenCV would decode a part)."""
    if data[:8] != b'\x89PNG\r\n\x1a\n':
        raise ValueError('not a PNG image')
    position, kind = 8, b''
    while kind != b'IEND':
        header = data[position : position + 8]
        length, kind = int.from_bytes(header[:4], 'big'), header[4:]
        body = data[position + 8 : position + 8 + length]
        if data[position + 8 + length : position + 12 + length] != struct.pack('>I', zlib.crc32(kind + body)):
            raise ValueError('damaged PNG image')
        yield kind, body
        position += 12 + length


def _label_boxes(labels: np.ndarray) -> dict[int, list[float]]:
    """Label -> tight box xywh of its pixels."""
    boxes = {}
    for label in np.flatnonzero(np.bincount(labels[labels > 0])):
        columns, rows = np.flatnonzero((labels == label).any(axis=0)), np.flatnonzero((labels == label).any(axis=1))
        x, y = int(columns[0]), int(rows[0])
        boxes[int(label)] = [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y]
    return boxes


def _target(label: int, rows: list[int], found: list[dict[int, list[float]] | None], name: str) -> clip.Target:
    boxes = np.array([(each or {}).get(label, [np.nan] * 4) for each in found], np.float64)
    absent = np.array([each is not None and label not in each for each in found])
    return clip.Target(name, np.array(rows, np.int64), boxes, visible=np.where(absent, 0, np.nan).astype(np.float32))


def _split_names(root: str | os.PathLike, split: str, years: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of a split's first list; none where no year has one of any split."""
    sets = os.path.join(root, 'ImageSets')
    for year in years:
        path = os.path.join(sets, year, f'{split}.txt')
        if os.path.isfile(path):
            return _listed(path) if year == '480p' else listing.read_names(path)
    others = [os.path.join(sets, year, f'{other}.txt') for year in years for other in Davis.splits]
    if any(os.path.isfile(path) for path in others):
        raise ValueError(f'no list of the {split} split; expected {os.path.join(sets, "2017", split)}.txt')
    return [], []


def _listed(path: str) -> tuple[list[str], list[str]]:
    """Names in a list of the 2016 release: lines `/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png`."""
    found: dict[str, None] = {}
    refused = []
    for line, text in enumerate(listing.read_text(path).split('\n'), 1):
        parts = (text.split() or [''])[0].split('/')
        if len(parts) == 5 and parts[:3] == ['', 'JPEGImages', '480p'] and parts[3] not in ('', '.', '..'):
            found[parts[3]] = None
        elif text.strip():
            refused.append(f'{path}:{line}: {text.strip()[:80]!r}; expected /JPEGImages/480p/<name>/<number>.jpg')
    if not found:
        raise ValueError(f'{path}: names no sequence; expected lines /JPEGImages/480p/<name>/<number>.jpg')
    return list(found), refused

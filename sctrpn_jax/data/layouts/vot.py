"""VOT short-term sets (VOT-2018) as published: `list.txt`, `<name>/color/00000001.jpg`, `<name>/groundtruth.txt`.

A row is a polygon of four corners, or x,y,w,h (VOT-2018's conduction1), or NaN or 0 where nothing is known; masks of
later years are refused. `camera_motion.tag`, `illum_change.tag`, `motion_change.tag`, `occlusion.tag`,
`size_change.tag` hold 0 or 1 per frame. What is missing at the end counts as 0; VOT-2018 lacks three whole files. Forms
of rows and tags: votchallenge/toolkit, `vot/region/io.py` and `vot/dataset/common.py`. Other files (`*.label`,
`*.value`) are not read.
"""

import os
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from sctrpn_jax.data.layouts import clip, listing, rows


class Vot:
    """One clip per sequence; boxes by `polygon_box`, polygons as in the file."""

    splits: ClassVar[tuple[str, ...]] = ('test',)
    clips_per_shard: ClassVar[int] = 4

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        self._root = os.fspath(root)
        self.refused: Sequence[str] = []
        names = os.path.join(root, 'list.txt')
        if os.path.isfile(names):
            self._names, self.refused = listing.read_names(names)
        else:
            found = listing.names_in(root, folders=True)
            self._names = [name for name in found if os.path.isfile(os.path.join(root, name, 'groundtruth.txt'))]
        if not self._names:
            raise ValueError(f'no VOT sequences; expected {os.path.join(root, "<name>", "groundtruth.txt")}')

    def keys(self) -> Sequence[str]:
        """Names in `list.txt`, in its order; without it those of the folders, sorted."""
        return self._names

    def read(self, key: str) -> clip.Clip:
        """The clip of a sequence; ValueError, naming the file, where nothing of it can be used."""
        folder = os.path.join(self._root, key)
        color = os.path.join(folder, 'color')
        images = listing.numbered_images(color if os.path.isdir(color) else folder)
        found = rows.read_rows(os.path.join(folder, 'groundtruth.txt'), parse_polygon, 8)
        polygons, tags = found.values, {}
        for file in listing.names_in(folder, folders=False):
            name, extension = os.path.splitext(file)
            if extension == '.tag':
                tags[name], found = rows.read_flags(os.path.join(folder, file), found, short=True)
        boxes = rows.to_boxes(polygon_box(polygons), origin=0)
        return rows.one_target_clip(key, images, found, 1, boxes, polygons=polygons, tags=tags)


def parse_polygon(text: str) -> Sequence[float]:
    """Four corners (x1, y1, .. x4, y4) of a line; NaN for a target of which nothing is known.

    x,y,w,h become the corners of the pixels within, so that `polygon_box` gives the same x,y,w,h.

    Raises:
      ValueError: the line is another kind of region, or holds other numbers than pixel positions.
    """
    values = rows.numbers(text)
    if values == [0.0]:
        return [np.nan] * 8
    if values is None or len(values) not in (4, 8):
        raise ValueError(f'got {text.strip()[:80]!r}, expected 8 numbers (corners), 4 (x,y,w,h) or 0')
    values = rows.pixels(values, text)
    if len(values) == 8:
        return values
    x, y, w, h = values
    if not (w > 0 and h > 0):
        return [np.nan] * 8
    return [x, y, x + w - 1, y, x + w - 1, y + h - 1, x, y + h - 1]


def polygon_box(polygons: np.ndarray) -> np.ndarray:
    """Axis-aligned box of a rotated one: same centre and (nearly) same area, the rule that VOT trackers start with.

    Corners are inclusive pixel indices, hence the + 1: s = sqrt(|p1 p2| |p2 p3| / (x2 - x1)(y2 - y1)) over the bounds,
    w = s (x2 - x1) + 1, h = s (y2 - y1) + 1.

    Args:
      polygons: [..., 8] (x1, y1, .. x4, y4).

    Returns:
      [..., 4] xywh, float64; NaN where the polygon has no extent.
    """
    corners = np.asarray(polygons, np.float64).reshape(*np.shape(polygons)[:-1], 4, 2)
    extent = corners.max(-2) - corners.min(-2)
    sides = np.linalg.norm(corners[..., :2, :] - corners[..., 1:3, :], axis=-1)
    area = extent.prod(-1)
    scale = np.sqrt(sides.prod(-1) / np.where(area > 0, area, np.nan))
    size = extent * scale[..., None] + 1
    return np.concatenate([corners.mean(-2) - (size - 1) / 2, size], axis=-1)

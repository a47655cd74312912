"""What every dataset's layout is read into: clips, which are images in order with the targets annotated in them.

A video is one clip with one target or more; a still image is a clip of one image. Boxes are (x, y, w, h) in
continuous image pixels where pixel (0, 0) covers [0, 1) x [0, 1); each layout's module says what it converts from.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Target:
    """One target of a clip, in R of its images.

    Attributes:
      name: unique within the clip.
      rows: [R] int64, ascending: which images of the clip.
      boxes: [R, 4] float64 xywh, image pixels; NaN where the set annotates no box (absent, out of view).
      category: as the set names it; '' where it does not.
      visible: [R] float32, 0 (absent or wholly hidden) to 1 (wholly visible); NaN where the set does not say.
      polygons: [R, 8] float64 (x1, y1, .. x4, y4) as the file has them, or None.
      tags: name of a tag -> [R] bool.
    """

    name: str
    rows: np.ndarray
    boxes: np.ndarray
    category: str = ''
    visible: np.ndarray | None = None
    polygons: np.ndarray | None = None
    tags: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        count = len(self.rows)
        if self.visible is None:
            object.__setattr__(self, 'visible', np.full(count, np.nan, np.float32))
        shapes = {'boxes': self.boxes.shape, 'visible': self.visible.shape}
        wanted = {'boxes': (count, 4), 'visible': (count,)}
        if self.polygons is not None:
            shapes['polygons'], wanted['polygons'] = self.polygons.shape, (count, 8)
        for tag, values in self.tags.items():
            shapes[tag], wanted[tag] = values.shape, (count,)
        for what, shape in shapes.items():
            if shape != wanted[what]:
                raise ValueError(f'target {self.name!r}: {what} of shape {shape}; expected {wanted[what]}')
        if (np.diff(self.rows) <= 0).any():
            raise ValueError(f'target {self.name!r}: rows {self.rows.tolist()} do not ascend')


@dataclasses.dataclass(frozen=True, eq=False)
class Clip:
    """N images in order and the targets in them.

    Attributes:
      name: unique within the split.
      images: N paths.
      frames: [N] int64, ascending: order and distance in time.
      targets: those that can be used.
      refused: one line `path[:line]: reason` for all that was left out of this clip.
    """

    name: str
    images: Sequence[str]
    frames: np.ndarray
    targets: Sequence[Target]
    refused: Sequence[str] = ()


class Layout(Protocol):
    """One split of a dataset in its published layout.

    A layout is opened as `Layout(root, split)`, which raises ValueError, with the path that was expected, where the
    folder is not of that layout. Opening and `keys` list folders and read indices only; annotation is read by clip.

    Attributes:
      splits: names of the published splits.
      clips_per_shard: how many clips go into one file of the prepared set, so that a file is some 100 MB.
      refused: one line `path[:line]: reason` for all that could not be given to any clip.
    """

    splits: ClassVar[tuple[str, ...]]
    clips_per_shard: ClassVar[int]
    refused: Sequence[str]

    def __init__(self, root: str | os.PathLike, split: str): ...

    def keys(self) -> Sequence[str]:
        """Names of the clips, in an order that depends on the set alone."""

    def read(self, key: str) -> Clip:
        """The clip of that name; ValueError, naming the file, where nothing of it can be used."""

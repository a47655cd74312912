"""Annotated test sequences: one target followed through frames, out of the layouts, and nothing left out on the way.

Boxes are top-left form (x, y, w, h) in continuous frame pixels where pixel (0, 0) covers [0, 1) x [0, 1).
"""

import dataclasses
import functools
import os
import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from sctrpn_jax.data.layouts import clip, davis, got10k, lasot, otb, trackingnet, uav123, vot

# Layout, and the splits that can be evaluated: without a choice the first of which there is a folder.
BENCHMARKS: dict[str, tuple[Callable[..., clip.Layout], tuple[str, ...]]] = {
    'otb': (otb.Otb, ('test',)),
    'davis': (functools.partial(davis.Davis, objects=False), ('val',)),
    'vot': (vot.Vot, ('test',)),
    'uav123': (uav123.Uav123, uav123.Uav123.splits),
    'got10k': (got10k.Got10k, ('val', 'test')),
    'lasot': (lasot.Lasot, ('test',)),
    'trackingnet': (trackingnet.TrackingNet, ('test',)),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Sequence:
    """One target followed through frames.

    Attributes:
      name: unique within its benchmark.
      frames: paths of the T images, in order.
      boxes: [T, 4] float64 xywh, 0-based frame pixels; NaN in frames without a box.
      polygons: [T, 8] float64 (x1, y1, .. x4, y4) as the file has them (VOT), else None.
      visible: [T] float32, 0 (absent or wholly hidden) to 1, NaN where the benchmark does not say; None: nowhere.
      tags: name of a tag -> [T] bool.
    """

    name: str
    frames: tuple[str, ...]
    boxes: np.ndarray
    polygons: np.ndarray | None = None
    visible: np.ndarray | None = None
    tags: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.boxes.shape != (len(self.frames), 4):
            raise ValueError(
                f'sequence {self.name!r}: got {len(self.frames)} frames and boxes {self.boxes.shape}; '
                f'accepted is one (x, y, w, h) row a frame'
            )


def read_sequences(
    kind: str, root: str | os.PathLike, names: Iterable[str] | None = None, split: str | None = None
) -> list[Sequence]:
    """Sequences of one benchmark.

    Each target of a clip is a sequence, named as its clip or, where there are more, `<clip>-<target>` (Jogging-2).

    Args:
      kind: a key of `BENCHMARKS`.
      root: the benchmark's folder.
      names: which sequences, in this order, a target also as `Jogging.2`; None: all.
      split: one of the layout's; None: as `BENCHMARKS` says.

    Raises:
      ValueError: an unknown kind or name, or anything that a layout refuses.
    """
    if kind not in BENCHMARKS:
        raise ValueError(f'benchmark: got {kind!r}, accepted are {", ".join(BENCHMARKS)}')
    opened, splits = BENCHMARKS[kind]
    layout = opened(root, split or _split_of(root, splits))
    keys = list(layout.keys())
    if names is None:
        _check(layout.refused)
        return [sequence for key in keys for sequence in _read(layout, key)]
    return [sequence for name in names for sequence in _select(layout, keys, name, root)]


def _split_of(root: str | os.PathLike, splits: tuple[str, ...]) -> str:
    for split in splits:
        if any(os.path.isdir(os.path.join(root, above, split)) for above in ('', 'anno')):
            return split
    name = os.path.basename(os.path.abspath(root))  # the split's own folder
    return name if name in splits else splits[0]


def _select(layout: clip.Layout, keys: list[str], name: str, root: str | os.PathLike) -> list[Sequence]:
    """The sequences of a clip, or the one of a target."""
    if name in keys:
        return _read(layout, name)
    part = re.fullmatch(r'(.+)[-.]([0-9]+)', name)
    found = _read(layout, part[1], part[2]) if part and part[1] in keys else []
    if not found:
        raise ValueError(f'no sequence {name!r} in {root}; there are {", ".join(keys)}')
    return found


def _read(layout: clip.Layout, key: str, target: str | None = None) -> list[Sequence]:
    found = layout.read(key)
    _check(found.refused)
    return [
        Sequence(
            key if len(found.targets) == 1 else f'{key}-{each.name}',
            tuple(found.images[row] for row in each.rows),
            each.boxes,
            each.polygons,
            None if np.isnan(each.visible).all() else each.visible,
            each.tags,
        )
        for each in found.targets
        if target in (None, each.name)
    ]


def _check(refused: Iterable[str]) -> None:
    """An evaluation must not leave out anything: what training could do without is an error here."""
    refused = list(refused)
    if refused:
        raise ValueError(refused[0] + (f' (and {len(refused) - 1} more)' if len(refused) > 1 else ''))


def with_box(sequence: Sequence) -> np.ndarray:
    """[T] bool: frames that have a box of positive size.

    Raises:
      ValueError: the first frame has none.
    """
    good = np.isfinite(sequence.boxes).all(axis=1) & (sequence.boxes[:, 2:] > 0).all(axis=1)
    if not good[0]:
        raise ValueError(f'sequence {sequence.name!r}: no box in the first frame, so there is no template')
    return good

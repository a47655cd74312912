"""The sequences of a benchmark: one target followed through frames, read by the benchmark's layout.

Training may skip what it cannot read; an evaluation must not, so whatever a layout refuses is an error here.

Boxes are top-left form (x, y, w, h) in continuous frame pixels where pixel (0, 0) covers [0, 1) x [0, 1).
"""

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping

import numpy as np

from sctrpn_jax.data.benchmarks import record, registry, sequence_names
from sctrpn_jax.data.layouts import clip
from sctrpn_jax.data.layouts import registry as layouts


@dataclasses.dataclass(frozen=True, eq=False)
class Sequence:
    """One target followed through frames.

    Attributes:
      name: unique within its benchmark.
      frames: paths of the T images, in order.
      boxes: [T, 4] float64 xywh, 0-based frame pixels; NaN in frames without a box.
      polygons: [T, 8] float64 (x1, y1, .. x4, y4) as the file has them (VOT), else None.
      visible: [T] float32, 0 (absent or wholly hidden) to 1, NaN where the benchmark does not say; None: it
        says nothing of any frame.
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
                f'accepted is one (x, y, w, h) row per frame'
            )


def read_sequences(
    benchmark: str, root: str | os.PathLike, names: Iterable[str] | None = None, split: str | None = None
) -> list[Sequence]:
    """The sequences of a benchmark that are in a folder.

    Each target of a clip is a sequence. It has the clip's name or, where the clip has several, `<clip>-<target>`
    (Jogging-2).

    Args:
      benchmark: one of `data.benchmarks.registry.every()`.
      root: the benchmark's folder.
      names: which sequences, in this order, a target also as `Jogging.2`; `-NAME`: all but that one; None: all.
      split: of the benchmark. None: `Benchmark.default_split`, and of it whatever is there, so that a folder with a
        part of a benchmark, or with other sequences in its layout, can be read.

    Raises:
      ValueError: an unknown benchmark, split or name, a sequence of the split that is not there, or anything that the
        layout refuses: the message says how to go on without that sequence.
    """
    wanted, without = sequence_names.choice(names)
    everything = names is None or bool(without)
    about, layout = _open(benchmark, root, split)
    keys = list(layout.keys())
    if split and about.names:
        keys = _clips_of(about, keys, root, without if everything else about.names)
    if not everything:
        return [sequence for name in wanted for sequence in _select(layout, keys, name, root)]
    _check(layout.refused)
    found, broken = [], {}
    for key in (key for key in keys if key not in without):
        try:
            found += _read(layout, key)
        except ValueError as error:
            broken[key] = str(error)
    if broken:
        first, more = next(iter(broken.values())), f' (and {len(broken) - 1} more sequences)' if len(broken) > 1 else ''
        raise ValueError(first + more + sequence_names.go_on_without(broken, keys))
    sequence_names.check_there(without, {*keys, *(sequence.name for sequence in found)}, root)
    return [sequence for sequence in found if sequence.name not in without]


def names_in(benchmark: str, root: str | os.PathLike) -> list[str]:
    """Names of all sequences in a folder, whether they can be used or not.

    Raises:
      ValueError: an unknown benchmark, or no sequences.
    """
    _, layout = _open(benchmark, root, None)
    found = []
    for key in layout.keys():
        try:
            found += [sequence.name for sequence in _read(layout, key)]
        except ValueError:
            found.append(key)
    return found


def _open(benchmark: str, root: str | os.PathLike, split: str | None) -> tuple[record.Split, clip.Layout]:
    known = registry.get(benchmark)
    chosen = split or known.default_split(root)
    about = known.split(chosen)
    return about, layouts.layout(known.layout)(root, about.layout_split or chosen, **known.layout_options)


def _clips_of(split: record.Split, keys: list[str], root: str | os.PathLike, optional: Iterable[str]) -> list[str]:
    """The clips of a split in a folder that holds others too; all but the optional ones must be there."""
    wanted = {name if name in keys else re.sub('-[0-9]+$', '', name) for name in split.names}
    if missing := sorted(wanted - {*keys, *optional, *(re.sub('-[0-9]+$', '', name) for name in optional)}):
        named = ', '.join(missing[:5]) + (', ...' if len(missing) > 5 else '')
        raise ValueError(f'{os.fspath(root)}: {len(missing)} sequences of {split.title} are missing: {named}')
    return [key for key in keys if key in wanted]


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
            None if each.visible is None or np.isnan(each.visible).all() else each.visible,
            each.tags,
        )
        for each in found.targets
        if target in (None, each.name)
    ]


def _check(refused: Iterable[str]) -> None:
    """Raises ValueError for what a layout refused; training could do without it, an evaluation cannot."""
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

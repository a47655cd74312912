"""Annotated test sequences in the benchmarks' own folder layouts: frame paths and one box a frame.

Boxes are top-left form (x, y, w, h) in continuous frame pixels where pixel (0, 0) covers [0, 1) x [0, 1).
"""

import dataclasses
import os
import pathlib
import re
from collections.abc import Callable, Iterable

import cv2
import numpy as np

# First and last frame, by file number, where the annotation covers a part of the images (jwlim/tracker_benchmark).
_OTB_RANGES = {
    'David': (300, 770),
    'Diving': (1, 215),
    'Football1': (1, 74),
    'Freeman3': (1, 460),
    'Freeman4': (1, 283),
}
# Frames at the start that the official benchmark leaves out; their annotation rows exist.
_OTB_SKIP = {'Tiger1': 5}
_UAV123_SUBSETS = ('UAV123', 'UAV123_10fps', 'UAV20L')
# First frame, in the 30 fps numbering, of the parts of a UAV123 video that do not begin where the part before ended.
_UAV123_STARTS = {'bird1_2': 775, 'bird1_3': 1573, 'uav1_3': 2473}
_IMAGES = ('.jpg', '.jpeg', '.png', '.bmp')


@dataclasses.dataclass(frozen=True, eq=False)
class Sequence:
    """One target followed through frames.

    Attributes:
      name: unique within its benchmark.
      frames: paths of the T images, in order.
      boxes: [T, 4] float64 xywh, 0-based frame pixels; NaN in frames without a box.
      polygons: [T, 8] float64 (x1, y1, .. x4, y4) as the file has them (VOT), else None.
    """

    name: str
    frames: tuple[str, ...]
    boxes: np.ndarray
    polygons: np.ndarray | None = None

    def __post_init__(self):
        if self.boxes.shape != (len(self.frames), 4):
            raise ValueError(
                f'sequence {self.name!r}: got {len(self.frames)} frames and boxes {self.boxes.shape}; '
                f'accepted is one (x, y, w, h) row a frame'
            )


def read_otb(root: str | os.PathLike, names: Iterable[str] | None = None) -> list[Sequence]:
    """OTB layout: `<name>/img/0001.jpg` and `<name>/groundtruth_rect.txt`, 1-based there and 0-based here.

    Folders with two targets (`groundtruth_rect.1.txt`, `.2.txt`) give `<name>-1` and `<name>-2`; an empty file is no
    target (Human4). The official frame ranges hold (David 300-770 ...; Tiger1 without its first five frames). Rows of
    no size (Board) become NaN.

    Args:
      root: folder of the sequence folders.
      names: which sequences, in this order; None: all, sorted.

    Raises:
      ValueError: a file is missing or malformed, rows and frames differ in number, or an unknown name.
    """

    def targets(folder):
        files = sorted(path for path in folder.glob('groundtruth_rect*.txt') if path.read_text().strip())
        files = files or [folder / 'groundtruth_rect.txt']  # missed when it is read
        names = [folder.name] if len(files) == 1 else [f'{folder.name}-{i + 1}' for i in range(len(files))]
        return zip(names, files, strict=True)

    def read(name, annotation):
        folder = annotation.parent
        boxes = _read_rows(annotation, 4)
        boxes[:, :2] -= 1
        images = _images(folder / 'img')
        if folder.name in _OTB_RANGES:
            first, last = _OTB_RANGES[folder.name]
            images = [path for path in images if first <= int(path.stem) <= last]
        skip = _OTB_SKIP.get(folder.name, 0)
        _check_rows(annotation, boxes, images)
        return _sequence(name, images[skip:], boxes[skip:])

    found = dict(target for folder in _folders(pathlib.Path(root)) for target in targets(folder))
    return _pick(found, names, read, root)


def read_davis(root: str | os.PathLike, names: Iterable[str] | None = None) -> list[Sequence]:
    """DAVIS layout: `JPEGImages/480p/<name>/00000.jpg`, `Annotations/480p/<name>/00000.png`; tight boxes of the masks.

    Args:
      root: folder that holds `JPEGImages` and `Annotations`.
      names: as `read_otb`.

    Returns:
      Sequences; any nonzero mask pixel (binary or palette index) is the target, NaN where the mask is empty or absent.

    Raises:
      ValueError: a folder is missing, a mask cannot be decoded or differs in size, or an unknown name.
    """
    root = pathlib.Path(root)
    images = root / 'JPEGImages' / '480p'

    def read(name, folder):
        masks = root / 'Annotations' / '480p' / name
        if not masks.is_dir():
            raise ValueError(f'no masks of DAVIS sequence {name!r}; expected {masks}')
        frames = _images(folder)
        return _sequence(name, frames, np.stack([_mask_box(masks / f'{path.stem}.png') for path in frames]))

    return _pick({folder.name: folder for folder in _folders(images)}, names, read, root)


def read_vot(root: str | os.PathLike, names: Iterable[str] | None = None) -> list[Sequence]:
    """VOT layout: `<name>/color/00000001.jpg` and `<name>/groundtruth.txt` of four-corner polygons.

    Args:
      root: folder of the sequence folders; `list.txt`, where there is one, names and orders them.
      names: as `read_otb`.

    Returns:
      Sequences with `polygons` as printed and `boxes` from `polygon_box`.

    Raises:
      ValueError: as `read_otb`.
    """

    def read(name, folder):
        polygons = _read_rows(folder / 'groundtruth.txt', 8)
        images = _images(folder / 'color' if (folder / 'color').is_dir() else folder)
        _check_rows(folder / 'groundtruth.txt', polygons, images)
        return _sequence(name, images, polygon_box(polygons), polygons)

    return _pick(_listed(pathlib.Path(root)), names, read, root)


def read_got10k(root: str | os.PathLike, names: Iterable[str] | None = None) -> list[Sequence]:
    """GOT-10k layout: `<name>/00000001.jpg`, `<name>/groundtruth.txt`, `list.txt`.

    Args:
      root: a split's folder (`val`, `test`), or the folder that holds `val`.
      names: as `read_otb`.

    Returns:
      Sequences with boxes as printed; where only the first frame is annotated (test) the others are NaN.

    Raises:
      ValueError: as `read_otb`.
    """
    root = pathlib.Path(root)

    def read(name, folder):
        images, boxes = _images(folder), _read_rows(folder / 'groundtruth.txt', 4)
        if len(boxes) == 1:
            boxes = np.concatenate([boxes, np.full((len(images) - 1, 4), np.nan)])
        _check_rows(folder / 'groundtruth.txt', boxes, images)
        return _sequence(name, images, boxes)

    return _pick(_listed(root / 'val' if (root / 'val').is_dir() else root), names, read, root)


def read_uav123(
    root: str | os.PathLike, names: Iterable[str] | None = None, subset: str | None = None
) -> list[Sequence]:
    """UAV123 layout: `data_seq/<subset>/<video>/000001.jpg`, `anno/<subset>/<name>.txt`, NaN rows where out of view.

    Parts of one video (car1_1, car1_2) share its folder: each begins with the last frame of the part before, but for
    three that the benchmark's list places elsewhere. UAV20L uses the images of UAV123.

    Args:
      root: folder that holds `anno` and `data_seq`.
      names: as `read_otb`.
      subset: `UAV123`, `UAV123_10fps` or `UAV20L`; None: the first of them that `anno` holds.

    Returns:
      Sequences with boxes as printed.

    Raises:
      ValueError: as `read_otb`.
    """
    root = pathlib.Path(root)
    subset = subset or next((name for name in _UAV123_SUBSETS if (root / 'anno' / name).is_dir()), _UAV123_SUBSETS[0])
    annotations = {path.stem: path for path in sorted((root / 'anno' / subset).glob('*.txt'))}
    if not annotations:
        raise ValueError(f'no UAV123 annotations; expected {root / "anno" / subset}{os.sep}<name>.txt')
    videos = root / 'data_seq' / ('UAV123' if subset == 'UAV20L' else subset)

    def start(name, video):
        if name == video:
            return 0
        if name in _UAV123_STARTS:
            return (_UAV123_STARTS[name] - 1) // (3 if subset == 'UAV123_10fps' else 1)
        part = int(name.rpartition('_')[2])
        before = f'{video}_{part - 1}'
        return 0 if part == 1 else start(before, video) + len(_read_rows(annotations[before], 4)) - 1

    def read(name, annotation):
        video = re.sub(r'_\d+$', '', name)
        boxes = _read_rows(annotation, 4)
        images = _images(videos / video)
        if name != video:
            first = start(name, video)
            images = images[first : first + len(boxes)]
        _check_rows(annotation, boxes, images)
        return _sequence(name, images, boxes)

    return _pick(annotations, names, read, root)


READERS: dict[str, Callable[..., list[Sequence]]] = {
    'otb': read_otb,
    'davis': read_davis,
    'vot': read_vot,
    'uav123': read_uav123,
    'got10k': read_got10k,
}


def read_sequences(kind: str, root: str | os.PathLike, names: Iterable[str] | None = None) -> list[Sequence]:
    """Sequences of one benchmark.

    Args:
      kind: a key of `READERS`.
      root: the benchmark's folder.
      names: which sequences, in this order; None: all.

    Raises:
      ValueError: an unknown kind, or as the readers.
    """
    if kind not in READERS:
        raise ValueError(f'benchmark: got {kind!r}, accepted are {", ".join(READERS)}')
    return READERS[kind](root, None if names is None else list(names))


def polygon_box(polygons: np.ndarray) -> np.ndarray:
    """Axis-aligned box of a rotated one: same centre and (nearly) same area, the rule that VOT trackers start with.

    Corners are inclusive pixel indices, hence the + 1: s = sqrt(|p1 p2| |p2 p3| / (x2 - x1)(y2 - y1)) over the bounds,
    w = s (x2 - x1) + 1, h = s (y2 - y1) + 1.

    Args:
      polygons: [..., 8] (x1, y1, .. x4, y4).

    Returns:
      [..., 4] xywh, float64.
    """
    corners = np.asarray(polygons, np.float64).reshape(*np.shape(polygons)[:-1], 4, 2)
    extent = corners.max(-2) - corners.min(-2)
    sides = np.linalg.norm(corners[..., :2, :] - corners[..., 1:3, :], axis=-1)
    size = extent * np.sqrt(sides.prod(-1) / extent.prod(-1))[..., None] + 1
    return np.concatenate([corners.mean(-2) - (size - 1) / 2, size], axis=-1)


def _sequence(name, images, boxes, polygons=None) -> Sequence:
    boxes = np.where((boxes[:, 2:] > 0).all(axis=1, keepdims=True), boxes, np.nan)
    return Sequence(name, tuple(os.fspath(path) for path in images), boxes, polygons)


def _pick(found: dict, names, read, root) -> list[Sequence]:
    names = list(found) if names is None else list(names)
    for name in names:
        if name not in found:
            raise ValueError(f'no sequence {name!r} in {root}; there are {", ".join(found) or "none"}')
    return [read(name, found[name]) for name in names]


def _folders(root: pathlib.Path) -> list[pathlib.Path]:
    if not root.is_dir():
        raise ValueError(f'no sequences; expected a folder {root}')
    return sorted(path for path in root.iterdir() if path.is_dir())


def _listed(root: pathlib.Path) -> dict[str, pathlib.Path]:
    if (root / 'list.txt').is_file():
        return {name: root / name for name in (root / 'list.txt').read_text().split()}
    return {folder.name: folder for folder in _folders(root)}


def _images(folder: pathlib.Path) -> list[pathlib.Path]:
    images = [path for path in folder.iterdir() if path.suffix.lower() in _IMAGES] if folder.is_dir() else []
    if not images:
        raise ValueError(f'no images; expected them in {folder}')
    return sorted(images)


def _read_rows(path: pathlib.Path, columns: int) -> np.ndarray:
    """[T, columns] float64 of a text file whose numbers are parted by commas, tabs or spaces (OTB mixes them)."""
    if not path.is_file():
        raise ValueError(f'no annotation; expected {path}')
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = [float(value) for value in re.split(r'[,\s]+', line.strip())]
        except ValueError:
            row = []
        if len(row) != columns:
            raise ValueError(f'{path}, line {number}: got {line.strip()!r}, expected {columns} numbers')
        rows.append(row)
    if not rows:
        raise ValueError(f'{path}: empty, expected a row a frame')
    return np.asarray(rows, np.float64)


def _check_rows(path: pathlib.Path, rows: np.ndarray, images: list[pathlib.Path]) -> None:
    if len(rows) != len(images):
        raise ValueError(f'{path}: got {len(rows)} rows for {len(images)} frames; expected one a frame')


def _mask_box(path: pathlib.Path) -> np.ndarray:
    if not path.is_file():
        return np.full(4, np.nan)
    # Unchanged, for a dark palette colour can become 0 in grey; OpenCV turns palettes into colours.
    mask = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED) if path.stat().st_size else None
    if mask is None:
        raise ValueError(f'cannot decode mask {path}; expected a PNG image')
    mask = mask if mask.ndim == 2 else mask[..., :3].any(axis=-1)
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return np.full(4, np.nan)
    x, y = columns[0], rows[0]
    return np.array([x, y, columns[-1] + 1 - x, rows[-1] + 1 - y], np.float64)

"""The project's folder format (docs/data_format.md): `boxes.csv` beside `img/`, read into flat arrays.

A row that cannot be used is refused by name (`refused`), never dropped in silence.
"""

import csv
import math
import os
from dataclasses import dataclass

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.bounded import MAX_PIXEL
from sctrpn_jax.data import images

COLUMNS = ('image', 'track', 'frame', 'class', 'x', 'y', 'w', 'h')
MAX_FRAME = 2**53


@dataclass(frozen=True, eq=False)
class FolderSource:
    """One source of training targets; rows are sorted by (track, frame).

    Attributes:
      name: the folder's name.
      images: N image paths.
      image: [N] int64, number of the row's image: rows of the same path share it.
      boxes: [N, 4] float32 xywh, pixels of the image.
      frame: [N] int64, order and distance in time within a track.
      starts: [T + 1] int64: rows of track t are starts[t] to starts[t + 1], ordered by frame.
      tracks: T names.
      categories: N texts of the class column.
      refused: one line `path:line: reason` per refused row.
    """

    name: str
    images: list[str]
    image: np.ndarray
    boxes: np.ndarray
    frame: np.ndarray
    starts: np.ndarray
    tracks: list[str]
    categories: list[str]
    refused: tuple[str, ...] = ()

    def read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Image [H, W, 3] uint8 RGB and box [4] float32 xywh (image pixels) of a row.

        Raises:
          ValueError: the image cannot be read, or the box lies outside it; the message names the file.
        """
        path, box = self.images[row], self.boxes[row]
        image = images.read_image(path)
        height, width = image.shape[:2]
        if min(box[0] + box[2], box[1] + box[3]) <= 0 or box[0] >= width or box[1] >= height:
            raise ValueError(f'{path}: box {box.tolist()} lies outside the {width}x{height} image')
        return image, box


def _parse_header(line: str, where: str) -> tuple[dict[str, int], int, list[str]]:
    """Position of each known column, the number of columns, and what is refused."""
    names = [name.strip() for name in next(csv.reader([line]), [])]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ValueError(f'{where}: no column {missing[0]!r} in {line.strip()[:80]!r}; expected {",".join(COLUMNS)}')
    refused = [f'{where}:1: unknown column {name!r} is not read' for name in names if name not in COLUMNS]
    return {name: names.index(name) for name in COLUMNS}, len(names), refused


def _parse_row(
    line: str, columns: dict[str, int], width: int, min_side: float
) -> tuple[str, str, int, list[float], str]:
    """(image, track, frame, xywh, class) of one line; ValueError with the reason where it cannot be used."""
    try:
        # One line at a time, so that a stray quote costs one row and not the rest of the file.
        values = next(csv.reader([line], strict=True)) if '"' in line else line.rstrip('\r\n').split(',')
    except csv.Error as error:
        raise ValueError(f'not a CSV line ({error})') from error
    if len(values) == width + 1 and not values[-1].strip():
        values.pop()  # a comma after the last value, as some tools write it
    if len(values) != width:
        raise ValueError(f'{len(values)} values, expected {width}')
    try:
        frame = int(values[columns['frame']])
    except ValueError:
        raise ValueError(f'frame {values[columns["frame"]]!r} is no whole number') from None
    if abs(frame) > MAX_FRAME:
        raise ValueError(f'frame {frame} is too large')
    box = []
    for name in 'xywh':
        text = values[columns[name]]
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f'{name} {text!r} is no number') from None
        if not math.isfinite(number) or abs(number) > MAX_PIXEL:
            raise ValueError(f'{name} {text!r} is no pixel position')
        box.append(number)
    if min(box[2:]) <= 0:
        raise ValueError(f'size {box[2]:g}x{box[3]:g} is not positive')
    if min(box[2:]) < min_side:
        raise ValueError(f'size {box[2]:g}x{box[3]:g} is under the smallest side {min_side:g}')
    return values[columns['image']], values[columns['track']], frame, box, values[columns['class']]


class _Listing:
    """Which image files a source has: each folder is listed once, no file is touched."""

    def __init__(self, root: str):
        self._root = root
        self._names: dict[str, set[str]] = {}

    def check(self, image: str) -> None:
        folder, _, name = image.rpartition('/')
        if os.path.isabs(image) or '..' in image.split('/') or '\0' in image:
            raise ValueError(f'image {image!r} is not a path inside the source folder')
        if folder not in self._names:
            try:
                self._names[folder] = set(os.listdir(os.path.join(self._root, folder)))
            except OSError:
                self._names[folder] = set()
        if name not in self._names[folder]:
            raise ValueError(f'image {image!r} does not exist')


def read_folder(path: str | os.PathLike, min_side: float = 4.0) -> FolderSource:
    """Reads a source folder; only the CSV is parsed and folders listed, no image is opened.

    Args:
      path: folder with `boxes.csv` (columns image,track,frame,class,x,y,w,h) and the images it names.
      min_side: rows with a side under it (pixels) are refused.

    Raises:
      ValueError: no readable boxes.csv, a column is missing, or no row can be used.
    """
    root = os.fspath(path)
    file = os.path.join(root, 'boxes.csv')
    listing, refused, rows, seen = _Listing(root), [], [], set()
    try:
        bounded.check_file(file)
        with open(file, encoding='utf-8-sig', errors='replace') as lines:
            columns, width, refused = _parse_header(next(lines, ''), file)
            for number, line in enumerate(lines, 2):
                if not line.strip():
                    continue
                try:
                    image, track, frame, box, category = _parse_row(line, columns, width, min_side)
                    listing.check(image)
                    if (track, frame) in seen:
                        raise ValueError(f'track {track!r} has frame {frame} twice')
                except ValueError as error:
                    refused.append(f'{file}:{number}: {error}')
                else:
                    seen.add((track, frame))
                    rows.append((image, track, frame, box, category))
    except OSError as error:
        raise ValueError(
            f'{root!r} is no source folder ({error.strerror}); expected boxes.csv and img/ in it'
        ) from error
    if not rows:
        reason = f'; first refusal: {refused[0]}' if refused else ''
        raise ValueError(f'{file}: no usable row; expected lines {",".join(COLUMNS)} with images that exist{reason}')

    names = {name: index for index, name in enumerate(dict.fromkeys(row[1] for row in rows))}
    rows.sort(key=lambda row: (names[row[1]], row[2]))
    track = np.array([names[row[1]] for row in rows], np.int64)
    numbers = {image: number for number, image in enumerate(dict.fromkeys(row[0] for row in rows))}
    return FolderSource(
        name=os.path.basename(os.path.abspath(root)),
        images=[os.path.join(root, row[0]) for row in rows],
        image=np.array([numbers[row[0]] for row in rows], np.int64),
        boxes=np.array([row[3] for row in rows], np.float32),
        frame=np.array([row[2] for row in rows], np.int64),
        starts=np.searchsorted(track, np.arange(len(names) + 1)),
        tracks=list(names),
        categories=[row[4] for row in rows],
        refused=tuple(refused),
    )

"""One file of a prepared set: the images of some clips, whole or as crops around the targets, and their track table."""

import dataclasses
import os
import pathlib
from collections.abc import Iterable

import cv2
import numpy as np
from array_record.python import array_record_module

from sctrpn_jax import bounded
from sctrpn_jax.data import images, patches
from sctrpn_jax.data.layouts import clip as clip_lib
from sctrpn_jax.data.prepared import features, table

# One record per group: a frame is read alone, so nothing is gained by packing several together.
_WRITER_OPTIONS = 'group_size:1'
_JPEG_QUALITY = 95


@dataclasses.dataclass(frozen=True)
class Part:
    """What one file holds.

    Attributes:
      records: number of images in it.
      num_bytes: of the encoded images.
      images: number of images that were annotated and readable.
      table: of its targets; records and images numbered from 0.
      refused: one line `path[:line]: reason` for all that was left out.
    """

    records: int
    num_bytes: int
    images: int
    table: table.TrackTable
    refused: list[str]


class _Writer:
    """Writes records; counts them and their bytes."""

    def __init__(self, path: pathlib.Path, root: str):
        self._serialize, self._root = features.serializer(), root
        self._writer = array_record_module.ArrayRecordWriter(os.fspath(path), _WRITER_OPTIONS)
        self.count = self.num_bytes = 0

    def add(self, encoded: bytes, path: str) -> int:
        self._writer.write(self._serialize(encoded, os.path.relpath(path, self._root)))
        self.count += 1
        self.num_bytes += len(encoded)
        return self.count - 1

    def close(self) -> None:
        self._writer.close()


def _overlapping(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """[R] bool: boxes [R, 4] xywh of positive size that show a part of the image."""
    x, y, w, h = boxes.T
    return (w > 0) & (h > 0) & (x < width) & (y < height) & (x + w > 0) & (y + h > 0)


def write_part(
    path: str | os.PathLike, clips: Iterable[clip_lib.Clip | str], root: str | os.PathLike, crop: int | None = None
) -> Part:
    """Writes one file.

    Every image is decoded once, so that what training meets is sound; its bytes are stored as they are.

    Args:
      path: of the file.
      clips: to store; a text is the reason why a clip could not be read.
      root: folder that the stored paths of images start from.
      crop: side of the square crops to store in place of the images, pixels: one per target and image, at the scale of
        `patches.cut_patch`, JPEG of quality 95. None: whole images.

    Raises:
      OSError: the file cannot be written whole (a full disk).
    """
    path = pathlib.Path(path)
    builder, refused, image_count = table.TableBuilder(), [], 0
    writer = _Writer(path, os.fspath(root))
    try:
        for clip in clips:
            if isinstance(clip, str):
                refused.append(clip)
                continue
            refused += clip.refused
            image_count += _add_clip(writer, builder, clip, crop, image_count, refused)
    finally:
        # Otherwise a second error of the writer would hide the first.
        try:
            writer.close()
        except RuntimeError as error:
            raise OSError(f'cannot write {path}: {error}; is the disk full?') from error
    reader = array_record_module.ArrayRecordReader(os.fspath(path))
    written = reader.num_records()
    reader.close()
    if written != writer.count:
        raise OSError(f'cannot write {path}: {written} of {writer.count} records arrived; is the disk full?')
    return Part(writer.count, writer.num_bytes, image_count, builder.table(), refused)


def _add_clip(
    writer: _Writer,
    builder: table.TableBuilder,
    clip: clip_lib.Clip,
    crop: int | None,
    first_image: int,
    refused: list[str],
) -> int:
    """Stores a clip; returns the number of its images that could be read."""
    count = len(clip.images)
    number, record = np.full(count, -1), np.full(count, -1)
    rows = [_Rows(target) for target in clip.targets]
    wanted = np.zeros(count, bool)
    for target in clip.targets:
        wanted[target.rows] = True
    read = 0
    for i in np.flatnonzero(wanted).tolist():
        path = clip.images[i]
        try:
            encoded = bounded.read_bytes(path)
            image = images.decode_image(encoded, path)
        except OSError as error:
            refused.append(f'{path}: {error.strerror}')
            continue
        except ValueError as error:
            refused.append(str(error))
            continue
        number[i] = first_image + read
        read += 1
        if crop is None:
            record[i] = writer.add(encoded, path)
        for row in rows:
            row.add_image(i, image, path, crop, writer, refused)
    builder.add_clip(clip.name)
    for row in rows:
        at = row.target.rows
        keep = (number[at] >= 0) & row.good
        if keep.any():
            records = record[at] if crop is None else row.record
            builder.add_target(
                row.target, keep, frame=clip.frames[at], image=number[at], record=records, places=row.places
            )
    return read


class _Rows:
    """What becomes known of a target's rows as its images are read."""

    def __init__(self, target: clip_lib.Target):
        count = len(target.rows)
        self.target = target
        self.good = np.ones(count, bool)
        self.record = np.full(count, -1)
        self.places = np.full((count, 3), np.nan, np.float32)
        self._row_of = {image: row for row, image in enumerate(target.rows.tolist())}

    def add_image(self, i: int, image: np.ndarray, path: str, crop: int | None, writer: _Writer, refused: list[str]):
        """Checks the row on image i of the clip, and stores its crop."""
        row = self._row_of.get(i)
        if row is None or not np.isfinite(self.target.boxes[row]).all():
            return  # no box there: nothing to check, nothing to cut
        box = self.target.boxes[row]
        height, width = image.shape[:2]
        if not _overlapping(box[None], height, width)[0]:
            self.good[row] = False
            what = f'box {box.tolist()} of target {self.target.name!r}'
            refused.append(f'{path}: {what} shows nothing of the {width}x{height} image')
        elif crop is not None:
            patch, _ = patches.cut_patch(image, box, crop)
            good, encoded = cv2.imencode(
                '.jpg', cv2.cvtColor(patch, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
            )
            if not good:
                raise OSError(f'{path}: cannot encode a crop')
            self.record[row] = writer.add(encoded.tobytes(), path)
            self.places[row] = (*(box[:2] + box[2:] / 2), patches.patch_scale(box))

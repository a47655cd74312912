"""YouTube-BoundingBoxes, detection: one CSV of relative boxes at one frame per second, and frames extracted by others.

`yt_bb_detection_train.csv` has no header and the columns youtube_id, timestamp_ms, class_id, class_name, object_id,
object_presence, xmin, xmax, ymin, ymax; boxes are relative to the frame, 0 to 1, and a segment is known by youtube_id,
class_id and object_id together (research.google.com/youtube-bb/download.html). Rows of a segment need not be adjacent.

The set has no frames of its own. Read are the two forms that its common extraction scripts write:
  `yt_bb_detection_train/<class_id>/<youtube_id>_<timestamp_ms>_<class_id>_<object_id>.jpg`, by
  mehdi-shiba/youtube-bb-utility, which pysot's training_dataset/yt_bb builds on;
  `youtubebbdevkit2017/youtubebb2017/JPEGImages/<youtube_id>+<class_id>+<object_id>+<timestamp_ms>.jpg`, by
  mbuckler/youtube-bb, voc_convert.py.
Frame numbers are counted at 30 per second, the rate that mbuckler/youtube-bb reports as the creators' recommendation.
"""

import array
import bisect
import os
import re
from typing import ClassVar, NamedTuple

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.data.layouts import clip, image_header, listing

FRAMES_PER_SECOND = 30
_COLUMNS = 10
_MAX_MS = 10**10  # four months
# Names of files are made of these, so nothing else may get into them.
_SEGMENT = re.compile(rb'[\w-]{1,64}\+\d{1,9}\+\d{1,9}', re.ASCII)


class _Row(NamedTuple):
    line: int
    time: int
    category: str
    box: np.ndarray | None  # relative xywh; None: absent


def _parse_row(text: str) -> tuple[int, str, np.ndarray | None]:
    """(timestamp_ms, class_name, relative xywh or None) of one line; ValueError with the reason where unusable."""
    values = text.rstrip('\r\n').removesuffix(',').split(',')
    if len(values) != _COLUMNS:
        raise ValueError(f'{len(values)} values, expected {_COLUMNS}')
    try:
        time = int(values[1])
    except ValueError:
        raise ValueError(f'timestamp_ms {values[1][:60]!r} is no whole number') from None
    if not 0 <= time <= _MAX_MS:
        raise ValueError(f'timestamp_ms {time} is not within 0 and {_MAX_MS}')
    if values[5] == 'absent':
        return time, values[3], None
    if values[5] != 'present':
        raise ValueError(f'object_presence {values[5][:60]!r} is neither present nor absent')
    try:
        left, right, top, bottom = map(float, values[6:])
    except ValueError:
        raise ValueError(f'box {",".join(values[6:])[:60]!r} is not four numbers') from None
    # Somewhat over the border is a box that is cut by it; farther off, the numbers are not relative to the frame.
    if not all(-1 <= value <= 2 for value in (left, right, top, bottom)):
        raise ValueError(f'box {left:g},{right:g},{top:g},{bottom:g} is not relative to the frame')
    if right <= left or bottom <= top:
        raise ValueError(f'size {right - left:g}x{bottom - top:g} is not positive')
    return time, values[3], np.array([left, top, right - left, bottom - top])


class YouTubeBB:
    """YouTube-BB's CSV with extracted frames: one clip and one target per segment; see `clip.Layout`.

    Opening goes once through the CSV (5.6 million lines) and the names of the frames; of a row only its place in the
    file is kept. Rows that say the object is absent have no box and are not visible; how much of a present one is
    hidden the set does not say.

    Args:
      root: folder with the CSV and the folder of frames.
      split: see `splits`.

    Raises:
      ValueError: unknown split, the CSV or the frames are missing, or no segment has a frame.
    """

    splits: ClassVar[tuple[str, ...]] = ('train', 'validation')
    clips_per_shard: ClassVar[int] = 64

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        root, name = os.fspath(root), f'yt_bb_detection_{split}'
        self._file = os.path.join(root, f'{name}.csv')
        self._by_class = os.path.join(root, name)
        self._flat = os.path.join(root, 'youtubebbdevkit2017', 'youtubebb2017', 'JPEGImages')
        expected = (
            f'{self._by_class}/<class_id>/<youtube_id>_<timestamp_ms>_<class_id>_<object_id>.jpg or '
            f'{self._flat}/<youtube_id>+<class_id>+<object_id>+<timestamp_ms>.jpg'
        )
        refused: list[str] = []
        try:
            bounded.check_file(self._file)
            groups, segments, offsets, lines = self._index(refused)
        except OSError as error:
            raise ValueError(
                f'{root!r} is no YouTube-BB folder ({error.strerror}); expected {self._file} (unpacked) and {expected}'
            ) from error
        self._check_names(groups, segments, lines, refused)
        there = self._extracted(groups)
        missing = next((name for name in groups if name not in there), None)
        if missing is not None:
            lost = f'{len(groups) - len(there)} of {len(groups)} segments have no frame, as {missing.decode()}'
            refused.append(f'{self._file}: {lost}; expected {expected}')
        self.refused = tuple(refused)
        if not there:
            raise ValueError(f'no segment with frames; first refusal: {(*refused, f"{self._file}: no row")[0]}')
        names = sorted(there)
        rank = np.full(segments.max() + 1, -1, np.int64)
        rank[[groups[name] for name in names]] = np.arange(len(names))
        rank_of_row = rank[segments]
        order = np.argsort(rank_of_row, kind='stable')
        order = order[np.searchsorted(rank_of_row[order], 0) :]
        self._keys = [name.decode() for name in names]
        self._starts = np.searchsorted(rank_of_row[order], np.arange(len(names) + 1))
        self._offsets, self._lines = offsets[order], lines[order]

    def _index(self, refused: list[str]) -> tuple[dict[bytes, int], np.ndarray, np.ndarray, np.ndarray]:
        """(segment's name -> number, segment's number, byte offset and line number of each row)."""
        groups: dict[bytes, int] = {}
        segments, offsets, lines = array.array('i'), array.array('q'), array.array('i')
        offset = 0
        with open(self._file, 'rb') as file:
            for number, line in enumerate(file, 1):
                values = line.rstrip(b'\r\n').removesuffix(b',').split(b',')
                if len(values) == _COLUMNS:
                    name = b'%b+%b+%b' % (values[0], values[2], values[4])
                    segments.append(groups.setdefault(name, len(groups)))
                    offsets.append(offset)
                    lines.append(number)
                elif line.strip():
                    refused.append(f'{self._file}:{number}: {len(values)} values, expected {_COLUMNS}')
                offset += len(line)
        return groups, *(np.asarray(values) for values in (segments, offsets, lines))

    def _check_names(self, groups: dict, segments: np.ndarray, lines: np.ndarray, refused: list[str]) -> None:
        """Takes out the segments that cannot be named."""
        first = lines[np.unique(segments, return_index=True)[1]]
        for name in [name for name in groups if not _SEGMENT.fullmatch(name)]:
            line = first[groups.pop(name)]
            if name != b'youtube_id+class_id+object_id':  # a header
                text = name.decode(errors='replace')[:80]
                refused.append(f'{self._file}:{line}: {text!r} is no youtube_id+class_id+object_id')

    def _extracted(self, groups: dict[bytes, int]) -> set[bytes]:
        """Segments that have a frame; names of files are looked at one by one and not kept, there are millions."""
        found = set()
        for folder in (self._flat, *(os.path.join(self._by_class, name) for name in self._class_folders())):
            try:
                entries = os.scandir(folder)
            except OSError:
                continue
            with entries:
                for entry in entries:
                    stem, ending = os.path.splitext(entry.name)
                    if ending != '.jpg' or not stem.isascii():
                        continue
                    if folder == self._flat:
                        name = stem.rpartition('+')[0]
                    else:
                        video, *numbers = stem.rsplit('_', 3)
                        name = '+'.join((video, *numbers[1:]))
                    if name.encode() in groups:
                        found.add(name.encode())
        return found

    def _class_folders(self) -> list[str]:
        return sorted(os.listdir(self._by_class)) if os.path.isdir(self._by_class) else []

    def _image(self, key: str, time: int) -> str | None:
        """Path of the frame at a time of a segment, None where it was not extracted."""
        video, category, thing = key.split('+')
        names = (
            os.path.join(self._by_class, category, f'{video}_{time}_{category}_{thing}.jpg'),
            os.path.join(self._flat, f'{key}+{time}.jpg'),
        )
        return next(filter(os.path.isfile, names), None)

    def keys(self) -> list[str]:
        """Segments that have a frame, `<youtube_id>+<class_id>+<object_id>`, sorted."""
        return list(self._keys)

    def _rows(self, index: int, refused: list[str]) -> list[_Row]:
        """Usable rows of a segment, by time."""
        rows = []
        span = slice(self._starts[index], self._starts[index + 1])
        with open(self._file, 'rb') as file:
            for offset, line in zip(self._offsets[span].tolist(), self._lines[span].tolist(), strict=True):
                file.seek(offset)
                try:
                    rows.append(_Row(line, *_parse_row(file.readline().decode(errors='replace'))))
                except ValueError as error:
                    refused.append(f'{self._file}:{line}: {error}')
        return sorted(rows, key=lambda row: (row.time, row.line))

    def read(self, key: str) -> clip.Clip:
        """The frames of a segment that were extracted, with its object."""
        index = bisect.bisect_left(self._keys, key)
        if key not in self._keys[index : index + 1]:
            raise ValueError(f'{self._file}: no segment {key!r} with frames')
        refused, missing = [], []
        frames: dict[int, tuple[str, np.ndarray]] = {}
        category = ''
        for row in self._rows(index, refused):
            frame = (row.time * FRAMES_PER_SECOND + 500) // 1000
            path = self._image(key, row.time)
            try:
                if frame in frames:
                    raise ValueError(f'a second row within a frame of {row.time} ms')
                if path is None:
                    missing.append(row.line)
                    continue
                width, height = image_header.image_size(path)
            except ValueError as error:
                refused.append(f'{self._file}:{row.line}: {error}')
                continue
            box = np.full(4, np.nan) if row.box is None else row.box * (width, height, width, height)
            frames[frame] = path, box
            category = category or row.category
        if missing:
            refused.append(f'{self._file}:{missing[0]}: no extracted frame of {len(missing)} rows of {key}')
        boxes = np.array([box for _, box in frames.values()]).reshape(-1, 4)
        absent = np.isnan(boxes[:, 0])
        if absent.all():
            first = f'; first refusal: {refused[0]}' if refused else ''
            raise ValueError(f'{self._file}:{self._lines[self._starts[index]]}: no frame has a box of {key}{first}')
        visible = np.where(absent, 0, np.nan).astype(np.float32)
        target = clip.Target(key, np.arange(len(frames)), boxes, category, visible)
        images = [path for path, _ in frames.values()]
        return clip.Clip(key, images, np.array(list(frames), np.int64), [target], tuple(refused))

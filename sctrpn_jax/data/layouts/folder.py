"""The project's own format (docs/data_format.md) as a layout: an image is given once, however many tracks it has.

Tracks of a source that share an image, directly or through other tracks, make one clip: a still with several objects is
a clip of one image, a video of several objects one clip. Where tracks number shared images in ways that contradict each
other (views of things, numbered by thing), each track is a clip of its own and only such images are given again.
Boxes are as printed: xywh, 0-based continuous pixels.
"""

import os
from typing import ClassVar

import numpy as np

from sctrpn_jax.data import folder
from sctrpn_jax.data.layouts import clip, listing


def _rows(source: folder.FolderSource, track: int) -> slice:
    return slice(source.starts[track], source.starts[track + 1])


def _groups(source: folder.FolderSource) -> list[list[int]]:
    """Tracks in groups that share no image with another group, in order of the first track of each."""
    count = len(source.tracks)
    parent = list(range(count))

    def root(track: int) -> int:
        while parent[track] != track:
            parent[track] = track = parent[parent[track]]
        return track

    first: dict[int, int] = {}
    for track in range(count):
        for image in source.image[_rows(source, track)].tolist():
            one, other = sorted((root(first.setdefault(image, track)), root(track)))
            parent[other] = one
    groups: dict[int, list[int]] = {}
    for track in range(count):
        groups.setdefault(root(track), []).append(track)
    return list(groups.values())


def _numbers(source: folder.FolderSource, tracks: list[int]) -> dict[int, int] | None:
    """Image of a group -> its frame number, ascending; None where the tracks contradict each other."""
    frames_of = {track: source.frame[_rows(source, track)].tolist() for track in tracks}
    numbers: dict[int, int] = {}
    # The number of a track of one row says nothing: such rows come last and take the image's number.
    for track, frames in sorted(frames_of.items(), key=lambda item: len(item[1]) == 1):
        for image, frame in zip(source.image[_rows(source, track)].tolist(), frames, strict=True):
            if numbers.setdefault(image, frame) != frame and len(frames) > 1:
                return None
    if len(set(numbers.values())) < len(numbers):
        return None
    return dict(sorted(numbers.items(), key=lambda item: item[1]))


class Folder:
    """Sources in the project's folder format; see `clip.Layout`. A box of any positive size is a target.

    Args:
      root: a source folder, or a folder of source folders.
      split: 'train'; the format has no others.

    Raises:
      ValueError: another split, or no source has a usable row.
    """

    splits: ClassVar[tuple[str, ...]] = ('train',)
    clips_per_shard: ClassVar[int] = 256

    def __init__(self, root: str | os.PathLike, split: str):
        listing.check_split(split, self.splits)
        root, refused = os.fspath(root), []
        paths = [root]
        if not os.path.isfile(os.path.join(root, 'boxes.csv')):
            paths = [os.path.join(root, name) for name in listing.names_in(root, folders=True)]
        self._clips: dict[str, tuple[folder.FolderSource, list[int], dict[str, int] | None]] = {}
        for path in paths:
            try:
                source = folder.read_folder(path, min_side=0)
            except ValueError as error:
                refused.append(str(error))
                continue
            refused += source.refused
            for tracks in _groups(source):
                numbers = _numbers(source, tracks)
                for clip_tracks in [tracks] if numbers else [[track] for track in tracks]:
                    self._clips[f'{source.name}/{source.tracks[clip_tracks[0]]}'] = source, clip_tracks, numbers
        self.refused = tuple(refused)
        if not self._clips:
            first = f'; first refusal: {refused[0]}' if refused else ''
            raise ValueError(f'no source in {root!r}; expected {root}/boxes.csv or {root}/<source>/boxes.csv{first}')

    def keys(self) -> list[str]:
        """`<source>/<first track>` of each clip: sources sorted, tracks in the order of their file."""
        return list(self._clips)

    def read(self, key: str) -> clip.Clip:
        """The images that some tracks share, with those tracks; a target's category is the class of its first row."""
        if key not in self._clips:
            raise ValueError(f'no clip {key!r} in the sources')
        source, tracks, numbers = self._clips[key]
        if numbers is None:
            images, frames = source.images[_rows(source, tracks[0])], source.frame[_rows(source, tracks[0])]
            rows_of = {tracks[0]: range(len(images))}
        else:
            images, frames = [''] * len(numbers), np.array(list(numbers.values()), np.int64)
            place = {image: row for row, image in enumerate(numbers)}
            rows_of = {}
            for track in tracks:
                span = _rows(source, track)
                rows_of[track] = [place[image] for image in source.image[span].tolist()]
                for row, path in zip(rows_of[track], source.images[span], strict=True):
                    images[row] = path
        targets = [
            clip.Target(
                name=source.tracks[track],
                rows=np.array(rows, np.int64),
                boxes=source.boxes[_rows(source, track)].astype(np.float64),
                category=source.categories[source.starts[track]],
            )
            for track, rows in rows_of.items()
        ]
        return clip.Clip(key, images, frames, targets)

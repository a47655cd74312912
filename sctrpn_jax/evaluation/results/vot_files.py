"""Annotations of a VOT set, and result trees: `<tracker>/baseline/<sequence>/<sequence>_001.txt` .. `_015.txt`.

A result row is 1 (started here), 2 (failed), 0 (not tracked), or a region of 4 or 8 numbers. Whatever else a tree
holds, or lacks, is said in `Results.problems`; a sequence without any result is an error unless allowed.
"""

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.data.benchmarks import sequence_names
from sctrpn_jax.data.layouts import image_header, listing, rows
from sctrpn_jax.metrics.vot.trajectory import FAILURE, REGION, START, UNKNOWN, Trajectory

TAGS = ('camera_motion', 'illum_change', 'motion_change', 'occlusion', 'size_change')
EMPTY = 'empty'  # none of `TAGS`
MAX_REPETITIONS = 15
MAX_EXTENT = 65_535  # pixels: the largest side of a JPEG image

_PROTOCOL = re.compile('1[30]*(20*1[30]*)*(20*)?')


@dataclasses.dataclass(frozen=True, eq=False)
class Annotation:
    """Truth of one sequence.

    Attributes:
      name: of the sequence.
      regions: [T, 8] as in `raster`, frame pixels; NaN where unknown.
      tags: name of each of `TAGS` and `EMPTY` -> [T] bool.
      size: (width, height) of the frames, None where there are no images.
    """

    name: str
    regions: np.ndarray
    tags: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    size: tuple[int, int] | None = None

    def __post_init__(self):
        if self.regions.ndim != 2 or self.regions.shape[1] != 8 or not len(self.regions):
            raise ValueError(f'sequence {self.name!r}: got regions {self.regions.shape}, accepted are [T, 8]')


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
    """A tracker's trajectories.

    Attributes:
      trajectories: sequence -> its repetitions, one or more.
      missing: sequences without any.
      problems: one line each, naming the file, for all that is not as it should be.
    """

    trajectories: Mapping[str, Sequence[Trajectory]]
    missing: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def sequences(root: str | os.PathLike) -> list[str]:
    """Names of the sequences in `list.txt`, in its order, or without it of all folders with a `groundtruth.txt`.

    Raises:
      ValueError: none, or a damaged list.
    """
    root, refused = os.fspath(root), []
    if os.path.isfile(os.path.join(root, 'list.txt')):
        names, refused = listing.read_names(os.path.join(root, 'list.txt'))
    else:
        found = listing.names_in(root, folders=True)
        names = [name for name in found if os.path.isfile(os.path.join(root, name, 'groundtruth.txt'))]
    if not names:
        raise ValueError(f'no VOT sequences; expected {os.path.join(root, "<name>", "groundtruth.txt")}')
    if refused:
        raise ValueError(refused[0])
    return names


def read_annotations(root: str | os.PathLike, names: Sequence[str] | None = None) -> list[Annotation]:
    """Truth of sequences.

    Tags end where their files do; frame sizes are those of the first images, if there are any.

    Args:
      root: folder of the set.
      names: of the sequences, in this order; None: all of `sequences`.

    Raises:
      ValueError: no sequence, or anything damaged, by name: nothing can be scored against that.
    """
    annotations, broken = [], {}
    names = sequences(root) if names is None else names
    for name in names:
        try:
            annotations.append(_read_annotation(os.path.join(root, name), name))
        except ValueError as error:
            broken[name] = str(error)
    if broken:
        first, more = next(iter(broken.values())), f' (and {len(broken) - 1} more sequences)' if len(broken) > 1 else ''
        raise ValueError(first + more + sequence_names.go_on_without(broken, names))
    return annotations


def _read_annotation(folder: str, name: str) -> Annotation:
    found = rows.read_rows(os.path.join(folder, 'groundtruth.txt'), _parse_truth, 8)
    refused = _gaps(found)
    regions, tags = found.values, {}
    for tag in TAGS:
        path = os.path.join(folder, f'{tag}.tag')
        flags = np.zeros(len(found))
        if os.path.isfile(path):
            flags, found = rows.read_flags(path, found, short=True)
        tags[tag] = flags > 0
    tags[EMPTY] = ~np.any(list(tags.values()), axis=0)
    refused += found.refused
    if refused:
        raise ValueError(refused[0] + (f' (and {len(refused) - 1} more)' if len(refused) > 1 else ''))
    return Annotation(name, regions, tags, _frame_size(folder))


def read_results(
    folder: str | os.PathLike,
    annotations: Sequence[Annotation],
    experiment: str = 'baseline',
    allow_missing: bool = False,
) -> Results:
    """Reads all repetitions of all sequences.

    A row that is no region (NaN, infinite, words, no size) is an unknown frame; a file without one row per frame is not
    used. Both are problems, as are gaps in the repetitions, and sequences and files that do not belong.

    Args:
      folder: a tracker's, with a folder `experiment`, or that folder itself.
      annotations: of the sequences wanted.
      experiment: `baseline`, `realtime` or `unsupervised`.
      allow_missing: whether sequences may have no result; they are in `Results.missing`.

    Raises:
      ValueError: no such folder, or missing sequences that are not allowed, with the reason for the first.
    """
    folder = os.fspath(folder)
    inner = os.path.join(folder, experiment)
    folder = inner if os.path.isdir(inner) else folder
    there = listing.names_in(folder, folders=True)
    names = [annotation.name for annotation in annotations]
    problems = [f'{os.path.join(folder, name)}: no sequence of this set' for name in there if name not in names]
    problems += [f'{os.path.join(folder, name)}: not a result' for name in listing.names_in(folder, folders=False)]
    trajectories, reasons = {}, {}
    for annotation in annotations:
        here = [f'{os.path.join(folder, annotation.name)}: no such folder']
        found = {}
        if annotation.name in there:
            found, here = _read_sequence(os.path.join(folder, annotation.name), annotation)
        problems += here
        if found:
            trajectories[annotation.name] = tuple(found.values())
        else:
            reasons[annotation.name] = here[0]
    if reasons and not allow_missing:
        raise ValueError(
            f'no result of {len(reasons)} of {len(names)} sequences: {", ".join(reasons)} '
            f'({next(iter(reasons.values()))})'
        )
    return Results(trajectories, tuple(reasons), (*problems, *_uneven(trajectories)))


def read_trajectory(path: str | os.PathLike, frames: int) -> tuple[Trajectory, tuple[str, ...]]:
    """Reads one result file.

    Args:
      path: the file; numbers separated by commas, tabs or spaces.
      frames: how many rows it should have.

    Returns:
      The trajectory, and a line for each thing that is wrong in it.

    Raises:
      ValueError: no such file, or another number of rows.
    """
    found = rows.read_rows(path, _parse_result, 9)
    if len(found) != frames:
        raise ValueError(f'{found.path}: got {len(found)} rows, expected {frames}, one per frame; not used')
    codes = np.where(found.usable, found.values[:, 0], UNKNOWN).astype(np.int8)
    problems = [*found.refused, *_gaps(found)]
    if not _PROTOCOL.fullmatch(''.join(map(str, codes))):
        problems.append(f'{found.path}: starts (1) and failures (2) do not alternate from a start in the first row')
    return Trajectory(codes, found.values[:, 1:]), tuple(problems)


def is_deterministic(trajectories: Sequence[Trajectory]) -> bool:
    """Whether the first three are there and the same: then a tracker need not be run again."""
    first = trajectories[:1]
    return len(trajectories) >= 3 and all(
        np.array_equal(first[0].codes, other.codes) and np.array_equal(first[0].regions, other.regions, equal_nan=True)
        for other in trajectories[1:3]
    )


def parse_region(text: str) -> Sequence[float]:
    """The 8 numbers of a region as in `raster`, of a line with 4 or 8; ValueError with the reason for another one."""
    values = rows.numbers(text)
    if values is None or len(values) not in (4, 8):
        raise ValueError(f'got {text.strip()[:80]!r}, expected a region of 4 or 8 numbers')
    values = rows.pixels(values, text)
    if np.isnan(values[0]):
        raise ValueError(f'{text.strip()[:80]!r} is no region')
    if len(values) == 4 and not (values[2] > 0 and values[3] > 0):
        raise ValueError(f'{text.strip()[:80]!r} has no size')
    extents = values[2:] if len(values) == 4 else [max(values[i::2]) - min(values[i::2]) for i in (0, 1)]
    if max(extents) > MAX_EXTENT:
        raise ValueError(f'{text.strip()[:80]!r} is {max(extents):g} pixels large, more than any image')
    return [*values, *[np.nan] * (8 - len(values))]


def _parse_truth(text: str) -> Sequence[float]:
    values = rows.numbers(text)
    if values is not None and (values == [0] or (len(values) in (4, 8) and np.isnan(values).all())):
        return [np.nan] * 8
    return parse_region(text)


def _parse_result(text: str) -> Sequence[float]:
    """[9] the code and the region of a row."""
    values = rows.numbers(text)
    if values in ([UNKNOWN], [START], [FAILURE]):
        return [*values, *[np.nan] * 8]
    return [REGION, *parse_region(text)]


def _gaps(found: rows.Rows) -> list[str]:
    empty = int(found.lines[-1]) - len(found)
    return [f'{found.path}: {empty} empty lines before the last row'] if empty else []


def _frame_size(folder: str) -> tuple[int, int] | None:
    color = os.path.join(folder, 'color')
    try:
        images = listing.numbered_images(color if os.path.isdir(color) else folder)
    except ValueError:
        return None
    return image_header.image_size(next(iter(images.paths.values())))


def _read_sequence(folder: str, annotation: Annotation) -> tuple[dict[int, Trajectory], list[str]]:
    """Usable repetitions by number, and problems."""
    name = re.escape(annotation.name)
    repetition = re.compile(rf'{name}_([0-9]{{3}})\.txt')
    beside = re.compile(rf'{name}_time\.txt|{name}_[0-9]{{3}}_\w+\.value')
    found, problems, numbers = {}, [], []
    for file in listing.names_in(folder, folders=False):
        path = os.path.join(folder, file)
        match = repetition.fullmatch(file)
        if not match or not 1 <= int(match[1]) <= MAX_REPETITIONS:
            if not beside.fullmatch(file):
                problems.append(f'{path}: no result of this sequence')
            continue
        numbers.append(int(match[1]))
        try:
            found[numbers[-1]], more = read_trajectory(path, len(annotation.regions))
            problems += more
        except ValueError as error:
            problems.append(str(error))
    absent = sorted(set(range(1, max(numbers, default=1) + 1)) - set(numbers))
    # What is missing altogether is the first reason to give.
    gaps = [f'{os.path.join(folder, annotation.name)}_{number:03d}.txt: missing' for number in absent]
    return found, [*problems, *gaps] if found else [*gaps, *problems]


def _uneven(trajectories: Mapping[str, Sequence[Trajectory]]) -> list[str]:
    """Sequences with fewer repetitions than others have, unless there are three that are the same."""
    counts = {name: len(found) for name, found in trajectories.items() if not is_deterministic(found)}
    most = max(counts.values(), default=0)
    return [f'{name}: {count} repetitions, others have {most}' for name, count in counts.items() if count < most]

"""Results of several trackers drawn on the same frames: videos, one tracker's worst frames, each sequence's worst."""

import csv
import dataclasses
import io
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.results import result_files, run_description, tracker_folders
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.run import runner
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.system import files
from sctrpn_jax.visualization import comparison, response_maps

APART = 20  # frames between two of one sequence, or they would show the same
_JPEG_QUALITY = 75


@dataclasses.dataclass(frozen=True)
class WorstFrame:
    """A frame where a tracker is bad: sequence, 0-based frame, and tracker -> overlap (NaN: none)."""

    sequence: str
    frame: int
    overlaps: Mapping[str, float]


def frame_overlaps(boxes: np.ndarray, truth: truth_lib.Truth) -> np.ndarray:
    """Overlap in each frame, 0..1.

    Args:
      boxes: [T, 4] xywh, 0-based; a row that is not finite is a miss, 0.
      truth: of T frames.

    Returns:
      [T], NaN where there is no target.
    """
    boxes, target = np.asarray(boxes, np.float64), np.asarray(truth.boxes, np.float64)
    usable = np.isfinite(boxes).all(axis=1)
    overlaps = np.where(usable, one_pass.overlap(np.where(usable[:, None], boxes, 0), target), 0)
    present = np.array([comparison.is_present(row) for row in target], bool)
    if truth.absent is not None:
        present &= ~truth.absent
    return np.where(present, overlaps, np.nan)


def worst_frames(
    overlaps: Mapping[str, Mapping[str, np.ndarray]], tracker: str, count: int, by: str = 'overlap', each: int = 2
) -> list[WorstFrame]:
    """Frames where a tracker's overlap is lowest, or furthest below the best of the others; the worst comes first.

    Among equals (all frames after a loss have overlap 0) the other measure decides, then the order of the sequences,
    then the earlier frame. First frames are given to the tracker and do not count.

    Args:
      overlaps: sequence -> tracker -> [T], NaN where there is no target.
      tracker: whose frames; sequences without it are left out.
      count: at most this many.
      by: `overlap` or `gap`.
      each: at most this many of one sequence, `APART` frames or more from each other.

    Raises:
      ValueError: another `by`, or `gap` without another tracker.
    """
    if by not in ('overlap', 'gap'):
        raise ValueError(f'by: got {by!r}, accepted are overlap, gap')
    if by == 'gap' and not any(set(found) - {tracker} for found in overlaps.values()):
        raise ValueError(f'by gap: there is no tracker beside {tracker} to compare with')
    chosen = []
    for place, (sequence, found) in enumerate(overlaps.items()):
        if tracker not in found:
            continue
        own = found[tracker]
        # A maximum without NaN: no overlap is below -1.
        others = [np.nan_to_num(values, nan=-1) for name, values in found.items() if name != tracker]
        best = np.max(others, axis=0) if others else np.full(len(own), -1.0)
        lead = own - np.where(best < 0, np.nan if by == 'gap' else own, best)
        first, second = (lead, own) if by == 'gap' else (own, lead)
        usable = np.isfinite(first)
        usable[:1] = False
        frames = np.flatnonzero(usable)
        taken: list[int] = []
        for frame in frames[np.lexsort((frames, second[frames], first[frames]))]:
            if len(taken) == each:
                break
            if all(abs(frame - other) >= APART for other in taken):
                taken.append(int(frame))
        chosen += [(first[frame], second[frame], place, frame, sequence) for frame in taken]
    return [
        WorstFrame(sequence, frame, {name: float(values[frame]) for name, values in overlaps[sequence].items()})
        for *_, frame, sequence in sorted(chosen)[:count]
    ]


class Comparison:
    """Results of several trackers beside the frames they were made on.

    Args:
      benchmark: one of `data.benchmarks.registry.every()`.
      root: the benchmark's folder, with its frames.
      results: folder of a tracker, or of trackers.
      trackers: which, in this order; None: all, but a folder `annotations`, which holds the truth.
      names: some sequences alone.
      split: of the benchmark; None: the one that the folder holds.
      origin: number of the first pixel in result files of others; None: as in the benchmark's files.

    Attributes:
      trackers: their names.
      problems: tracker -> what `result_files.read_results` found wrong.

    Raises:
      ValueError: data that cannot be read, an unknown name, or a tracker without a single result.
    """

    def __init__(
        self,
        benchmark: str,
        root: str,
        results: str,
        *,
        trackers: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        split: str | None = None,
        origin: float | None = None,
    ):
        folders = tracker_folders.tracker_folders(results)
        if trackers and (unknown := [name for name in trackers if name not in folders]):
            raise ValueError(f'no tracker {unknown[0]!r} in {results}; there are {", ".join(folders)}')
        self.trackers = list(dict.fromkeys(trackers or [name for name in folders if name != 'annotations']))
        if not self.trackers:
            raise ValueError(f'no results in {results}; what is there is the ground truth')
        comparison.style(len(self.trackers) - 1)
        self._sequences = {each.name: each for each in sequences_lib.read_sequences(benchmark, root, names, split)}
        known = registry.get(benchmark)
        self._truth = {name: truth_lib.sequence_truth(known, each) for name, each in self._sequences.items()}
        self._boxes, self.problems = {}, {}
        frames = {name: len(each.frames) for name, each in self._sequences.items()}
        for name in self.trackers:
            first = run_description.origin(folders[name], known, origin)
            found = result_files.read_results(folders[name], frames, first)
            if not found.boxes:
                raise ValueError(f'{folders[name]}: no chosen sequence of {benchmark} has results')
            self._boxes[name], self.problems[name] = found.boxes, found
        self.overlaps = {
            sequence: {
                name: frame_overlaps(boxes[sequence], truth) for name, boxes in self._boxes.items() if sequence in boxes
            }
            for sequence, truth in self._truth.items()
        }

    def write_worst(self, folder: str | os.PathLike, count: int = 12, by: str = 'overlap') -> pathlib.Path | None:
        """Writes the first tracker's worst frames: `sheet.png` and `frames.csv`.

        Returns:
          The sheet; None: no frame could be judged.

        Raises:
          ValueError: `gap` without another tracker, or a frame that cannot be read.
          OSError: the folder cannot be written to.
        """
        worst = worst_frames(self.overlaps, self.trackers[0], count, by)
        if not worst:
            return None
        pictures = [self._tile(each, f'{place}. ') for place, each in enumerate(worst, 1)]
        folder = pathlib.Path(folder)
        response_maps.write_png(folder / 'sheet.png', comparison.contact_sheet(pictures))
        text = io.StringIO()
        table = csv.writer(text, lineterminator='\n')
        table.writerow(['sequence', 'frame', *self.trackers, 'image'])
        for each in worst:
            values = [each.overlaps.get(name, np.nan) for name in self.trackers]
            shown = ['' if np.isnan(value) else f'{value:.4f}' for value in values]
            table.writerow([each.sequence, each.frame, *shown, self._sequences[each.sequence].frames[each.frame]])
        files.write_text(folder / 'frames.csv', text.getvalue())
        return folder / 'sheet.png'

    def write_worst_by_sequence(self, folder: str | os.PathLike, count: int = 3) -> dict[str, pathlib.Path]:
        """Writes `<sequence>.jpg` of every sequence: the frames in which the trackers' mean overlap is lowest.

        Args:
          folder: made where it is missing.
          count: at most this many frames of a sequence, `APART` frames or more from each other.

        Returns:
          Sequence -> picture; sequences of which no frame can be judged are left out.

        Raises:
          ValueError: a frame that cannot be read.
          OSError: the folder cannot be written to.
        """
        paths = {}
        for name, found in self.overlaps.items():
            mean = {name: {'mean': np.mean(list(found.values()), axis=0)}} if found else {}
            worst = worst_frames(mean, 'mean', count, each=count)
            if worst:
                paths[name] = pathlib.Path(folder) / f'{name}.jpg'
                tiles = [self._tile(each, after=f', mean overlap {each.overlaps["mean"]:.2f}') for each in worst]
                _write_jpeg(paths[name], comparison.contact_sheet(tiles))
        return paths

    def write_videos(self, folder: str | os.PathLike, fps: float = 25) -> list[pathlib.Path]:
        """Writes `<sequence>.mp4` of every sequence, frame by frame.

        Raises:
          ValueError: a frame that cannot be read, or of another size than the first.
          OSError: the folder cannot be written to.
        """
        paths = []
        for sequence in runner.progress(list(self._sequences.values())):
            paths.append(pathlib.Path(folder) / f'{sequence.name}.mp4')
            try:
                comparison.write_video(paths[-1], self._pictures(sequence), fps)
            except ValueError as error:
                raise ValueError(f'{sequence.name}: {error}') from error
        return paths

    def _pictures(self, sequence: sequences_lib.Sequence) -> Iterator[np.ndarray]:
        for index in range(len(sequence.frames)):
            frame, *parts = self._parts(sequence.name, index)
            title = f'{sequence.name}, frame {index} of {len(sequence.frames)}'
            yield comparison.comparison_frame(frame, *parts, title, comparison.video_width(frame.shape[1]))

    def _tile(self, worst: WorstFrame, before: str = '', after: str = '') -> np.ndarray:
        title = f'{worst.sequence}, frame {worst.frame} of {len(self._sequences[worst.sequence].frames)}'
        return comparison.tile(*self._parts(worst.sequence, worst.frame), before + title + after)

    def _parts(self, sequence: str, frame: int) -> tuple:
        """Image, boxes, truth and overlaps of one frame."""
        boxes = {name: found[sequence][frame] if sequence in found else None for name, found in self._boxes.items()}
        truth = self._truth[sequence]
        hidden = truth.absent is not None and truth.absent[frame]
        overlaps = {name: float(values[frame]) for name, values in self.overlaps[sequence].items()}
        image = images.read_image(self._sequences[sequence].frames[frame])
        return image, boxes, None if hidden else truth.boxes[frame], overlaps


def _write_jpeg(path: pathlib.Path, picture: np.ndarray) -> None:
    """Writes [H, W, 3] uint8 RGB, whole or not at all."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), flags)[1]
    with files.replacing(path) as partial:
        partial.write_bytes(data.tobytes())


def problem_lines(problems: Mapping[str, result_files.Results], whole: bool = True) -> list[str]:
    """One line per tracker whose files are not as expected: how many problems of each kind, and the first of the worst.

    Args:
      problems: tracker -> its results.
      whole: the whole benchmark was asked for; else files of sequences that were not chosen (`extra`) are no problem.
    """
    lines = []
    for name, found in problems.items():
        counts = {kind: count for kind, count in found.counts.items() if whole or kind != 'extra'}
        if not counts:
            continue
        # read_results names extra files first, and they matter least.
        extra = found.counts.get('extra', 0)
        shown = found.problems[extra if extra < len(found.problems) else 0]
        kinds = ', '.join(f'{count} {kind}' for kind, count in counts.items())
        lines.append(f'{name}: {sum(counts.values())} problems ({kinds}); the first: {shown}')
    return lines

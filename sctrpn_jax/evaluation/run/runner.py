"""One-pass runs: every sequence is tracked from its first box, without resets, and its boxes are written.

There are two files per sequence, `<name>.csv` with boxes and scores and `<name>_time.txt` with seconds per frame, so an
interrupted run goes on where it stopped. Reports are made from the files alone.
"""

import dataclasses
import os
import pathlib
import time
import typing
from collections.abc import Iterator, Sequence

import numpy as np
import tqdm

from sctrpn_jax import bounded
from sctrpn_jax.data import images as images_lib
from sctrpn_jax.data import process_pool
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import job
from sctrpn_jax.evaluation.results import run_description
from sctrpn_jax.evaluation.run import batched
from sctrpn_jax.evaluation.run import trackers as trackers_lib
from sctrpn_jax.system import files, interrupts
from sctrpn_jax.tracking import results as results_lib


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """A tracked sequence: boxes [T, 4] xywh, scores [T], seconds [T] (0 for the first frame, that is given)."""

    boxes: np.ndarray
    scores: np.ndarray
    seconds: np.ndarray


def track(tracker: trackers_lib.OnlineTracker, sequence: sequences_lib.Sequence) -> Result:
    """Follows one sequence from its first box; reading images is no part of the time.

    Raises:
      ValueError: an image that cannot be read.
    """
    rows = [(sequence.boxes[0], 1.0, 0.0)]
    for index, path in enumerate(sequence.frames):
        interrupts.check()
        frame = images_lib.read_image(path)
        if index == 0:
            tracker.init(frame, sequence.boxes[0])
            continue
        start = time.perf_counter()
        output = tracker.update(frame)
        rows.append((np.asarray(output.box), float(output.score), time.perf_counter() - start))
    boxes, scores, seconds = zip(*rows, strict=True)
    return Result(np.array(boxes, np.float64), np.array(scores), np.array(seconds))


_tracker_of_process = None


def _start_process(settings: job.TrackerSettings) -> None:
    global _tracker_of_process
    _tracker_of_process, _ = trackers_lib.make_tracker(settings)


def _track_in_process(sequence: sequences_lib.Sequence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = []
    _track_each(_tracker_of_process, [sequence], lambda _, *result: found.append(result))
    return found[0]


@dataclasses.dataclass(frozen=True)
class ProcessTracker:
    """Several processes, each with a tracker of its own, that take one sequence after the other.

    Attributes:
      count: of processes.
      settings: of the tracker that each makes.
    """

    count: int
    settings: job.TrackerSettings

    def track(self, sequences: Sequence[sequences_lib.Sequence], done: typing.Callable[..., None]) -> None:
        """Tracks sequences, long ones first; `done(sequence, boxes, scores, seconds)` for each as it ends."""
        ordered = sorted(sequences, key=lambda sequence: -len(sequence.frames))
        if not ordered:
            return
        count = min(self.count, len(ordered))
        with process_pool.process_pool(count, _start_process, (self.settings,)) as pool:
            futures = {pool.submit(_track_in_process, sequence): sequence for sequence in ordered}
            for future in process_pool.as_completed(futures):
                done(futures[future], *future.result())


def run_one_pass(
    tracker: trackers_lib.OnlineTracker | batched.BatchedTracker | ProcessTracker,
    sequences: Sequence[sequences_lib.Sequence],
    output: str | os.PathLike,
    description: dict | None = None,
) -> dict[str, Result]:
    """Tracks the sequences that have no result file yet.

    Args:
      tracker: the first sequence of each frame size is begun twice, so that no time includes a compilation. A batched
        one tracks several sequences together, and its times are shares of the batch's.
      sequences: of one benchmark.
      output: folder for the result files; a `/` in a sequence's name makes folders in it.
      description: JSON-ready, of the tracker; kept beside the results, see `run_description`.

    Returns:
      Name to `Result`, in the order of `sequences`.

    Raises:
      ValueError: the folder holds another tracker's results, or an image cannot be read.
      Interrupted: by a signal, between two frames; sequences that are finished are kept.
    """
    output = pathlib.Path(output)
    run_description.check(output, description or {})
    todo = [sequence for sequence in sequences if not (output / f'{sequence.name}.csv').exists()]
    for sequence in todo:
        if not np.isfinite(sequence.boxes[0]).all():
            raise ValueError(
                f'sequence {sequence.name!r}: no box in the first frame, so there is nothing to start from'
            )
    run_description.begin(output, description or {}, bool(todo))
    bar = tqdm.tqdm(total=len(sequences), initial=len(sequences) - len(todo), unit='sequence', disable=None)
    with interrupts.deferred(), bar:

        def done(sequence, *result):
            write_result(output / f'{sequence.name}.csv', Result(*result))
            bar.update()

        if isinstance(tracker, batched.BatchedTracker | ProcessTracker):
            tracker.track(todo, done)
        else:
            _track_each(tracker, todo, done)
    return {s.name: read_result(output / f'{s.name}.csv', len(s.frames)) for s in sequences}


def _track_each(tracker: trackers_lib.OnlineTracker, sequences: Sequence[sequences_lib.Sequence], done) -> None:
    warm: set[tuple[int, ...]] = set()
    for sequence in sequences:
        first = images_lib.read_image(sequence.frames[0])
        if first.shape not in warm:
            tracker.init(first, sequence.boxes[0])
            tracker.update(first)
            warm.add(first.shape)
        result = track(tracker, sequence)
        done(sequence, result.boxes, result.scores, result.seconds)


def write_result(path: pathlib.Path, result: Result) -> None:
    """Writes a sequence's boxes, scores and times; the file of that name appears when all is written."""
    with files.replacing(_time_path(path)) as partial:
        np.savetxt(partial, result.seconds, fmt='%.8f')
    # Last, because this file says that the sequence is done.
    with files.replacing(path) as partial, results_lib.ResultWriter(partial) as writer:
        for box, score in zip(result.boxes, result.scores, strict=True):
            writer.write(box, score)


def read_result(path: pathlib.Path, frames: int) -> Result:
    """Reads what `write_result` wrote, T = frames; ValueError, naming the file, where it does not fit."""
    boxes, scores = results_lib.read_results(path)
    seconds = read_seconds(_time_path(path)) if _time_path(path).exists() else np.full(frames, np.nan)
    if not len(boxes) == len(seconds) == frames:
        raise ValueError(f'{path}: got {len(boxes)} boxes and {len(seconds)} times, expected {frames}, one per frame')
    return Result(boxes, scores, seconds)


def read_seconds(path: str | os.PathLike) -> np.ndarray:
    """[T] seconds per frame of a `<name>_time.txt`; ValueError, naming the file, where it holds anything else."""
    try:
        lines = bounded.read_bytes(path, bounded.TEXT_BYTES).decode().split()
        seconds = np.array(lines, np.float64)
    except (OSError, ValueError) as error:
        raise ValueError(f'{os.fspath(path)}: {str(error)[:120]}; expected seconds, one number per frame') from None
    if not (np.isfinite(seconds) & (seconds >= 0)).all():
        raise ValueError(f'{os.fspath(path)}: expected seconds, one number per frame, 0 or more')
    return seconds


def _time_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f'{path.stem}_time.txt')


def progress(sequences: Sequence[sequences_lib.Sequence]) -> Iterator[sequences_lib.Sequence]:
    """The sequences, with a progress bar where there is a terminal."""
    return iter(tqdm.tqdm(sequences, unit='sequence', disable=None))

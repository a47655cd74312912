"""The supervised VOT protocol: a tracker is started on the true box, and started again five frames after each failure.

Result files are the toolkits' own, so that any of them can score the run; one that is there is not tracked again.
"""

import os
import pathlib
import re
import time
import typing
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.data.layouts import vot as layout
from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.metrics.vot import expected_overlap, raster, trajectory
from sctrpn_jax.system import files


class Tracker(typing.Protocol):
    """What the protocol needs of a tracker."""

    def init(self, frame: np.ndarray, box: np.ndarray) -> typing.Any:
        """Starts on a target: frame [H, W, 3] uint8 RGB, box [4] x, y, w, h in frame pixels."""

    def update(self, frame: np.ndarray) -> typing.Any:
        """Next frame's result, with `box` [4] in the same form."""


class Frames(typing.Protocol):
    """Images in order; each is asked for once, and skipped ones never."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> np.ndarray: ...


def start_boxes(regions: np.ndarray) -> np.ndarray:
    """[T, 4] xywh to start a tracker with: a box as it is, of a polygon `polygon_box`; NaN where there is none.

    Args:
      regions: [T, 8] as in `raster`.
    """
    regions = raster.as_regions(regions)
    is_box = np.isnan(regions[:, 4:]).all(axis=1, keepdims=True)
    return np.where(is_box, regions[:, :4], layout.polygon_box(np.where(is_box, 0, regions)))


def track(
    tracker: Tracker,
    frames: Frames,
    regions: np.ndarray,
    bounds: tuple[float, float] | None = None,
    convention: str = 'vot2018',
    reset: bool = True,
    skip: int = expected_overlap.SKIP,
) -> trajectory.Trajectory:
    """Runs a tracker through a sequence once.

    The first frame is a start; a frame whose overlap with the truth is 0, or whose box is not finite, is a failure; the
    frames after it are left out, and the one `skip` frames after it is a start again (if its truth is unknown, the next
    with a known one). A frame of unknown truth fails nobody. Boxes are judged as written, with four decimals.

    Args:
      tracker: started again for each target.
      frames: T images.
      regions: [T, 8] truth as in `raster`.
      bounds: last column and row that count; None: everywhere.
      convention: one of `raster.CONVENTIONS`.
      reset: False follows the target from the first frame on whatever happens (no-reset experiment).
      skip: frames from a failure to the next start, 1 or more.

    Returns:
      The trajectory, with `seconds` of the calls; NaN in frames left out.

    Raises:
      ValueError: no truth in the first frame, or not one region per frame.
    """
    regions = raster.as_regions(regions)
    if len(frames) != len(regions) or not len(regions) or skip < 1:
        raise ValueError(
            f'got {len(frames)} frames, {len(regions)} regions, skip {skip}; accepted are as many, skip >= 1'
        )
    boxes = start_boxes(regions)
    if not np.isfinite(boxes[0]).all():
        raise ValueError('no region in the first frame, so there is nothing to start from')
    codes = np.zeros(len(regions), np.int8)
    found, seconds = np.full(regions.shape, np.nan), np.full(len(regions), np.nan)
    running, index = False, 0
    while index < len(regions):
        if not running and not np.isfinite(boxes[index]).all():
            index += 1
            continue
        frame = frames[index]
        begin = time.perf_counter()
        if not running:
            tracker.init(frame, boxes[index])
            seconds[index] = time.perf_counter() - begin
            codes[index], running = trajectory.START, True
        else:
            box = np.round(np.asarray(tracker.update(frame).box, np.float64), 4)
            seconds[index] = time.perf_counter() - begin
            broken = not np.isfinite(box).all()
            # Not `overlap > 0`: that of an unknown truth is NaN, and no failure.
            if reset and (broken or _judge(box, regions[index], bounds, convention) <= 0):
                codes[index], running = trajectory.FAILURE, False
                index += skip
                continue
            if not broken:
                codes[index], found[index, :4] = trajectory.REGION, box
        index += 1
    return trajectory.Trajectory(codes, found, seconds)


def run_sequence(
    tracker: Tracker,
    name: str,
    frames: Frames,
    regions: np.ndarray,
    folder: str | os.PathLike,
    bounds: tuple[float, float] | None = None,
    convention: str = 'vot2018',
    reset: bool = True,
    repetitions: int = vot_files.MAX_REPETITIONS,
) -> list[trajectory.Trajectory]:
    """Runs a sequence up to 15 times and keeps the results; after three that are the same it stops.

    Args:
      tracker: started again for each target.
      name: of the sequence.
      frames: T images.
      regions: [T, 8] truth as in `raster`.
      folder: of the experiment, such as `<tracker>/baseline`; the files go into `<folder>/<name>`.
      bounds: last column and row that count.
      convention: one of `raster.CONVENTIONS`.
      reset: start again after a failure.
      repetitions: at most, 1 to 15.

    Returns:
      All repetitions, as the files have them.

    Raises:
      ValueError: no truth in the first frame, a name that no folder can have, or a file that is there but of another
        sequence.
    """
    if not 1 <= repetitions <= vot_files.MAX_REPETITIONS:
        raise ValueError(f'repetitions: got {repetitions}, accepted are 1 to {vot_files.MAX_REPETITIONS}')
    if name in ('', '.', '..') or re.search(r'[/\\\0]', name):
        raise ValueError(f'sequence: got {name!r}, accepted are names of a folder')
    made: list[trajectory.Trajectory] = []
    for path in _paths(folder, name, repetitions):
        if vot_files.is_deterministic(made):
            break
        if not path.exists():
            write_trajectory(path, track(tracker, frames, regions, bounds, convention, reset))
        made.append(vot_files.read_trajectory(path, len(regions))[0])
    return made


def is_finished(
    name: str, frames: int, folder: str | os.PathLike, repetitions: int = vot_files.MAX_REPETITIONS
) -> bool:
    """Whether `run_sequence` would track nothing.

    Args:
      name: of the sequence.
      frames: how many it has.
      folder: of the experiment.
      repetitions: at most, 1 to 15.

    Raises:
      ValueError: a file that is there but of another sequence.
    """
    made: list[trajectory.Trajectory] = []
    for path in _paths(folder, name, repetitions):
        if vot_files.is_deterministic(made):
            return True
        if not path.exists():
            return False
        made.append(vot_files.read_trajectory(path, frames)[0])
    return True


def _paths(folder: str | os.PathLike, name: str, repetitions: int) -> list[pathlib.Path]:
    return [pathlib.Path(folder) / name / f'{name}_{number:03d}.txt' for number in range(1, repetitions + 1)]


def write_trajectory(path: str | os.PathLike, run: trajectory.Trajectory) -> None:
    """Writes a result file, `1`, `2`, `0` or numbers as `%.4f` in each row, whole or not at all.

    Seconds, if known, go beside it, into `<sequence>_001_time.value`, one per row.
    """
    path = pathlib.Path(path)
    if run.seconds is not None:
        times = path.with_name(f'{path.stem}_time.value')
        files.write_text(times, ''.join(f'{value:.6f}\n' for value in run.seconds))
    # Last, because this file says that the run is done.
    files.write_text(path, ''.join(f'{_row(*row)}\n' for row in zip(run.codes, run.regions, strict=True)))


def _judge(box: np.ndarray, region: np.ndarray, bounds: tuple[float, float] | None, convention: str) -> float:
    if not np.isfinite(region[:4]).all():
        return np.nan  # which the Python toolkit's raster takes for an empty region
    return raster.overlap(raster.as_regions(box), region, bounds, convention)


def _row(code: int, region: Sequence[float]) -> str:
    if code != trajectory.REGION:
        return str(int(code))
    return ','.join(f'{value:.4f}' for value in region if np.isfinite(value))

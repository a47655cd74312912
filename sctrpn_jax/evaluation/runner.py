"""What bin/evaluate does: tracks every sequence from its first box (no resets), keeps the boxes, reports the scores.

One pair of files a sequence, `<name>.csv` (as boxes.csv) and `<name>_time.txt` (seconds a frame), so that an
interrupted run goes on where it stopped; the report is made from the files alone.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import sys
import time
import typing
from collections.abc import Iterator, Sequence

import jax
import numpy as np
import tqdm

from sctrpn_jax.data import images as images_lib
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import one_pass
from sctrpn_jax.models import alexnet, backbone_weights
from sctrpn_jax.tracking import correlation
from sctrpn_jax.tracking import results as results_lib
from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.training import checkpoint as checkpoint_lib

BAD_INPUT = 2  # exit code
TRACKERS = ('sctrpn', 'correlation')


class OnlineTracker(typing.Protocol):
    """What the runner needs of a tracker."""

    def init(self, frame: np.ndarray, box: Sequence[float]) -> None:
        """Starts on a target: frame [H, W, 3] uint8 RGB, box x, y, w, h in 0-based frame pixels."""

    def update(self, frame: np.ndarray) -> typing.Any:
        """Next frame's result, with `box` [4] in the same form and `score`."""


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """A tracked sequence: boxes [T, 4] xywh, scores [T], seconds [T] (0 for the first frame, that is given)."""

    boxes: np.ndarray
    scores: np.ndarray
    seconds: np.ndarray


def track(tracker: OnlineTracker, sequence: sequences_lib.Sequence) -> Result:
    """Follows one sequence from its first box; reading images is no part of the time.

    Raises:
      ValueError: no box in the first frame, or an image that cannot be read.
    """
    if not np.isfinite(sequence.boxes[0]).all():
        raise ValueError(f'sequence {sequence.name!r}: no box in the first frame, so there is nothing to start from')
    rows = [(sequence.boxes[0], 1.0, 0.0)]
    for index, path in enumerate(sequence.frames):
        frame = images_lib.read_image(path)
        if index == 0:
            tracker.init(frame, sequence.boxes[0])
            continue
        start = time.perf_counter()
        output = tracker.update(frame)
        rows.append((np.asarray(output.box), float(output.score), time.perf_counter() - start))
    boxes, scores, seconds = zip(*rows, strict=True)
    return Result(np.array(boxes, np.float64), np.array(scores), np.array(seconds))


def run_one_pass(
    tracker: OnlineTracker,
    sequences: Sequence[sequences_lib.Sequence],
    output: str | os.PathLike,
    description: dict | None = None,
) -> dict[str, Result]:
    """Tracks the sequences that have no result file yet.

    Args:
      tracker: compiles by itself; the first sequence of each frame size is begun twice, so that no time holds a
        compilation.
      sequences: of one benchmark.
      output: folder for the result files.
      description: JSON-ready, of the tracker; kept beside the results, so that those of two are never mixed.

    Returns:
      Name to `Result`, in the order of `sequences`.

    Raises:
      ValueError: the folder holds another tracker's results, or as `track`.
    """
    output = pathlib.Path(output)
    output.mkdir(parents=True, exist_ok=True)
    _check_description(output / 'tracker.json', description or {})
    warm: set[tuple[int, ...]] = set()
    results = {}
    for sequence in tqdm.tqdm(sequences, unit='sequence', disable=None):
        path = output / f'{sequence.name}.csv'
        if not path.exists():
            first = images_lib.read_image(sequence.frames[0])
            if first.shape not in warm and np.isfinite(sequence.boxes[0]).all():
                tracker.init(first, sequence.boxes[0])
                tracker.update(first)
                warm.add(first.shape)
            _write_result(path, track(tracker, sequence))
        results[sequence.name] = _read_result(path, len(sequence.frames))
    return results


def report(sequences: Sequence[sequences_lib.Sequence], results: dict[str, Result], invalid: str = 'exclude') -> dict:
    """Scores of each sequence, their mean over sequences and its 95 % bootstrap interval, JSON-ready.

    Args:
      sequences: those that were tracked.
      results: of `run_one_pass`.
      invalid: as `one_pass.score_sequence`.

    Returns:
      `convention`; `sequences`: name -> `success`, `precision`, `normalized_precision`, `frames`, `fps`; `mean`: the
      same over sequences, with `fps` = all frames over all seconds; `interval`: score -> [low, high].
    """
    names = ('success', 'precision', 'normalized_precision')
    rows = {}
    for sequence in sequences:
        result = results[sequence.name]
        scores = one_pass.score_sequence(result.boxes, sequence.boxes, invalid=invalid)
        rows[sequence.name] = {
            **{name: getattr(scores, name) for name in names},
            'frames': len(result.boxes),
            'fps': _rate([result]),
        }
    columns = {name: [row[name] for row in rows.values()] for name in names}
    return {
        'convention': (
            'one pass from the first box, which counts; success: mean over overlap > 0, 0.05 .. 1; precision: centre '
            f'error <= 20 px; normalized precision: <= 0.20; frames without truth: {invalid}; means over sequences'
        ),
        'sequences': rows,
        'mean': {
            **{name: float(np.mean(column)) for name, column in columns.items()},
            'frames': sum(row['frames'] for row in rows.values()),
            'fps': _rate(list(results.values())),
        },
        'interval': {name: list(one_pass.bootstrap_interval(column)) for name, column in columns.items()},
    }


def format_table(made: dict) -> str:
    """`report` as text: a row a sequence, the mean, its interval, the convention."""
    width = max(len(name) for name in (*made['sequences'], '95 % interval'))
    lines = [f'{"sequence":{width}}  success  precision  norm.prec.  frames     fps']
    for name, row in (*made['sequences'].items(), ('mean', made['mean'])):
        fps = '-' if row['fps'] is None else f'{row["fps"]:.1f}'
        lines.append(
            f'{name:{width}}  {row["success"]:7.3f}  {row["precision"]:9.3f}  {row["normalized_precision"]:10.3f}'
            f'  {row["frames"]:6d}  {fps:>6}'
        )
    spans = [f'{low:.3f}-{high:.3f}' for low, high in made['interval'].values()]
    lines.append(f'{"95 % interval":{width}}  {"  ".join(spans)}')
    return '\n'.join([*lines, f'({made["convention"]})'])


def make_tracker(
    kind: str, checkpoint: str | None = None, weights: str | None = None, layer: int = 5, one_tower: bool = False
) -> tuple[OnlineTracker, dict]:
    """A tracker and its description.

    Args:
      kind: `sctrpn`, or `correlation` of untrained features.
      checkpoint: work directory of a training run (sctrpn).
      weights: .npz of backbone weights (correlation).
      layer: 3, 4 or 5 (correlation).
      one_tower: the first of the weights' two towers alone (correlation).

    Raises:
      ValueError: an unknown kind, or what it needs is missing.
    """
    if kind == 'sctrpn':
        if not checkpoint:
            raise ValueError('tracker sctrpn: give a checkpoint')
        variables, config = checkpoint_lib.load_variables(checkpoint)
        return tracker_lib.Tracker(variables, config), {'tracker': kind, 'checkpoint': checkpoint}
    if kind != 'correlation':
        raise ValueError(f'tracker: got {kind!r}, accepted are {", ".join(TRACKERS)}')
    if not weights:
        raise ValueError('tracker correlation: give the backbone weights')
    found = backbone_weights.read_npz(weights)
    found = backbone_weights.first_tower(found) if one_tower else found
    model = alexnet.AlexNet(**found.settings(), layers=(layer,))
    parameters = backbone_weights.to_params(found, model.widths, model.groups)

    def apply(variables, images):
        return model.apply(variables, images)[layer]

    tracker = correlation.CorrelationTracker(apply, jax.device_put({'params': parameters}))
    return tracker, {'tracker': kind, 'layer': layer, 'one_tower': one_tower}


def run(
    benchmark: str,
    root: str,
    output: str,
    kind: str = 'sctrpn',
    names: Sequence[str] | None = None,
    invalid: str = 'exclude',
    **settings,
) -> int:
    """bin/evaluate: everything from the flags to the exit code; `report.json` lands in the output folder.

    Args:
      benchmark: as `sequences.read_sequences`.
      root: the benchmark's folder.
      output: folder for results and report.
      kind: as `make_tracker`.
      names: some sequences alone.
      invalid: as `one_pass.score_sequence`.
      **settings: of `make_tracker`.

    Returns:
      0; 2 for a bad input (one line on stderr says what).
    """
    try:
        sequences = sequences_lib.read_sequences(benchmark, root, names)
        tracker, description = make_tracker(kind, **settings)
        results = run_one_pass(tracker, sequences, output, {'benchmark': benchmark, **description})
        made = report(sequences, results, invalid)
        with _replacing(pathlib.Path(output) / 'report.json') as partial:
            partial.write_text(json.dumps(made, indent=1) + '\n')
        print(format_table(made))
        return 0
    except (ValueError, OSError) as error:
        print(f'evaluate: {" ".join(str(error).split())}', file=sys.stderr)
        return BAD_INPUT


@contextlib.contextmanager
def _replacing(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A name to write to that becomes `path` when all is written."""
    partial = path.with_name(f'{path.name}.partial')
    yield partial
    os.replace(partial, path)


def _write_result(path: pathlib.Path, result: Result) -> None:
    with _replacing(_time_path(path)) as partial:
        np.savetxt(partial, result.seconds, fmt='%.8f')
    # Last, because this file says that the sequence is done.
    with _replacing(path) as partial, results_lib.ResultWriter(partial) as writer:
        for box, score in zip(result.boxes, result.scores, strict=True):
            writer.write(box, score)


def _read_result(path: pathlib.Path, frames: int) -> Result:
    boxes, scores = results_lib.read_results(path)
    seconds = np.loadtxt(_time_path(path), ndmin=1) if _time_path(path).exists() else np.full(frames, np.nan)
    if not len(boxes) == len(seconds) == frames:
        raise ValueError(f'{path}: got {len(boxes)} boxes and {len(seconds)} times, expected {frames}, one a frame')
    return Result(boxes, scores, seconds)


def _time_path(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(f'{path.stem}_time.txt')


def _rate(results: list[Result]) -> float | None:
    """Tracked frames a second; None where no frame was tracked or a time is not known."""
    seconds = sum(float(result.seconds[1:].sum()) for result in results)
    return sum(len(result.seconds) - 1 for result in results) / seconds if seconds > 0 else None


def _check_description(path: pathlib.Path, description: dict) -> None:
    if path.exists():
        found = json.loads(path.read_text())
        if found != json.loads(json.dumps(description)):
            raise ValueError(f'{path.parent} holds results of {found}, not of {description}; give another folder')
        return
    with _replacing(path) as partial:
        partial.write_text(json.dumps(description) + '\n')

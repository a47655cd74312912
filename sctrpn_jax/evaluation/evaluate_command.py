"""What bin/evaluate does: track a benchmark and score it, or score results that are there."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import attributes as attributes_lib
from sctrpn_jax.evaluation import batched, result_files, runner, scoring, submissions
from sctrpn_jax.evaluation import trackers as trackers_lib
from sctrpn_jax.evaluation.report import data
from sctrpn_jax.evaluation.vot import protocol
from sctrpn_jax.evaluation.vot import results as vot_results

# Convention by benchmark where none is named.
DEFAULTS = {'trackingnet': 'trackingnet', 'lasot': 'lasot'}


def track_one_pass(
    benchmark: str,
    root: str,
    output: str,
    kind: str = 'sctrpn',
    names: Sequence[str] | None = None,
    batch: int = 1,
    processes: int = 1,
    split: str | None = None,
    **settings,
) -> list[sequences_lib.Sequence]:
    """Tracks the sequences of a benchmark from their first boxes; those that have results already are kept.

    Args:
      benchmark: as `sequences.read_sequences`.
      root: the benchmark's folder.
      output: folder for the tracker's results.
      kind: as `trackers.make_tracker`.
      names: some sequences alone.
      batch: sequences tracked at a time in one process (sctrpn).
      processes: each with a tracker of its own.
      split: as `sequences.read_sequences`.
      **settings: of `trackers.make_tracker`.

    Returns:
      The sequences.

    Raises:
      ValueError: data or settings that cannot be used, or another tracker's results in the folder.
    """
    found = sequences_lib.read_sequences(benchmark, root, names, split)
    tracker, description = choose_tracker(kind, settings, batch, processes)
    runner.run_one_pass(tracker, found, output, {'benchmark': benchmark, **description})
    if isinstance(tracker, batched.BatchedTracker):
        print(f'{tracker.compilations} programs compiled for {len(found)} sequences')
    return found


def submit(benchmark: str, sequences: Sequence[sequences_lib.Sequence], results: str, path: str) -> None:
    """Writes the zip that a benchmark's server takes.

    Args:
      benchmark: `trackingnet` or `got10k`.
      sequences: of the test split.
      results: folder of `track_one_pass`.
      path: of the zip.

    Raises:
      ValueError: a benchmark without a server, or sequences or results that the server would refuse.
    """
    if benchmark not in ('trackingnet', 'got10k'):
        raise ValueError(f'{benchmark} takes no submissions; accepted are trackingnet, got10k')
    frames = {sequence.name: len(sequence.frames) for sequence in sequences}
    found = {name: runner.read_result(pathlib.Path(results) / f'{name}.csv', count) for name, count in frames.items()}
    boxes = {name: result.boxes for name, result in found.items()}
    if benchmark == 'trackingnet':
        submissions.write_trackingnet(path, boxes, frames)
    else:
        submissions.write_got10k(path, boxes, {name: result.seconds for name, result in found.items()}, frames)


def choose_tracker(kind: str, settings: dict, batch: int, processes: int):
    """One tracker, a batched one or one a process, and its description.

    Raises:
      ValueError: numbers that do not go together, or as `trackers.make_tracker`.
    """
    if min(batch, processes) < 1 or max(batch, processes) > 1 and (batch > 1) == (processes > 1):
        raise ValueError(f'batch is {batch}, processes {processes}; expected 1 or more, and one of them 1')
    if batch > 1 and kind != 'sctrpn':
        raise ValueError(f'batch is {batch}; only tracker sctrpn follows several sequences at a time, not {kind}')
    tracker, description = trackers_lib.make_tracker(kind, **settings)
    if batch > 1:
        return batched.BatchedTracker(tracker.variables, tracker.config, batch), description
    return (runner.ProcessTracker(processes, kind, settings) if processes > 1 else tracker), description


class _Frames:
    """Images read when they are asked for: frames that a reset skips are not read."""

    def __init__(self, paths: Sequence[str]):
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> np.ndarray:
        return images.read_image(self._paths[index])


def track_vot(
    root: str, output: str, kind: str = 'sctrpn', names: Sequence[str] | None = None, reset: bool = True, **settings
) -> None:
    """Runs VOT's experiment with resets (`baseline`) or without (`unsupervised`); finished files are kept.

    Args:
      root: VOT's folder of sequences.
      output: the tracker's folder; gets `baseline` or `unsupervised`.
      kind: as `trackers.make_tracker`.
      names: some sequences alone.
      reset: start the tracker anew five frames after it lost the target.
      **settings: of `trackers.make_tracker`.

    Raises:
      ValueError: data or settings that cannot be used, or another tracker's results in the folder.
    """
    annotations = {annotation.name: annotation for annotation in vot_results.read_annotations(root)}
    sequences = sequences_lib.read_sequences('vot', root, names)
    tracker, description = trackers_lib.make_tracker(kind, **settings)
    runner.check_description(pathlib.Path(output), {'benchmark': 'vot', **description})
    folder = pathlib.Path(output) / ('baseline' if reset else 'unsupervised')
    for sequence in runner.progress(sequences):
        regions = annotations[sequence.name].regions
        height, width = images.read_image(sequence.frames[0]).shape[:2]
        protocol.run_sequence(
            tracker, sequence.name, _Frames(sequence.frames), regions, folder, (width - 1, height - 1), reset=reset
        )


def score(
    benchmark: str,
    root: str,
    results: str,
    convention: str | None = None,
    names: Sequence[str] | None = None,
    origin: float | None = None,
    attributes: str | None = None,
) -> data.Report:
    """Scores of every tracker in a results folder.

    Args:
      benchmark: as `sequences.read_sequences`.
      root: the benchmark's folder, or one of annotations alone (`result_files.read_truth`, `vot.read_annotations`).
      results: folder of a tracker, or of trackers.
      convention: None: the benchmark's own.
      names: some sequences alone.
      origin: as `scoring.score_one_pass`.
      attributes: as `attributes.read_attributes`.

    Raises:
      ValueError: nothing to score, damaged truth, an unknown convention.
    """
    truths = [pathlib.Path(root).resolve(), pathlib.Path(root).resolve() / 'annotations']
    folders = {k: path for k, path in scoring.tracker_folders(results).items() if path.resolve() not in truths}
    if not folders:
        raise ValueError(f'no results in {results}; what is there is the ground truth')
    if benchmark == 'vot' and all((path / 'baseline').is_dir() for path in folders.values()):
        return scoring.score_vot(root, folders, convention or 'vot2018')
    if benchmark == 'got10k' and convention is None:
        return scoring.score_got10k(sequences_lib.read_sequences('got10k', root, names), folders, origin)
    truth = result_files.read_truth(benchmark, root)
    if names and (unknown := [name for name in names if name not in truth]):
        raise ValueError(f'no sequence {unknown[0]!r} in {os.fspath(root)}; there are {", ".join(sorted(truth)[:20])}')
    truth = {name: truth[name] for name in names} if names else truth
    named = attributes_lib.read_attributes(benchmark, attributes) if attributes else None
    return scoring.score_one_pass(
        benchmark, truth, folders, convention or DEFAULTS.get(benchmark, 'otb'), origin, named
    )

"""What bin/evaluate does: track a benchmark and score it, or score results that are there."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import attributes as attributes_lib
from sctrpn_jax.evaluation import (
    batched,
    confidence,
    perturbed_runs,
    result_files,
    run_description,
    runner,
    scoring,
    submissions,
)
from sctrpn_jax.evaluation import trackers as trackers_lib
from sctrpn_jax.evaluation.report import data
from sctrpn_jax.evaluation.vot import protocol as vot_protocol
from sctrpn_jax.evaluation.vot import results as vot_results

# Convention by benchmark where none is named.
DEFAULTS = {'trackingnet': 'trackingnet', 'lasot': 'lasot'}
PROTOCOLS = ('one_pass', *perturbed_runs.PROTOCOLS, 'reset', 'no_reset')


def check_protocol(
    protocol: str,
    benchmark: str,
    convention: str | None = None,
    omitted: str | None = None,
    submission: str | None = None,
) -> None:
    """Refuses what does not go together, before hours of tracking.

    Args:
      protocol: one of `PROTOCOLS`.
      benchmark: as `sequences.read_sequences`.
      convention: of the scores.
      omitted: folder of frames that are not started from.
      submission: a zip to write.

    Raises:
      ValueError: what does not.
    """
    if protocol in ('reset', 'no_reset') and benchmark != 'vot':
        raise ValueError(f"protocol {protocol} is VOT's; {benchmark} is run in one_pass")
    if protocol in perturbed_runs.PROTOCOLS:
        perturbed_runs.check(protocol, benchmark)
        if convention == 'trackingnet':
            raise ValueError(f'protocol {protocol} is scored by thresholds, and convention trackingnet by areas')
    if omitted and (protocol != 'tre' or benchmark != 'otb'):
        raise ValueError(f'omitted frames are of OTB, for protocol tre; got {benchmark}, {protocol}')
    if submission and protocol != 'one_pass':
        raise ValueError(f'a submission holds one_pass results; got protocol {protocol}')


def track_one_pass(
    benchmark: str,
    root: str,
    output: str,
    kind: str = 'sctrpn',
    names: Sequence[str] | None = None,
    batch: int = 1,
    processes: int = 1,
    split: str | None = None,
    protocol: str = 'one_pass',
    omitted: str | None = None,
    **settings,
) -> list[sequences_lib.Sequence]:
    """Tracks the sequences of a benchmark from their first boxes, or from perturbed ones; results that are there stay.

    Args:
      benchmark: as `sequences.read_sequences`.
      root: the benchmark's folder.
      output: folder for the tracker's results.
      kind: as `trackers.make_tracker`.
      names: some sequences alone.
      batch: sequences tracked at a time in one process (sctrpn).
      processes: each with a tracker of its own.
      split: as `sequences.read_sequences`.
      protocol: `one_pass`, `tre` or `sre`.
      omitted: as `perturbed_runs.track`.
      **settings: of `trackers.make_tracker`.

    Returns:
      The sequences.

    Raises:
      ValueError: data or settings that cannot be used, or another tracker's results in the folder.
    """
    check_protocol(protocol, benchmark, omitted=omitted)
    found = sequences_lib.read_sequences(benchmark, root, names, split)
    tracker, description = choose_tracker(kind, settings, batch, processes)
    runs, description = len(found), {'benchmark': benchmark, **description}
    if protocol == 'one_pass':
        runner.run_one_pass(tracker, found, output, description)
    else:
        runs = perturbed_runs.track(protocol, benchmark, tracker, found, output, description, omitted)
    if isinstance(tracker, batched.BatchedTracker):
        print(f'{tracker.compilations} programs compiled for {runs} runs')
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


def confidence_lines(benchmark: str, root: str, results: str, names: Sequence[str] | None = None) -> list[str]:
    """What each tracker's score is worth, a line each; none for trackers whose files have no scores.

    Args:
      benchmark: as `score`.
      root: as `score`.
      results: as `score`.
      names: as `score`.
    """
    if benchmark == 'vot':
        return []  # its files have regions and no scores
    truth = result_files.read_truth(benchmark, root)
    truth = {name: each for name, each in truth.items() if not names or name in names}
    found = {name: confidence.of_results(path, truth) for name, path in scoring.tracker_folders(results).items()}
    return [confidence.line(name, made) for name, made in found.items() if made]


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
    folder = pathlib.Path(output) / ('baseline' if reset else 'unsupervised')
    tracks = not all(vot_protocol.is_finished(each.name, len(each.frames), folder) for each in sequences)
    run_description.begin(output, {'benchmark': 'vot', **description}, tracks)
    for sequence in runner.progress(sequences):
        regions = annotations[sequence.name].regions
        height, width = images.read_image(sequence.frames[0]).shape[:2]
        vot_protocol.run_sequence(
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
    protocol: str = 'one_pass',
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
      protocol: `tre`, `sre`: some tracker must have these results.

    Raises:
      ValueError: nothing to score, damaged truth, an unknown convention.
    """
    truths = [pathlib.Path(root).resolve(), pathlib.Path(root).resolve() / 'annotations']
    folders = {k: path for k, path in scoring.tracker_folders(results).items() if path.resolve() not in truths}
    if not folders:
        raise ValueError(f'no results in {results}; what is there is the ground truth')
    if protocol in perturbed_runs.PROTOCOLS and not any((path / protocol).is_dir() for path in folders.values()):
        raise ValueError(f'no {protocol} results beside the one-pass results in {results}; track them with --output')
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

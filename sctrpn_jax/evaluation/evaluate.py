"""An evaluation from end to end: `track` a benchmark, `score` result files of any tracker, `submit` to a server.

The parts: `results/` reads and describes result files, `run/` tracks, `score/` computes, `report/` shows.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import job as job_lib
from sctrpn_jax.evaluation import tracker_comparison
from sctrpn_jax.evaluation.report import data, from_results
from sctrpn_jax.evaluation.results import run_description, tracker_folders, vot_files
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.run import batched, perturbed_runs, runner, submissions, vot_protocol
from sctrpn_jax.evaluation.run import trackers as trackers_lib
from sctrpn_jax.evaluation.score import attributes, confidence
from sctrpn_jax.system import interrupts, locks
from sctrpn_jax.visualization import comparison

_LOOK_SECONDS = 2.0  # as long as another process may look at a lock that nobody holds


def track(job: job_lib.Job) -> list[sequences_lib.Sequence]:
    """Tracks the sequences by the job's protocol into `job.output`; results that are there already are kept.

    Returns:
      The sequences, those of other processes (`job.process`) too.

    Raises:
      ValueError: a job that cannot be done, data that cannot be used, another tracker's results in the folder, or
        another process that would write the same files.
      Interrupted: by a signal, between two frames; what is finished is kept.
    """
    job_lib.check(job)
    split = job.record.submission.split if job.submission else job.split
    sequences = sequences_lib.read_sequences(job.benchmark, job.root, job.sequences or None, split)
    with _alone(job):
        if job.protocol in job_lib.VOT_PROTOCOLS:
            _track_vot(job, sequences[job.share])
        else:
            _track(job, sequences)
    return sequences


def unfinished(job: job_lib.Job, sequences: Sequence[sequences_lib.Sequence]) -> list[str]:
    """Names of the sequences that have no results, or not all, in `job.output`."""
    folder, frames = pathlib.Path(job.output), {each.name: len(each.frames) for each in sequences}
    if job.protocol in job_lib.VOT_PROTOCOLS:
        folder = _vot_folder(job)
        return [name for name, count in frames.items() if not vot_protocol.is_finished(name, count, folder)]
    if job.protocol == 'one_pass':
        return [name for name in frames if not (folder / f'{name}.csv').exists()]
    found = perturbed_runs.read(folder, job.protocol, frames).boxes
    return [name for name in frames if name not in found]


@contextlib.contextmanager
def _alone(job: job_lib.Job) -> Iterator[None]:
    """Refuses a second process that would write what this one writes, until the end of the block."""
    own = friends = locks.FILE
    if job.process is not None:
        # They have other sequences. One who works alone, or shares by another number, has the same.
        friends = f'-of-{job.processes}'
        own = f'{locks.FILE}-{job.process}{friends}'
    with locks.hold(job.output, own):
        for path in pathlib.Path(job.output).glob(f'{locks.FILE}*'):
            if not path.name.endswith(friends):
                with locks.hold(job.output, path.name, wait=_LOOK_SECONDS):
                    pass
        yield


def _track(job: job_lib.Job, sequences: Sequence[sequences_lib.Sequence]) -> None:
    tracker, description = _choose_tracker(job)
    description = {'benchmark': job.benchmark, **description}
    if job.protocol == 'one_pass':
        runs = len(runner.run_one_pass(tracker, sequences[job.share], job.output, description))
    else:
        runs = perturbed_runs.track(
            job.protocol, job.record, tracker, sequences, job.output, description, job.omitted, job.share
        )
    if isinstance(tracker, batched.BatchedTracker):
        print(f'{tracker.compilations} programs compiled for {runs} runs')


def submit(job: job_lib.Job, sequences: Sequence[sequences_lib.Sequence]) -> None:
    """Writes `job.submission`, the zip for the benchmark's server, from the results in `job.output`.

    Args:
      job: whose results.
      sequences: that were tracked.

    Raises:
      ValueError: a benchmark without a server, or sequences or results that the server would refuse.
    """
    job_lib.check(job)
    frames = {sequence.name: len(sequence.frames) for sequence in sequences}
    found = {
        name: runner.read_result(pathlib.Path(job.output) / f'{name}.csv', count) for name, count in frames.items()
    }
    boxes = {name: result.boxes for name, result in found.items()}
    seconds = {name: result.seconds for name, result in found.items()}
    submissions.write(job.submission, job.record, boxes, seconds, frames)


def score(job: job_lib.Job) -> data.Report:
    """Scores every tracker in the job's folder of results.

    Raises:
      ValueError: a job that cannot be done, nothing to score, no ground truth, or damaged truth.
    """
    job_lib.check(job)
    known, folders = job.record, _folders(job)
    if job.protocol in job_lib.PERTURBED and not any((path / job.protocol).is_dir() for path in folders.values()):
        raise ValueError(
            f'no {job.protocol} results beside the one-pass results in {job.scored}; track them with --output'
        )
    if _has_resets(job, folders):
        convention = job.convention or known.convention
        return from_results.vot_report(known, job.root, folders, job.split, job.sequences, convention)
    convention = job.convention or known.convention
    if convention == job_lib.LONG_TERM or (known.metrics == 'got10k' and convention == known.convention):
        sequences = sequences_lib.read_sequences(job.benchmark, job.root, job.sequences or None, job.split)
        truth = {each.name: truth_lib.sequence_truth(known, each) for each in sequences}
        there = truth
        if job.sequences and known.told_by_names:
            there = sequences_lib.names_in(job.benchmark, job.root)
        split = known.split_of(there, job.root, job.split)
        _check_truth(truth, job)
        if convention == job_lib.LONG_TERM:
            return from_results.long_term_report(known, split, sequences, folders, job.origin)
        return from_results.got10k_report(known, split, sequences, folders, job.origin)
    truth, split = truth_lib.read_truth(job.benchmark, job.root, job.sequences, job.split)
    _check_truth(truth, job)
    convention = job.convention or ('otb' if known.metrics == 'vot' else known.convention)
    if convention == job_lib.AREAS:
        return from_results.trackingnet_report(known, split, truth, folders, job.origin)
    named = attributes.read_attributes(known, job.attributes) if job.attributes else None
    return from_results.one_pass_report(known, split, truth, folders, convention, job.origin, named)


def draw_worst(job: job_lib.Job, report: data.Report, folder: str | os.PathLike, count: int) -> dict[str, str]:
    """Draws the frames of each sequence in which the trackers' mean overlap is lowest, for the report to link to.

    Args:
      job: of the results.
      report: of the job, whose best trackers are drawn, as many as can be told apart.
      folder: of the report.
      count: frames of a sequence.

    Returns:
      Sequence -> picture, a path within `folder`; {} for VOT with resets, which has no single box per frame.

    Raises:
      ValueError: images that are not there or cannot be read.
      OSError: the folder cannot be written to.
    """
    if not count or _has_resets(job, _folders(job)):
        return {}
    found = tracker_comparison.Comparison(
        job.benchmark,
        job.root,
        job.scored,
        trackers=[tracker.name for tracker in report.ranked()][: comparison.MOST],
        names=job.sequences or None,
        split=job.split,
        origin=job.origin,
    )
    paths = found.write_worst_by_sequence(pathlib.Path(folder) / 'worst', count)
    return {name: path.relative_to(folder).as_posix() for name, path in paths.items()}


def confidence_lines(job: job_lib.Job) -> list[str]:
    """What each tracker's own score is worth, one line per tracker whose files have scores.

    Raises:
      ValueError: no results, or damaged truth.
    """
    folders = _folders(job)
    if _has_resets(job, folders):
        return []  # VOT's files have regions and no scores
    truth, _ = truth_lib.read_truth(job.benchmark, job.root, job.sequences, job.split)
    found = {name: confidence.of_results(path, truth) for name, path in folders.items()}
    return [confidence.line(name, made) for name, made in found.items() if made]


def _folders(job: job_lib.Job) -> dict[str, pathlib.Path]:
    root = pathlib.Path(job.root).resolve()
    found = tracker_folders.tracker_folders(job.scored)
    found = {name: path for name, path in found.items() if path.resolve() not in (root, root / 'annotations')}
    if not found:
        raise ValueError(f'no results in {job.scored}; what is there is the ground truth')
    return found


def _has_resets(job: job_lib.Job, folders: dict[str, pathlib.Path]) -> bool:
    return job.record.metrics == 'vot' and all((path / 'baseline').is_dir() for path in folders.values())


def _check_truth(truth: dict[str, truth_lib.Truth], job: job_lib.Job) -> None:
    """Refuses a split of which only the first boxes are published: every tracker would be perfect there."""
    if all(len(each.boxes) > 1 and not np.isfinite(each.boxes[1:]).any() for each in truth.values()):
        form = job.record.submission
        where = f"; {job.benchmark}'s server has the others, write a zip for it with --submission" if form else ''
        raise ValueError(f'{job.root} has the first box of each sequence and no other{where}')


def _choose_tracker(job: job_lib.Job):
    """One tracker, a batched one, or one per process, and its description."""
    tracker, description = trackers_lib.make_tracker(job.tracker)
    if job.batch > 1:
        return batched.BatchedTracker(tracker.variables, tracker.config, job.batch), description
    return (runner.ProcessTracker(job.pool, job.tracker) if job.pool > 1 else tracker), description


class _Frames:
    """Images read when they are asked for: frames that a reset skips are not read."""

    def __init__(self, paths: Sequence[str]):
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> np.ndarray:
        interrupts.check()
        return images.read_image(self._paths[index])


def _vot_folder(job: job_lib.Job) -> pathlib.Path:
    return pathlib.Path(job.output) / ('baseline' if job.protocol == 'reset' else 'unsupervised')


def _track_vot(job: job_lib.Job, sequences: Sequence[sequences_lib.Sequence]) -> None:
    """VOT's experiment with resets (into `baseline`) or without (into `unsupervised`)."""
    read = vot_files.read_annotations(job.root, [sequence.name for sequence in sequences])
    annotations = {annotation.name: annotation for annotation in read}
    tracker, description = trackers_lib.make_tracker(job.tracker)
    reset, folder = job.protocol == 'reset', _vot_folder(job)
    tracks = not all(vot_protocol.is_finished(each.name, len(each.frames), folder) for each in sequences)
    run_description.begin(job.output, {'benchmark': job.benchmark, **description}, tracks)
    with interrupts.deferred():
        for sequence in runner.progress(sequences):
            regions = annotations[sequence.name].regions
            height, width = images.read_image(sequence.frames[0]).shape[:2]
            vot_protocol.run_sequence(
                tracker, sequence.name, _Frames(sequence.frames), regions, folder, (width - 1, height - 1), reset=reset
            )

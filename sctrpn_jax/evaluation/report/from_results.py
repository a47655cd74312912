"""From folders of result files to the report of one benchmark; every tracker, ours too, goes the same way."""

import collections
import contextlib
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.benchmarks import record, sequence_names
from sctrpn_jax.data.layouts import image_header
from sctrpn_jax.evaluation import job
from sctrpn_jax.evaluation.report import build, data, environments, metric_sets
from sctrpn_jax.evaluation.results import result_files, run_description, vot_files
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.run import perturbed_runs, runner
from sctrpn_jax.evaluation.score import attributes as attributes_lib
from sctrpn_jax.evaluation.score import perturbed_scores, vot_intervals, vot_scores
from sctrpn_jax.metrics import conventions, got10k, one_pass, trackingnet
from sctrpn_jax.metrics.vot import long_term, raster


def one_pass_report(
    benchmark: record.Benchmark,
    split: record.Split,
    truth: Mapping[str, truth_lib.Truth],
    folders: Mapping[str, pathlib.Path],
    convention: str = 'otb',
    origin: float | None = None,
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> data.Report:
    """Success, precision and normalised precision, with TRE and SRE of the trackers that have them.

    Args:
      benchmark: of the results.
      split: of the benchmark.
      truth: sequence -> ground truth.
      folders: tracker -> folder of its files.
      convention: a key of `conventions.CONVENTIONS`.
      origin: number of the first pixel in files of others; None: the benchmark's. Ours count from 0.
      attributes: sequence -> its attributes.

    Raises:
      ValueError: an unknown convention, or a tracker without a single result.
    """
    rule, frames = conventions.convention(convention), _frames(truth)
    protocols = [name for name in job.PERTURBED if any((folder / name).is_dir() for folder in folders.values())]
    trackers = []
    for name, folder in folders.items():
        found, about = _read(folder, benchmark, frames, origin)
        scores = {
            key: one_pass.score_sequence(found.boxes[key], each.boxes, each.absent, convention, benchmark.origin)
            for key, each in truth.items()
            if key in found.boxes
        }
        by_attribute = attributes_lib.scores_by_attribute(scores, attributes, convention) if attributes else None
        perturbed, counts = {}, collections.Counter(about['problem_counts'])
        for protocol in protocols:
            if (folder / protocol).is_dir():
                runs = perturbed_runs.read(folder, protocol, frames)
                perturbed[protocol] = perturbed_scores.score_runs(protocol, runs, truth, convention, benchmark.origin)
                about['problems'] += runs.problems
                counts.update(runs.counts)
        about['problem_counts'] = dict(counts)
        trackers.append(build.one_pass_tracker(name, scores, by_attribute, convention, perturbed, **about))
    metrics = metric_sets.one_pass_set(rule.normalized_area, protocols)
    return build.report(split, f'{convention}: {rule.about}', trackers, list(truth), metrics)


def trackingnet_report(
    benchmark: record.Benchmark,
    split: record.Split,
    truth: Mapping[str, truth_lib.Truth],
    folders: Mapping[str, pathlib.Path],
    origin: float | None = None,
) -> data.Report:
    """The three areas of TrackingNet's devkit; arguments are those of `one_pass_report`.

    Raises:
      ValueError: a tracker without a single result.
    """
    trackers = []
    for name, folder in folders.items():
        found, about = _read(folder, benchmark, _frames(truth), origin)
        scores = {
            key: trackingnet.score_sequence(found.boxes[key], each.boxes)
            for key, each in truth.items()
            if key in found.boxes
        }
        trackers.append(build.trackingnet_tracker(name, scores, **about))
    convention = f'trackingnet: {trackingnet.ABOUT}'
    return build.report(split, convention, trackers, list(truth), metric_sets.TRACKINGNET)


def got10k_report(
    benchmark: record.Benchmark,
    split: record.Split,
    sequences: Sequence[sequences_lib.Sequence],
    folders: Mapping[str, pathlib.Path],
    origin: float | None = None,
) -> data.Report:
    """Average overlap by the rules of GOT-10k's toolkit, which clips boxes to the size of the first image.

    Args:
      benchmark: of the results.
      split: of the benchmark.
      sequences: of the split, with their frames.
      folders: tracker -> folder of its files.
      origin: number of the first pixel in files of others.

    Raises:
      ValueError: a tracker without a single result, or an image that cannot be read.
    """
    trackers, frames = [], {sequence.name: len(sequence.frames) for sequence in sequences}
    sizes = {s.name: images.read_image(s.frames[0]).shape[1::-1] for s in sequences}
    for name, folder in folders.items():
        found, about = _read(folder, benchmark, frames, origin)
        overlaps = {
            s.name: got10k.frame_overlaps(found.boxes[s.name], s.boxes, sizes[s.name], s.visible)
            for s in sequences
            if s.name in found.boxes
        }
        trackers.append(build.got10k_tracker(name, overlaps, **about))
    about = 'GOT-10k toolkit: overlaps of all frames but the first and those without a visible target, pooled'
    return build.report(split, about, trackers, list(frames), metric_sets.GOT10K)


def long_term_report(
    benchmark: record.Benchmark,
    split: record.Split,
    sequences: Sequence[sequences_lib.Sequence],
    folders: Mapping[str, pathlib.Path],
    origin: float | None = None,
) -> data.Report:
    """VOT's long-term precision, recall and F-score; overlaps are those of `vot-python`, within the frames.

    Arguments and errors are those of `got10k_report`; the files may also be those of VOT's toolkit, in `longterm`.
    """
    trackers, frames = [], {sequence.name: len(sequence.frames) for sequence in sequences}
    sizes = {s.name: image_header.image_size(s.frames[0]) for s in sequences}
    for name, folder in folders.items():
        folder = folder / 'longterm' if (folder / 'longterm').is_dir() else folder
        found, about = _read(folder, benchmark, frames, origin)
        scores = result_files.read_scores(folder, frames)
        runs = {}
        for each in (s for s in sequences if s.name in found.boxes):
            boxes, (width, height) = found.boxes[each.name], sizes[each.name]
            overlaps = raster.overlaps(boxes, each.boxes, (width - 1, height - 1), 'vot-python')
            known, visible = (np.isfinite(rows).all(axis=1) for rows in (boxes, each.boxes))
            runs[each.name] = long_term.measure(overlaps, scores[each.name], known, visible)
        trackers.append(build.long_term_tracker(name, runs, **about))
    convention = (
        f'{job.LONG_TERM}: precision and recall, means over sequences, at the threshold of the score with the best '
        'F-score; overlaps by votchallenge/toolkit, 0 in the first frame'
    )
    return build.report(split, convention, trackers, list(frames), metric_sets.LONG_TERM)


def vot_report(
    benchmark: record.Benchmark,
    root: str | os.PathLike,
    folders: Mapping[str, pathlib.Path],
    split: str | None = None,
    names: Sequence[str] = (),
    convention: str = 'vot2018',
) -> data.Report:
    """Accuracy, robustness and EAO of VOT's experiment with resets; AO without resets of the trackers that have it.

    Overlap is bounded by the frames where their sizes can be read. EAO is the mean over the lengths of the year that
    the sequences are of.

    Args:
      benchmark: VOT.
      root: annotations, with the frames or without.
      folders: tracker -> folder that holds `baseline` (and `unsupervised`).
      split: the year; None: told by the names of the sequences.
      names: of some sequences, or `-NAME` for all but that one; (): all.
      convention: one of `raster.CONVENTIONS`.

    Raises:
      ValueError: an unknown convention, a sequence that is not there, damaged annotation, or a tracker without results.
    """
    raster.check_convention(convention)
    there = vot_files.sequences(root)
    year = benchmark.split_of(there, root, split)
    annotations = vot_files.read_annotations(root, _chosen(there, year if split else None, names, root))
    bounded = all(annotation.size for annotation in annotations)
    lengths = year.eao_lengths
    trackers, made = [], None
    for name, folder in folders.items():
        baseline = vot_files.read_results(folder, annotations, allow_missing=True)
        free = None
        if (pathlib.Path(folder) / 'unsupervised').is_dir():
            free = vot_files.read_results(folder, annotations, 'unsupervised', allow_missing=True)
        measured = vot_scores.measure(annotations, baseline, free, convention, bounded)
        made = vot_scores.score(measured, lengths)
        found = vot_intervals.vot_intervals(measured, lengths)
        trackers.append(build.vot_tracker(name, made, found, **_about(folder)))
    longest = max(lengths[1], *(len(annotation.regions) for annotation in annotations))
    sequences = [annotation.name for annotation in annotations]
    return build.report(year, made.convention, trackers, sequences, metric_sets.vot(longest, lengths))


def _chosen(
    there: Sequence[str], split: record.Split | None, names: Sequence[str], root: str | os.PathLike
) -> list[str]:
    """The sequences of a year, and of these the named ones."""
    wanted, without = sequence_names.choice(names)
    sequence_names.check_there(without, there, root)
    of_year = split.names if split is not None else ()
    found = [name for name in there if (not of_year or name in of_year) and name not in without]
    missing = sorted({*(wanted or of_year)} - {*found, *without})
    if missing:
        raise ValueError(f'{os.fspath(root)}: no sequence {missing[0]!r} (and {len(missing) - 1} more)')
    return wanted or found


def _frames(truth: Mapping[str, truth_lib.Truth]) -> dict[str, int]:
    return {name: len(each.boxes) for name, each in truth.items()}


def _read(
    folder: pathlib.Path, benchmark: record.Benchmark, frames: Mapping[str, int], origin: float | None
) -> tuple[result_files.Results, dict]:
    """A tracker's results, and what a report says of it beside its scores."""
    found = result_files.read_results(folder, frames, run_description.origin(folder, benchmark, origin))
    if not found.boxes:
        raise ValueError(f'{folder}: no sequence of {benchmark.name} has results; {found.problems[0]}')
    return found, {
        **_about(folder, found.boxes),
        'problems': found.problems,
        'problem_counts': dict(found.counts),
    }


def _about(folder: pathlib.Path, boxes: Mapping[str, np.ndarray] | None = None) -> dict:
    """Where results come from, their settings and seed, the machines that tracked, and how fast they were."""
    found = run_description.read(folder)
    about = {key: value for key, value in (found or {}).items() if key not in ('seed', 'hardware')}
    hardware = '; '.join((found or {}).get('hardware', ()))
    return {
        'source': 'result files' if found is None else 'tracked by sctrpn_jax',
        'config': about,
        'seed': (found or {}).get('seed'),
        'timing': environments.timing(_seconds(folder, boxes or {}), hardware),
    }


def _seconds(folder: pathlib.Path, boxes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sequence -> [T] seconds, where they are known; files of other trackers may say other things."""
    seconds = {}
    for name, tracked in boxes.items():
        path = folder / f'{name}_time.txt'
        if path.exists():
            with contextlib.suppress(ValueError):
                values = runner.read_seconds(path)
                if len(values) == len(tracked):
                    seconds[name] = values
    return seconds

"""From folders of result files to one report of a benchmark: ours and any tracker's by the same code."""

import collections
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import attributes as attributes_lib
from sctrpn_jax.evaluation import perturbed_runs, result_files, run_description
from sctrpn_jax.evaluation.report import build, data, environments, metric_sets, vot_intervals
from sctrpn_jax.evaluation.vot import results as vot_results
from sctrpn_jax.evaluation.vot import scores as vot_scores
from sctrpn_jax.metrics import conventions, got10k, trackingnet
from sctrpn_jax.metrics.vot import expected_overlap, raster


def tracker_folders(folder: str | os.PathLike) -> dict[str, pathlib.Path]:
    """Trackers in a results folder: its folders, or the folder itself where the files lie in it.

    Returns:
      Name -> folder, sorted.

    Raises:
      ValueError: no results in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f'no results; expected a folder {folder}')
    if has_results(folder):
        return {folder.resolve().name: folder}
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and has_results(path)}
    if not found:
        raise ValueError(
            f"no results in {folder}; expected <sequence>.txt or .csv files, VOT's baseline/, or a folder a tracker"
        )
    return found


def has_results(folder: str | os.PathLike) -> bool:
    """Whether a folder is one tracker's: VOT's `baseline`, or one-pass results, which TRE and SRE stand beside."""
    folder = pathlib.Path(folder)
    files = [path for path in folder.iterdir() if path.is_file() and path.suffix in ('.txt', '.csv')]
    made = {'report.csv', 'sequences.csv', 'attributes.csv'}  # a report's own tables are no results
    nested = any((path / f'{path.name}_001.txt').is_file() for path in folder.iterdir() if path.is_dir())
    return (folder / 'baseline').is_dir() or nested or any(path.name not in made for path in files)


def score_one_pass(
    benchmark: str,
    truth: Mapping[str, result_files.Truth],
    folders: Mapping[str, pathlib.Path],
    convention: str = 'otb',
    origin: float | None = None,
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> data.Report:
    """OTB, UAV123, LaSOT, DAVIS and TrackingNet, and beside it TRE and SRE of the trackers that have them.

    Args:
      benchmark: a key of `result_files.ORIGINS`.
      truth: sequence -> ground truth.
      folders: tracker -> folder of its files.
      convention: a key of `conventions.CONVENTIONS`, or `trackingnet`, by which TRE and SRE are not scored.
      origin: what files of others count pixels from; None: as the benchmark's. Ours count from 0.
      attributes: sequence -> its attributes.

    Raises:
      ValueError: an unknown convention, or a tracker without a single result.
    """
    area = convention == 'trackingnet'
    if not area:
        conventions.convention(convention)
    frames, files_origin = {name: len(each.boxes) for name, each in truth.items()}, result_files.ORIGINS[benchmark]
    protocols = [p for p in perturbed_runs.PROTOCOLS if not area and any((f / p).is_dir() for f in folders.values())]
    trackers = []
    for name, folder in folders.items():
        found, about = _read(folder, benchmark, frames, origin)
        if area:
            scores = {
                key: trackingnet.score_sequence(found.boxes[key], each.boxes)
                for key, each in truth.items()
                if key in found.boxes
            }
            trackers.append(build.trackingnet_tracker(name, scores, **about))
            continue
        scores = result_files.score_results(found, truth, convention, files_origin)
        by_attribute = attributes_lib.scores_by_attribute(scores, attributes, convention) if attributes else None
        perturbed, counts = {}, collections.Counter(about['problem_counts'])
        for protocol in protocols:
            if (folder / protocol).is_dir():
                runs = perturbed_runs.read(folder, protocol, frames)
                perturbed[protocol] = perturbed_runs.score(protocol, runs, truth, convention, files_origin)
                about['problems'] += runs.problems
                counts.update(runs.counts)
        about['problem_counts'] = dict(counts)
        trackers.append(build.one_pass_tracker(name, scores, by_attribute, convention, perturbed, **about))
    if area:
        about, metrics = trackingnet.ABOUT, metric_sets.TRACKINGNET
    else:
        rule = conventions.convention(convention)
        about, metrics = rule.about, metric_sets.one_pass_set(rule.normalized_area, protocols)
    return build.report(benchmark, f'{convention}: {about}', trackers, list(truth), metrics)


def score_got10k(
    sequences: Sequence[sequences_lib.Sequence], folders: Mapping[str, pathlib.Path], origin: float | None = None
) -> data.Report:
    """GOT-10k by its toolkit's rules; the first images tell the sizes that boxes are clipped to.

    Raises:
      ValueError: a tracker without a single result, or an image that cannot be read.
    """
    trackers, frames = [], {sequence.name: len(sequence.frames) for sequence in sequences}
    sizes = {s.name: images.read_image(s.frames[0]).shape[1::-1] for s in sequences}
    for name, folder in folders.items():
        found, about = _read(folder, 'got10k', frames, origin)
        overlaps = {
            s.name: got10k.frame_overlaps(found.boxes[s.name], s.boxes, sizes[s.name], s.visible)
            for s in sequences
            if s.name in found.boxes
        }
        trackers.append(build.got10k_tracker(name, overlaps, **about))
    about = 'GOT-10k toolkit: overlaps of all frames but the first and those without a visible target, pooled'
    return build.report('got10k', about, trackers, list(frames))


def score_vot(root: str | os.PathLike, folders: Mapping[str, pathlib.Path], convention: str = 'vot2018') -> data.Report:
    """VOT-2018 with resets; overlap is bounded by the frames where their sizes can be read.

    Args:
      root: annotations, with the frames or without.
      folders: tracker -> folder that holds `baseline` (and `unsupervised`).
      convention: a key of `raster.CONVENTIONS`.

    Raises:
      ValueError: an unknown convention, damaged annotation, or a tracker without results.
    """
    raster.check_convention(convention)
    annotations = vot_results.read_annotations(root)
    bounded = all(annotation.size for annotation in annotations)
    interval = expected_overlap.INTERVALS[2018]
    trackers, made = [], None
    for name, folder in folders.items():
        baseline = vot_results.read_results(folder, annotations, allow_missing=True)
        free = None
        if (pathlib.Path(folder) / 'unsupervised').is_dir():
            free = vot_results.read_results(folder, annotations, 'unsupervised', allow_missing=True)
        measured = vot_scores.measure(annotations, baseline, free, convention, bounded)
        made = vot_scores.score(measured, interval)
        found = vot_intervals.vot_intervals(measured, interval)
        trackers.append(build.vot_tracker(name, made, found, **_about(folder)))
    lengths = max(interval[1], *(len(annotation.regions) for annotation in annotations))
    names = [annotation.name for annotation in annotations]
    return build.report('vot', made.convention, trackers, names, metric_sets.vot(lengths, interval))


def _read(
    folder: pathlib.Path, benchmark: str, frames: Mapping[str, int], origin: float | None
) -> tuple[result_files.Results, dict]:
    """A tracker's results, and what a report says of it beside its scores."""
    found = result_files.read_results(folder, frames, run_description.origin(folder, benchmark, origin))
    if not found.boxes:
        raise ValueError(f'{folder}: no sequence of {benchmark} has results; {found.problems[0]}')
    return found, {
        **_about(folder, found.boxes),
        'problems': found.problems,
        'problem_counts': dict(found.counts),
    }


def _about(folder: pathlib.Path, boxes: Mapping[str, np.ndarray] | None = None) -> dict:
    """Where results are from, settings, seed, the machines that tracked, and how fast these boxes were found."""
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
    """Sequence -> [T] seconds, where they are known."""
    seconds = {}
    for name, tracked in boxes.items():
        path = folder / f'{name}_time.txt'
        if path.exists():
            values = np.loadtxt(path, ndmin=1)
            if len(values) == len(tracked) and np.isfinite(values).all():
                seconds[name] = values
    return seconds

"""From folders of result files to one report of a benchmark: ours and any tracker's by the same code."""

import json
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import attributes as attributes_lib
from sctrpn_jax.evaluation import conventions, got10k, result_files, trackingnet
from sctrpn_jax.evaluation.report import build, data, environments, metric_sets
from sctrpn_jax.evaluation.vot import expected_overlap, raster
from sctrpn_jax.evaluation.vot import results as vot_results
from sctrpn_jax.evaluation.vot import scores as vot_scores

DESCRIPTION = 'tracker.json'  # beside results of ours: what made them


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
    if _has_results(folder):
        return {folder.resolve().name: folder}
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and _has_results(path)}
    if not found:
        raise ValueError(
            f"no results in {folder}; expected <sequence>.txt or .csv files, VOT's baseline/, or a folder a tracker"
        )
    return found


def _has_results(folder: pathlib.Path) -> bool:
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
    """OTB, UAV123, LaSOT, DAVIS and TrackingNet.

    Args:
      benchmark: a key of `result_files.ORIGINS`.
      truth: sequence -> ground truth.
      folders: tracker -> folder of its files.
      convention: a key of `conventions.CONVENTIONS`, or `trackingnet`.
      origin: what files of others count pixels from; None: as the benchmark's. Ours count from 0.
      attributes: sequence -> its attributes.

    Raises:
      ValueError: an unknown convention, or a tracker without a single result.
    """
    area = convention == 'trackingnet'
    if not area:
        conventions.convention(convention)
    trackers = []
    for name, folder in folders.items():
        about = _about(folder)
        first = 0 if about['config'] else result_files.ORIGINS[benchmark] if origin is None else origin
        found = result_files.read_results(folder, {key: len(each.boxes) for key, each in truth.items()}, first)
        if not found.boxes:
            raise ValueError(f'{folder}: no sequence of {benchmark} has results; {found.problems[0]}')
        about |= {'problems': found.problems, 'problem_counts': dict(found.counts)}
        about['timing'] = _timing(folder, found.boxes)
        if area:
            scores = {
                key: trackingnet.score_sequence(found.boxes[key], each.boxes)
                for key, each in truth.items()
                if key in found.boxes
            }
            trackers.append(build.trackingnet_tracker(name, scores, **about))
            continue
        scores = result_files.score_results(found, truth, convention, result_files.ORIGINS[benchmark])
        by_attribute = attributes_lib.scores_by_attribute(scores, attributes, convention) if attributes else None
        trackers.append(build.one_pass_tracker(name, scores, by_attribute, convention, **about))
    about = trackingnet.ABOUT if area else conventions.convention(convention).about
    metrics = metric_sets.TRACKINGNET if area else _one_pass_metrics(convention)
    return build.report(benchmark, f'{convention}: {about}', trackers, list(truth), metrics)


def _one_pass_metrics(convention: str) -> metric_sets.MetricSet:
    return metric_sets.one_pass_set(conventions.convention(convention).normalized_area)


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
        about = _about(folder)
        first = 0 if about['config'] else result_files.ORIGINS['got10k'] if origin is None else origin
        found = result_files.read_results(folder, frames, first)
        if not found.boxes:
            raise ValueError(f'{folder}: no sequence of got10k has results; {found.problems[0]}')
        about |= {'problems': found.problems, 'problem_counts': dict(found.counts)}
        overlaps = {
            s.name: got10k.frame_overlaps(found.boxes[s.name], s.boxes, sizes[s.name], s.visible)
            for s in sequences
            if s.name in found.boxes
        }
        trackers.append(build.got10k_tracker(name, overlaps, timing=_timing(folder, found.boxes), **about))
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
        made = vot_scores.score(annotations, baseline, free, convention, interval, bounded)
        trackers.append(build.vot_tracker(name, made, **_about(folder)))
    lengths = max(interval[1], *(len(annotation.regions) for annotation in annotations))
    names = [annotation.name for annotation in annotations]
    return build.report('vot', made.convention, trackers, names, metric_sets.vot(lengths, interval))


def _about(folder: pathlib.Path) -> dict:
    """`config` and `source` of a tracker's folder; config is {} where the results are not ours."""
    path = folder / DESCRIPTION
    config = {}
    if path.exists():
        try:
            config = json.loads(path.read_text(encoding='utf-8'))
        except ValueError as error:
            raise ValueError(f'{path}: no JSON ({error}); it says what made these results') from None
    return {'config': config, 'source': 'tracked here' if config else 'result files'}


def _timing(folder: pathlib.Path, boxes: Mapping[str, np.ndarray]) -> data.Timing:
    seconds = {}
    for name, tracked in boxes.items():
        path = folder / f'{name}_time.txt'
        if path.exists():
            values = np.loadtxt(path, ndmin=1)
            if len(values) == len(tracked) and np.isfinite(values).all():
                seconds[name] = values
    return environments.timing(seconds) if seconds else data.Timing()

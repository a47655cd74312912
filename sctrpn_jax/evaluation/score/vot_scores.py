"""All VOT scores of a tracker by one convention, which they name: accuracy, robustness, EAO, by tag, by sequence."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.metrics.vot import expected_overlap, raster, supervised


@dataclasses.dataclass(frozen=True, eq=False)
class Group:
    """Scores over some frames: all, those of a tag, those of a sequence.

    Attributes:
      accuracy: 0..1, NaN where no frame counts.
      robustness: see there.
      expected_overlap: EAO, 0..1; NaN where no part is long enough, and for single sequences.
    """

    accuracy: float
    robustness: supervised.Robustness
    expected_overlap: float


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """Scores of one tracker.

    Attributes:
      convention: in words: raster, bounds, lengths.
      overall: over all frames.
      tags: `vot_files.TAGS` and `EMPTY` -> over the frames of each.
      sequences: name -> of each sequence.
      repetitions: sequence -> how often it was run.
      curve: [N] expected overlap by length, from one frame on.
      interval: lengths that EAO is the mean of.
      average_overlap: AO without resets; None where that was not run.
      missing: sequences that were not scored.
      problems: of the result tree, one line each.
    """

    convention: str
    overall: Group
    tags: Mapping[str, Group]
    sequences: Mapping[str, Group]
    repetitions: Mapping[str, int]
    curve: np.ndarray
    interval: tuple[int, int]
    average_overlap: float | None
    missing: tuple[str, ...]
    problems: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """Overlaps of one tracker with the truth, of which all scores are made.

    Attributes:
      annotations: of the sequences that have results.
      runs: repetitions of each of these.
      accuracy_runs: those that accuracy is of: `runs`, but by `pysot`, which counts one more row and column there.
      free_runs: without resets, of the sequences that have such results; None where that was not run.
      convention: one of `raster.CONVENTIONS`.
      bounded: whether overlap is counted within the frame only.
      missing: sequences that were not measured.
      problems: of the result tree, one line each.
    """

    annotations: Sequence[vot_files.Annotation]
    runs: Sequence[Sequence[supervised.Run]]
    accuracy_runs: Sequence[Sequence[supervised.Run]]
    free_runs: Sequence[Sequence[supervised.Run]] | None
    convention: str
    bounded: bool
    missing: tuple[str, ...]
    problems: tuple[str, ...]


def measure(
    annotations: Sequence[vot_files.Annotation],
    baseline: vot_files.Results,
    unsupervised: vot_files.Results | None = None,
    convention: str = 'vot2018',
    bounded: bool = True,
) -> Measured:
    """Measures a tracker.

    Args:
      annotations: of the set.
      baseline: of the supervised (or realtime) experiment.
      unsupervised: of the experiment without resets, if it was run.
      convention: one of `raster.CONVENTIONS`.
      bounded: whether overlap is counted within the frame only, as the toolkits do; needs the frames' sizes.

    Returns:
      The sequences that have results.

    Raises:
      ValueError: no result at all, unknown frame sizes, or an unknown convention.
    """
    raster.check_convention(convention)
    annotations = [annotation for annotation in annotations if annotation.name in baseline.trajectories]
    if not annotations:
        raise ValueError(f'no sequence has a result; missing are {len(baseline.missing)}')
    runs = _runs(annotations, baseline, convention, bounded, 1)
    # pysot counts one more row and column in accuracy than in EAO.
    wide = _runs(annotations, baseline, convention, bounded, 0) if convention == 'pysot' and bounded else runs
    free, missing, problems = None, baseline.missing, baseline.problems
    if unsupervised is not None:
        there = [annotation for annotation in annotations if annotation.name in unsupervised.trajectories]
        if not there:
            raise ValueError('no sequence has a result without resets')
        free = _runs(there, unsupervised, convention, bounded, 1)
        missing += tuple(f'{name} (unsupervised)' for name in unsupervised.missing)
        problems += unsupervised.problems
    return Measured(annotations, runs, wide, free, convention, bounded, missing, problems)


def score(measured: Measured, interval: tuple[int, int]) -> Scores:
    """Scores a tracker.

    Args:
      measured: of `measure`.
      interval: first and last length, frames, that EAO is the mean of; `Split.eao_lengths` has each year's.

    Returns:
      Scores over the sequences that have results.

    Raises:
      ValueError: an interval whose ends are not 1 <= first <= last.
    """
    annotations, runs, wide = measured.annotations, measured.runs, measured.accuracy_runs
    convention = measured.convention
    curve = expected_overlap.curve(runs, convention)

    def group(masks=None, values=None):
        values = expected_overlap.curve(runs, convention, masks) if values is None else values
        return Group(
            supervised.accuracy(wide, convention, masks=masks),
            supervised.robustness(runs, convention, masks),
            expected_overlap.expected_overlap(values, interval, convention),
        )

    tags = {}
    for tag in (*vot_files.TAGS, vot_files.EMPTY):
        tags[tag] = group([a.tags.get(tag, np.zeros(len(a.regions), bool)) for a in annotations])
    sequences = {
        annotation.name: Group(
            supervised.accuracy([wider], convention), supervised.robustness([found], convention), math.nan
        )
        for annotation, found, wider in zip(annotations, runs, wide, strict=True)
    }
    average = None if measured.free_runs is None else supervised.average_overlap(measured.free_runs, convention)
    return Scores(
        _describe(convention, interval, measured.bounded),
        group(values=curve),
        tags,
        sequences,
        {annotation.name: len(found) for annotation, found in zip(annotations, runs, strict=True)},
        curve,
        interval,
        average,
        measured.missing,
        measured.problems,
    )


def to_json(scores: Scores) -> dict:
    """`Scores` as nested dicts, lists and numbers that any JSON writer takes; NaN is None."""

    def plain(value):
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return plain(value.tolist()) if isinstance(value, np.ndarray) else value

    return plain(dataclasses.asdict(scores))


def format_table(scores: Scores) -> str:
    """Overall scores, those of each tag, and what was left out, as text."""
    lines = [f'{"":14}  accuracy  failures  R (x100)  R (per seq)  reliability    EAO  frames']
    for name, found in (('all', scores.overall), *scores.tags.items()):
        r = found.robustness
        lines.append(
            f'{name:14}  {found.accuracy:8.3f}  {r.failures:8.1f}  {r.rate:8.3f}  {r.per_sequence:10.3f}'
            f'  {r.reliability:11.3f}  {found.expected_overlap:5.3f}  {r.frames:6d}'
        )
    if scores.average_overlap is not None:
        lines.append(f'average overlap without resets: {scores.average_overlap:.3f}')
    if scores.missing:
        lines.append(f'not scored, because there is no result: {", ".join(scores.missing)}')
    return '\n'.join([*lines, *scores.problems, f'({scores.convention})'])


def _runs(annotations, found, convention, bounded, less) -> list[list[supervised.Run]]:
    """Runs of each sequence, within the frame less `less` pixels right and below."""
    unknown = [annotation.name for annotation in annotations if annotation.size is None]
    if bounded and unknown:
        raise ValueError(
            f'frame sizes of {len(unknown)} sequences are not known ({unknown[0]}); '
            'accepted are annotations beside their images, or scoring without bounds'
        )
    return [
        [
            supervised.measure(
                truth.regions, trajectory, (truth.size[0] - less, truth.size[1] - less) if bounded else None, convention
            )
            for trajectory in found.trajectories[truth.name]
        ]
        for truth in annotations
    ]


def _describe(convention: str, interval: tuple[int, int], bounded: bool) -> str:
    bounds = 'without bounds'
    if bounded:
        bounds = 'within w, h (accuracy) and w - 1, h - 1 (EAO)' if convention == 'pysot' else 'within w - 1, h - 1'
    first = int(convention == 'vot-python')
    pooling = 'by sequence, weighted by length' if first else 'pooled over frames'
    return (
        f'VOT supervised, {convention} raster {bounds}; accuracy after a burn-in of {supervised.BURN_IN}, {pooling}; '
        f'R: failures / frames x 100, and per sequence; reliability: S = {supervised.SENSITIVITY:g}; '
        f'EAO: lengths {interval[0] + first} to {interval[1] + first}'
    )

"""OTB's temporal (TRE) and spatial (SRE) robustness evaluation: a benchmark's runs, tracked and read back.

Results are `<tracker>/tre/<sequence>/<first frame>.csv` and `<tracker>/sre/<sequence>/<perturbation>.csv`, each written
whole or not at all. `starts.json` beside them lists the runs that belong there, so that a missing one is noticed
wherever the folder is scored.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.benchmarks import record, sequence_names
from sctrpn_jax.evaluation.results import run_description, truth
from sctrpn_jax.evaluation.run import batched, perturbed_starts, runner
from sctrpn_jax.evaluation.run import trackers as trackers_lib
from sctrpn_jax.system import files

_STARTS = 'starts.json'


@dataclasses.dataclass(frozen=True, eq=False)
class Runs:
    """What was found of one tracker and protocol.

    Attributes:
      boxes: sequence -> start (a first frame as `00012`, a perturbation) -> boxes [T - first frame, 4]; complete ones.
      problems: one line each.
      counts: `missing`, `file` -> how many.
    """

    boxes: dict[str, dict[str, np.ndarray]]
    problems: tuple[str, ...]
    counts: Mapping[str, int]


def starts(
    protocol: str, benchmark: record.Benchmark, sequence: sequences_lib.Sequence, omitted: np.ndarray | None = None
) -> dict[str, sequences_lib.Sequence]:
    """A sequence's runs, each as the sequence that one-pass tracking is to follow.

    Args:
      protocol: `tre` or `sre`.
      benchmark: of the sequence. No run starts in a frame that it flags as without the target.
      sequence: with its frames.
      omitted: [T] bool, more frames that TRE does not start from.

    Returns:
      Start -> sequence from there on (`tre`), or with another first box (`sre`), named `<protocol>/<sequence>/<start>`.

    Raises:
      ValueError: the sequence, by name, has no frame or box to start from, or its first image cannot be read.
    """
    found = {}
    try:
        if protocol == 'tre':
            absent = truth.sequence_truth(benchmark, sequence).absent
            hidden = [flags for flags in (absent, omitted) if flags is not None]
            for first in perturbed_starts.temporal_starts(sequence.boxes, np.any(hidden, axis=0) if hidden else None):
                found[f'{first:05d}'] = sequence.frames[first:], sequence.boxes[first:]
        else:
            height, width = images.read_image(sequence.frames[0]).shape[:2]
            for name, box in perturbed_starts.spatial_starts(sequence.boxes[0], (width, height)).items():
                found[name] = sequence.frames, np.concatenate([box[None], sequence.boxes[1:]])
    except ValueError as error:
        raise ValueError(f'sequence {sequence.name!r}: {error}') from None
    return {
        start: sequences_lib.Sequence(f'{protocol}/{sequence.name}/{start}', *each) for start, each in found.items()
    }


def track(
    protocol: str,
    benchmark: record.Benchmark,
    tracker: trackers_lib.OnlineTracker | batched.BatchedTracker | runner.ProcessTracker,
    sequences: Sequence[sequences_lib.Sequence],
    output: str | os.PathLike,
    description: dict,
    omitted: str | os.PathLike | None = None,
    share: slice = slice(None),
) -> int:
    """Tracks the runs of all sequences that have no result file yet.

    Args:
      protocol: `tre` or `sre`.
      benchmark: of the sequences.
      tracker: what tracks.
      sequences: of the benchmark.
      output: the tracker's folder, which may hold its one-pass results.
      description: JSON-ready, of the tracker.
      omitted: the toolkit's folder `initOmit` (`tre`): frames that are not started from.
      share: of the sequences, what is tracked here; other processes track the rest.

    Returns:
      How many runs there are in the share.

    Raises:
      ValueError: a sequence that cannot be started from, a damaged file in `omitted`, another tracker's results in the
        folder, or results from other starts.
    """
    run_description.check(output, description)
    flags = _omitted(omitted, sequences) if omitted else {}
    runs, made = [], {}
    for sequence in sequences[share]:
        found = starts(protocol, benchmark, sequence, flags.get(sequence.name))
        made[pathlib.Path(output) / protocol / sequence.name] = {s: run.boxes[0].tolist() for s, run in found.items()}
        runs += found.values()
    for folder, first in made.items():
        _write_starts(folder / _STARTS, first)
    runner.run_one_pass(tracker, runs, output, description)
    return len(runs)


def read(folder: str | os.PathLike, protocol: str, frames: Mapping[str, int]) -> Runs:
    """Results of one tracker; sequences that were not tracked at all, or in part, are named.

    Args:
      folder: the tracker's.
      protocol: `tre` or `sre`.
      frames: sequence -> T.
    """
    boxes, problems, counts = {}, [], {}
    for name, count in frames.items():
        place, found, kind = pathlib.Path(folder) / protocol / name, {}, 'missing'
        try:
            for start in _read_starts(place / _STARTS):
                path = place / f'{start}.csv'
                if path.is_file():
                    rest = count - int(start) if protocol == 'tre' else count
                    found[start] = runner.read_result(path, rest).boxes
                else:
                    found[start] = None
            lacking = sum(each is None for each in found.values())
            reason = f'{place}: {lacking} of {len(found)} runs have no results, so it is not scored' if lacking else ''
        except FileNotFoundError:
            reason = f'{place}: no results of this sequence'
        except ValueError as error:
            reason, kind = str(error), 'file'
        if reason:
            problems.append(reason)
            counts[kind] = counts.get(kind, 0) + 1
        else:
            boxes[name] = found
    return Runs(boxes, tuple(problems), counts)


def _omitted(folder: str | os.PathLike, sequences: Sequence[sequences_lib.Sequence]) -> dict[str, np.ndarray]:
    """Sequence -> [T] bool of the toolkit's files, whose names differ in the case of letters."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f'no folder {folder}; expected the initOmit of the OTB toolkit')
    by_stem = {path.stem: path for path in folder.glob('*.txt')}
    meant = sequence_names.match(by_stem, [sequence.name for sequence in sequences])
    paths = {name: by_stem[stem] for stem, name in meant.items()}
    if not paths:
        raise ValueError(f'{folder}: no file is of a sequence that is tracked; expected <sequence>.txt')
    found = {}
    for sequence in sequences:
        if sequence.name in paths:
            first = pathlib.Path(sequence.frames[0]).stem
            if not first.isdecimal():
                raise ValueError(f'{sequence.frames[0]}: no image number, which {paths[sequence.name]} counts by')
            found[sequence.name] = perturbed_starts.read_omitted(paths[sequence.name], int(first), len(sequence.frames))
    return found


def _read_starts(path: pathlib.Path) -> dict[str, list[float]]:
    """Start -> first box."""
    try:
        found = bounded.read_json(path, 'a first box for each run')
        known = isinstance(found, dict) and all(
            key in perturbed_starts.PERTURBATIONS or key.isdecimal() for key in found
        )
    except ValueError:
        known = False
    if not known:
        raise ValueError(f'{path}: expected a JSON object, a first box for each run')
    return found


def _write_starts(path: pathlib.Path, boxes: dict[str, list[float]]) -> None:
    if path.is_file():
        if _read_starts(path) != boxes:
            raise ValueError(f'{path}: runs with other starts are there; give another folder')
        return
    files.write_text(path, json.dumps(boxes) + '\n')

"""What bin/evaluate does, from the flags to the exit code."""

import json
import pathlib
import sys
from collections.abc import Sequence

from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation import batched, runner
from sctrpn_jax.evaluation import trackers as trackers_lib

BAD_INPUT = 2  # exit code


def run(
    benchmark: str,
    root: str,
    output: str,
    kind: str = 'sctrpn',
    names: Sequence[str] | None = None,
    convention: str = 'otb',
    batch: int = 1,
    processes: int = 1,
    **settings,
) -> int:
    """Everything from the flags to the exit code; `report.json` lands in the output folder.

    Args:
      benchmark: as `sequences.read_sequences`.
      root: the benchmark's folder.
      output: folder for results and report.
      kind: as `make_tracker`.
      names: some sequences alone.
      convention: as `one_pass.score_sequence`.
      batch: sequences tracked at a time in one process (sctrpn).
      processes: each with a tracker of its own.
      **settings: of `make_tracker`.

    Returns:
      0; 2 for a bad input (one line on stderr says what).
    """
    try:
        sequences = sequences_lib.read_sequences(benchmark, root, names)
        tracker, description = choose_tracker(kind, settings, batch, processes)
        results = runner.run_one_pass(tracker, sequences, output, {'benchmark': benchmark, **description})
        made = runner.report(benchmark, sequences, results, convention)
        with runner.replacing(pathlib.Path(output) / 'report.json') as partial:
            partial.write_text(json.dumps(made, indent=1) + '\n')
        print(runner.format_table(made))
        return 0
    except (ValueError, OSError) as error:
        print(f'evaluate: {" ".join(str(error).split())}', file=sys.stderr)
        return BAD_INPUT


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

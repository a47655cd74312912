"""`tracker.json` beside results of ours: what made them, with which seed, on which machines.

A report that is made later, elsewhere, says so; and results of two trackers never mix. A folder without it holds result
files of any tracker.
"""

import json
import os
import pathlib

from sctrpn_jax import bounded
from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.evaluation.report import environments
from sctrpn_jax.system import files, locks

FILE = 'tracker.json'
UNKNOWN = 'an unknown machine'  # of files from before machines were noted
_TURN_SECONDS = 60.0  # far longer than reading and writing the file takes


def read(folder: str | os.PathLike) -> dict | None:
    """What made the results in a folder.

    Args:
      folder: of one tracker.

    Returns:
      JSON-ready settings, with `seed` (int) where there is one and `hardware` (a list, one line per machine that
      tracked) where it was noted; None: the results are not ours.

    Raises:
      ValueError: a damaged file.
    """
    path = pathlib.Path(folder) / FILE
    if not path.is_file():
        return None
    found = bounded.read_json(path, 'what made these results,')
    machines = found.get('hardware', []) if isinstance(found, dict) else None
    if not isinstance(machines, list) or not all(isinstance(each, str) for each in machines):
        raise ValueError(f'{path}: got {found!r:.80}, expected an object, its hardware a list of words')
    if type(found.get('seed', 0)) is not int:
        raise ValueError(f'{path}: got seed {found["seed"]!r:.80}, expected a whole number')
    return found


def origin(folder: str | os.PathLike, benchmark: record.Benchmark, given: float | None = None) -> float:
    """The number of the first pixel in a folder's files: 0 in ours; in others the given one, or the benchmark's.

    Args:
      folder: of one tracker.
      benchmark: of the results.
      given: for results of others; None: the one of the benchmark's files.

    Raises:
      ValueError: a damaged `tracker.json`.
    """
    if read(folder) is not None:
        return 0
    return benchmark.origin if given is None else given


def check(folder: str | os.PathLike, description: dict) -> None:
    """Refuses a folder with other results.

    Machines do not matter, nor does a seed that an older file does not have.

    Args:
      folder: of one tracker; need not exist.
      description: JSON-ready, of the tracker.

    Raises:
      ValueError: the folder holds another tracker's results, or a damaged `tracker.json`.
    """
    found = read(folder)
    if found is None:
        return
    found.pop('hardware', None)
    wanted = json.loads(json.dumps(description))
    if 'seed' not in found:
        wanted.pop('seed', None)
    if found != wanted:
        raise ValueError(f'{folder} holds results of {found}, not of {description}; give another folder')


def begin(folder: str | os.PathLike, description: dict, tracks: bool = True) -> None:
    """Writes what makes the results into their folder, or compares it with what is there.

    Args:
      folder: of one tracker; made where it is missing.
      description: JSON-ready, of the tracker.
      tracks: there is something to track, so this machine is noted, after those that tracked before.

    Raises:
      ValueError: the folder holds another tracker's results, or a damaged `tracker.json`.
    """
    folder, here = pathlib.Path(folder), environments.describe_environment().hardware if tracks else None
    # Several machines may add themselves at once.
    with locks.hold(folder, f'.{FILE}.lock', wait=_TURN_SECONDS):
        check(folder, description)
        found = read(folder)
        made = dict(description if found is None else found)
        if tracks:
            before = [] if found is None else found.get('hardware', [UNKNOWN])
            made['hardware'] = list(dict.fromkeys([*before, here]))
        if made != found:
            files.write_text(folder / FILE, json.dumps(made) + '\n')

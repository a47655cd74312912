"""One process that tries the mutations of one reader, with an alarm and a memory limit; it prints a line per try.

A reader is `build(folder)`, which writes a sound tree; `read(folder)`, which gives what is read or refuses it; and
`check(found, sound)`, which raises `AssertionError` for a result that must not be.
"""

import json
import logging
import os
import pathlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import typing
import warnings
from collections.abc import Callable

import mutations

SECONDS = 20  # of one try; more is a hang
MEMORY = 3 * 2**30  # bytes that reading may take on top of what a sound tree needs


class Reader(typing.NamedTuple):
    """What is tried; `skip` names files that are not damaged."""

    build: Callable[[pathlib.Path], None]
    read: Callable[[pathlib.Path], typing.Any]
    check: Callable[[typing.Any, typing.Any], None]
    skip: tuple[str, ...] = ()


class Hang(BaseException):
    """A try took too long."""


def _alarm(*_: object) -> None:
    raise Hang


def outcome(reader: Reader, folder: pathlib.Path, sound: typing.Any) -> tuple[str, str]:
    """(refused, accepted, traceback, hang or wrong; the message or reason)."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        found = reader.read(folder)
        reader.check(found, sound)
    except (ValueError, OSError) as error:
        # The program prints it as one line; without the name of the file nobody could act on it.
        return ('refused', '') if str(folder) in str(error) else ('wrong', f'names no file: {str(error)[:200]!r}')
    except AssertionError:
        return 'wrong', traceback.format_exc(limit=-2)[-600:]
    except Hang:
        return 'hang', ''
    except BaseException:
        return 'traceback', traceback.format_exc(limit=-4)[-1200:]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return 'accepted', ''


def run(reader: Reader, seed: int, first: int, count: int, write: Callable[[dict], None]) -> None:
    """Tries mutations number `first` to `first + count - 1` of a seed."""
    signal.signal(signal.SIGALRM, _alarm)
    with tempfile.TemporaryDirectory(prefix='campaign-') as place:
        sound_folder, folder = pathlib.Path(place) / 'sound', pathlib.Path(place) / 'tried'
        sound_folder.mkdir()
        reader.build(sound_folder)
        shutil.copytree(sound_folder, folder)
        sound = reader.read(folder)
        reader.check(sound, sound)
        shutil.rmtree(folder)
        shutil.copytree(sound_folder, folder)
        # By size and not by name: checkpoints have files with names that are drawn anew each time.
        files = [path for path in sound_folder.rglob('*') if path.is_file() and path.name not in reader.skip]
        files.sort(key=lambda path: (path.parent, path.stat().st_size, path.name))
        files = [path.relative_to(sound_folder) for path in files]
        pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for number in range(first, first + count):
            rng = random.Random(f'{seed} {number}')
            chosen = rng.sample(files, k=min(len(files), rng.choice((1, 1, 1, 2))))
            done = [mutations.mutate(folder / path, rng) for path in chosen]
            write({'try': number, 'done': done})
            kind, reason = outcome(reader, folder, sound)
            write({'number': number, 'kind': kind, 'done': done, 'reason': reason})
            # Whatever the reader left behind goes too.
            shutil.rmtree(folder)
            shutil.copytree(sound_folder, folder)


def main(name: str, seed: int, first: int, count: int) -> None:
    """Runs a reader by name; the lines go to the standard output that the process began with."""
    report = os.fdopen(os.dup(1), 'w')
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter('ignore')

    def write(line: dict) -> None:
        report.write(json.dumps(line) + '\n')
        report.flush()

    import readers

    try:
        run(readers.READERS[name], seed, first, count, write)
    except Exception:  # outside a try: the sound tree, which must be read
        write({'broken': traceback.format_exc()[-2000:]})


if __name__ == '__main__':
    main(sys.argv[1], *map(int, sys.argv[2:]))

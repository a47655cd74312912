"""SIGKILL at random moments of training, evaluation and preparation; what is resumed must equal what was not killed.

Training is compared by every number of its last checkpoint and of its metrics, evaluation by its result files and
tables, a prepared set by the bytes of its files. Times, and what depends on them, are left out.
"""

import csv
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing
from collections.abc import Callable

import numpy as np
import read_data

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MOST_IN_A_RUN = 8  # kills, after which a run is left to end
LIMIT = 900  # seconds of one start
TINY = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'
# Enough steps and checkpoints that a kill falls among them.
TRAINING = ('--config', str(TINY), '--config.train.pairs_per_epoch=40', '--config.train.checkpoint_every=3')


class Program(typing.NamedTuple):
    """What is killed: the arguments of a program that works in a folder, and what of that folder must be equal."""

    name: str
    arguments: Callable[[pathlib.Path], list[str]]
    contents: Callable[[pathlib.Path], dict[str, typing.Any]]


def trained(folder: pathlib.Path) -> dict[str, typing.Any]:
    """Every array of the last checkpoint, and the metrics."""
    import jax
    import orbax.checkpoint as ocp

    (step,) = (path for path in (folder / 'checkpoints').iterdir() if path.name.isdigit())
    with ocp.StandardCheckpointer() as checkpointer:
        state = checkpointer.restore(step / 'state')
    found = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree.flatten_with_path(state)[0]}
    lines = [json.loads(line) for line in (folder / 'metrics.jsonl').read_text().splitlines()]
    return found | {
        'step': step.name,
        'metrics': [{name: value for name, value in line.items() if name != 'pairs_per_second'} for line in lines],
    }


def files(folder: pathlib.Path) -> dict[str, typing.Any]:
    """Bytes of every file, arrays of an .npz; without times and the files of a report that show them."""
    found: dict[str, typing.Any] = {}
    for path in sorted(folder.rglob('*')):
        name = str(path.relative_to(folder))
        timed = name.endswith('_time.txt') or path.name.startswith('report.')
        if path.suffix == '.npz':
            with np.load(path) as file:
                found |= {f'{name}/{key}': file[key] for key in file.files}
        elif path.name == 'sequences.csv':
            with path.open(newline='') as file:
                rows = list(csv.DictReader(file))
            found[name] = [{column: value for column, value in row.items() if column != 'fps'} for row in rows]
        elif path.is_file() and not timed:
            found[name] = path.read_bytes()
    return found


def differences(found: dict[str, typing.Any], wanted: dict[str, typing.Any]) -> list[str]:
    """Names of what is not the same, bit for bit."""
    return [
        name
        for name in sorted(found.keys() | wanted.keys())
        if name not in found or name not in wanted or not _same(found[name], wanted[name])
    ]


def _same(a: typing.Any, b: typing.Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b


def programs(place: pathlib.Path) -> list[Program]:
    """The three, on made-up data in a folder; the network that tracks is the one that training makes first."""
    from sctrpn_jax.programs import demo_clip

    demo_clip.write_clips(place / 'clips', 4)
    for number in range(600):
        read_data.photo(place / 'published' / 'img' / f'{number}.jpg', seed=number % 20)
    rows = [f'img/{number}.jpg,t{number},0,cat,{10 + number % 30},12.5,20,22' for number in range(600)]
    (place / 'published' / 'boxes.csv').write_text('\n'.join(['image,track,frame,class,x,y,w,h', *rows]) + '\n')
    evaluation = ('--benchmark', 'otb', '--root', str(place / 'clips'), '--checkpoint', str(place / 'whole' / 'train'))
    preparation = ('--dataset', 'folder', '--source', str(place / 'published'), '--crop', '511', '--workers', '2')
    return [
        Program('train', lambda folder: [*TRAINING, '--workdir', str(folder)], trained),
        Program('evaluate', lambda folder: [*evaluation, '--output', str(folder)], files),
        Program('prepare_data', lambda folder: [*preparation, '--data_dir', str(folder)], files),
    ]


class ProgramError(Exception):
    """A program ended as it must not."""


def start(program: Program, folder: pathlib.Path, errors: pathlib.Path) -> subprocess.Popen:
    """The real program in a process group of its own."""
    command = [sys.executable, str(REPOSITORY / 'bin' / program.name), *program.arguments(folder)]
    # As in the other tests: what is not optimised compiles in half of the time.
    flags = f'{os.environ.get("XLA_FLAGS", "")} --xla_backend_optimization_level=0'.strip()
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY), 'XLA_FLAGS': flags}
    with errors.open('w') as file:
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=file, start_new_session=True
        )


def finish(program: Program, process: subprocess.Popen, errors: pathlib.Path) -> None:
    """Waits for the end, which must be a good one."""
    code = process.wait(LIMIT)
    if code:
        raise ProgramError(f'{program.name} ended with {code}: {errors.read_text()[-2000:]}')


def names(folder: pathlib.Path) -> set[str]:
    """What lies in a folder now."""
    return {str(path) for path in folder.rglob('*')} if folder.is_dir() else set()


def kill(program: Program, folder: pathlib.Path, errors: pathlib.Path, seconds: float, rng: random.Random) -> bool:
    """Starts the program and kills it; False: it had ended by then."""
    before, process = names(folder), start(program, folder, errors)
    # Half of the time from the first new file on, for starting is most of what so small a run does.
    if rng.random() < 0.5:
        begun = time.monotonic()
        while process.poll() is None and names(folder) <= before and time.monotonic() - begun < LIMIT:
            time.sleep(0.01)
        seconds /= 3
    try:
        process.wait(rng.uniform(0, seconds))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    finish(program, process, errors)
    return False


def run(kills: int, seed: int = 0) -> bool:
    """Kills each program a third of the times and prints a table; whether all was equal."""
    rng, good = random.Random(seed), True
    print('| program | kills | runs | equal | different | failed | seconds |\n|---|---|---|---|---|---|---|')
    with tempfile.TemporaryDirectory(prefix='kills-') as name:
        place = pathlib.Path(name)
        errors = place / 'errors.txt'
        for number, program in enumerate(programs(place)):
            begun, whole, folder = time.monotonic(), place / 'whole' / program.name, place / 'tried' / program.name
            finish(program, start(program, whole, errors), errors)  # compiles
            shutil.rmtree(whole)
            since = time.monotonic()
            finish(program, start(program, whole, errors), errors)
            seconds, wanted = time.monotonic() - since, program.contents(whole)
            done, outcomes, stories = 0, {'equal': 0, 'different': 0, 'failed': 0}, []
            while done < kills // 3 + (number < kills % 3):
                shutil.rmtree(folder, ignore_errors=True)
                left = min(MOST_IN_A_RUN, kills // 3 + (number < kills % 3) - done)
                try:
                    while left and kill(program, folder, errors, seconds, rng):
                        done, left = done + 1, left - 1
                    finish(program, start(program, folder, errors), errors) if not left else None
                    other = differences(program.contents(folder), wanted)
                    outcomes['different' if other else 'equal'] += 1
                    stories += [f'{program.name}: different are {", ".join(other[:10])}'] if other else []
                except (ProgramError, subprocess.TimeoutExpired) as error:
                    outcomes['failed'] += 1
                    stories.append(str(error))
            row = ' | '.join(map(str, (done, sum(outcomes.values()), *outcomes.values())))
            print(f'| {program.name} | {row} | {time.monotonic() - begun:.0f} |', flush=True)
            print('\n'.join(stories))
            good = good and not stories
    return good

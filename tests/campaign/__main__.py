"""Damages files of every kind for every reader, and counts what the readers do: `make campaign`.

  python tests/campaign --tries 500
  python tests/campaign --tries 2000 --readers network,prepared --seed 7
  python tests/campaign --tries 0 --kills 100

A table of tries, refusals, acceptances, tracebacks, hangs and wrong results, one row per reader, goes to the standard
output; whatever is in the last three is told on the standard error with what was done to which file, so that it can be
repeated with the same seed. The exit code is 1 if there is any.
"""

import argparse
import collections
import json
import os
import pathlib
import select
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ('refused', 'accepted', 'traceback', 'hang', 'wrong')
BAD = KINDS[2:]
SILENCE = 90  # seconds after which a worker that says nothing hangs outside Python
START = 600  # the same for its start, which may compile


def tries(name: str, seed: int, count: int, program: pathlib.Path = HERE / 'worker.py') -> list[dict]:
    """Every try of a reader; a worker that dies is started again after the try that killed it."""
    found: list[dict] = []
    environment = os.environ | {'PYTHONPATH': os.pathsep.join([str(HERE.parents[1]), str(HERE)])}
    while len(found) < count:
        command = [sys.executable, str(program), name, *map(str, (seed, len(found), count - len(found)))]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        begun, kind = None, 'traceback'
        buffer = b''
        while True:
            wait = START if begun is None else SILENCE
            if not select.select([worker.stdout], [], [], wait)[0]:
                kind = 'hang'
                worker.kill()
                break
            data = os.read(worker.stdout.fileno(), 2**16)
            if not data:
                break
            *lines, buffer = (buffer + data).split(b'\n')
            for line in map(json.loads, lines):
                if 'broken' in line:
                    raise SystemExit(f'{name}: {line["broken"]}')
                if 'kind' in line:
                    found.append(line)
                else:
                    begun = line
        code = worker.wait()
        worker.stdout.close()
        if begun is None:
            raise SystemExit(f'{name}: the sound tree is not read, exit code {code}')
        if len(found) < count:
            reason = f'the process ended with code {code}'
            found.append({'number': begun['try'], 'kind': kind, 'done': begun['done'], 'reason': reason})
    return found


def main() -> int:
    """Runs the campaign; returns the exit code."""
    sys.path.insert(0, str(HERE))
    sys.path.insert(0, str(HERE.parents[1]))
    import readers

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tries', type=int, default=500, help='Mutations for each reader. Default: 500.')
    parser.add_argument('--readers', default=','.join(readers.READERS), help='Some of them, separated by commas.')
    parser.add_argument('--kills', type=int, default=0, help='Kills of training, evaluation and preparation.')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    total: collections.Counter[str] = collections.Counter()
    print(f'| reader | tries | {" | ".join(KINDS)} | seconds |\n|{"---|" * 8}')
    for name in args.readers.split(',') if args.tries else ():
        start = time.monotonic()
        found = tries(name, args.seed, args.tries)
        counts = collections.Counter(each['kind'] for each in found)
        total.update(counts)
        row = ' | '.join(str(counts[kind]) for kind in KINDS)
        print(f'| {name} | {len(found)} | {row} | {time.monotonic() - start:.0f} |', flush=True)
        for each in found:
            if each['kind'] in BAD:
                print(f'\n{name}, try {each["number"]}: {each["kind"]}; {"; ".join(each["done"])}', file=sys.stderr)
                print(each['reason'], file=sys.stderr, flush=True)
    print(f'| all | {total.total()} | {" | ".join(str(total[kind]) for kind in KINDS)} | |')
    equal = True
    if args.kills:
        import kills

        print()
        equal = kills.run(args.kills, args.seed)
    return 0 if equal and not any(total[kind] for kind in BAD) else 1


if __name__ == '__main__':
    sys.exit(main())

"""SCTRPN: a tracker that is shown one object in the first frame of a video and reports its box in every later frame.

sctrpn demo
sctrpn track --video out/demo.mp4 --box 92,81,51,52 --output tracked.mp4
sctrpn NAME --help
"""

import importlib
import sys
from collections.abc import Sequence

import sctrpn_jax
from sctrpn_jax.programs import arguments, startup

# In the order of --help.
PROGRAMS = {
    'demo': 'track a generated clip with the pretrained network',
    'track': 'follow one object through a video',
    'train': 'train a network',
    'evaluate': 'track a benchmark, and score results',
    'prepare_data': 'prepare a published dataset for training',
    'export': 'write the tracker as StableHLO programs or ONNX models',
    'weights': 'import backbones, export trained networks (import, export)',
    'reports': 'tables and pictures of results (pool, compare, curves)',
    'studies': 'ablations and other studies (ablation, recall, stress, warps, tuning)',
    'benchmark': 'measure speed (track, parts, train, data)',
    'vot_client': 'serve the official VOT toolkit',
}
_RUNS_NETWORK = {'demo', 'track', 'train', 'evaluate', 'studies', 'benchmark', 'vot_client'}
_RESUMES = {'train', 'evaluate', 'prepare_data', 'studies'}  # the same command goes on after an interruption
_INTERRUPTED = 130  # exit code of Ctrl-C before a program has begun its work


def main() -> int:
    """The command `sctrpn`; returns the exit code."""
    return dispatch(sys.argv[1:])


def dispatch(argv: Sequence[str]) -> int:
    """Runs the program that the first argument names.

    Args:
      argv: what follows `sctrpn`.

    Returns:
      The exit code.
    """
    if argv and argv[0] in ('-h', '--help'):
        width = max(map(len, PROGRAMS))
        listing = '\n'.join(f'  {name:{width}}  {text}' for name, text in PROGRAMS.items())
        print(f'usage: sctrpn NAME [arguments]\n\n{__doc__.strip()}\n\nprograms:\n{listing}')
        return 0
    if argv and argv[0] == '--version':
        print(sctrpn_jax.__version__)
        return 0
    if not argv or argv[0] not in PROGRAMS:
        name = argv[0] if argv else 'no program'
        near = arguments.suggestion(name, PROGRAMS)
        return arguments.fail('sctrpn', f'got {name!r}; accepted is one of {", ".join(PROGRAMS)}{near}')
    return run(argv[0], argv[1:], f'sctrpn {argv[0]}')


def run(name: str, argv: Sequence[str], prog: str = '') -> int:
    """Runs one program.

    Args:
      name: of the program, one of `PROGRAMS`.
      argv: its arguments.
      prog: how the user called it, for messages; empty: `name`.

    Returns:
      The exit code: 0; 2 for bad input, with one line on stderr; 130 after Ctrl-C, 143 after SIGTERM.
    """
    prog = prog or name
    startup.begin(network=name in _RUNS_NETWORK)  # first: it may start the process again
    module = importlib.import_module(f'sctrpn_jax.programs.{name}')
    parser = arguments.Parser(prog=prog, description=module.__doc__)
    try:
        module.add_arguments(parser)
        return module.main(parser.parse_args(argv))
    except (ValueError, OSError) as error:
        return arguments.fail(prog, error)
    except MemoryError as error:
        return arguments.fail(prog, f'not enough memory ({error}); give smaller sizes or batches')
    except RuntimeError as error:
        if 'RESOURCE_EXHAUSTED' not in str(error):  # XLA's word for it
            raise
        reason = str(error).strip().splitlines()[0]
        return arguments.fail(prog, f'not enough memory ({reason}); give smaller sizes or batches')
    except KeyboardInterrupt as interrupt:
        arguments.fail(prog, 'interrupted' + ('; the same command goes on' if name in _RESUMES else ''))
        return getattr(interrupt, 'exit_code', _INTERRUPTED)

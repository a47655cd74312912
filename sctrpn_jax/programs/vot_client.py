"""Serves the official VOT toolkit as a TraX process; the toolkit starts it.

  sctrpn vot_client

docs/evaluation.md has the trackers.ini for the toolkit.
"""

import argparse
import sys

from sctrpn_jax.programs import arguments


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    arguments.add_checkpoint(parser)


def main(args: argparse.Namespace) -> int:
    """Answers the toolkit until it quits; returns the exit code."""
    try:
        from sctrpn_jax.integrations import vot
    except ImportError as error:
        raise ValueError(f"{error}; run pip install 'sctrpn_jax[vot]'") from error
    from sctrpn_jax.weights import loading

    network = loading.load_network(args.checkpoint)
    # The toolkit shows what is neither TraX nor an answer: stdout is the toolkit's.
    print('compiling; the first time this takes minutes on a small machine', file=sys.stderr, flush=True)
    vot.serve(vot.CompiledBefore(*network))
    return 0

"""Serves the official VOT toolkit as a TraX process; the toolkit starts it.

  sctrpn vot_client

docs/evaluation.md has the lines for the toolkit's trackers.ini.
"""

import argparse

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
    from sctrpn_jax.evaluation import job
    from sctrpn_jax.evaluation.run import trackers

    tracker, _ = trackers.make_tracker(job.TrackerSettings(checkpoint=args.checkpoint))
    vot.serve(tracker)
    return 0

"""Trains a network.

  sctrpn train --config quickstart --workdir runs/quickstart
  sctrpn train --config sctrpn_lite --workdir runs/lite --config.data.root=DATA --config.model.backbone.weights=FILE

The same command goes on with a run that was interrupted. On several machines (docs/scale.md) each has one process:

  sctrpn train --config sctrpn_lite --workdir runs/lite --coordinator 10.0.0.1:29500 --processes 2 --process 0
"""

import argparse

from sctrpn_jax import config_files
from sctrpn_jax.programs import arguments, several


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    arguments.add_config(parser, 'Python file that has get_config(), or the name of a shipped config.')
    parser.add_argument(
        '--workdir', required=True, help='Folder for checkpoints and metrics; an earlier run there goes on.'
    )
    several.add_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Trains, or goes on training; returns the exit code."""
    place = several.of_training(args)
    config = config_files.load(args.config, args.changes)
    if place:
        from sctrpn_jax.programs import watched

        return watched.train(place, config, args.workdir)

    from sctrpn_jax.training import loop

    try:
        loop.train_and_evaluate(config, args.workdir)
    except loop.TrainingDivergedError as error:
        raise ValueError(error) from error
    return 0

"""Writes the tracker as StableHLO programs that run without the model code.

  sctrpn export --output exported --frame_size 640x360
  sctrpn export --output exported_full --frame_size 1280x720 --checkpoint sctrpn_full --platforms cpu --batch symbolic

docs/export.md says how to run them.
"""

import argparse
import os

from sctrpn_jax.export import target
from sctrpn_jax.programs import arguments


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    arguments.add_checkpoint(parser)
    parser.add_argument('--output', required=True, help='Folder to write: new, or empty.')
    parser.add_argument(
        '--frame_size', required=True, type=arguments.size, metavar='WxH', help='Size of the largest frame, pixels.'
    )
    parser.add_argument(
        '--platforms',
        type=arguments.some_of(target.PLATFORMS),
        default=target.PLATFORMS,
        help='Where the programs run, separated by commas. Default: cpu,cuda.',
    )
    parser.add_argument(
        '--batch', default='1', help='Targets at a time: a number, or symbolic for any number. Default: 1.'
    )


def main(args: argparse.Namespace) -> int:
    """Exports; returns the exit code."""
    batch = int(args.batch) if args.batch.isascii() and args.batch.isdigit() else args.batch
    goal = target.Target(args.frame_size, tuple(args.platforms), batch)

    from sctrpn_jax.export import writer
    from sctrpn_jax.weights import loading

    writer.check(args.output)
    manifest = writer.write(args.output, *loading.load_network(args.checkpoint), goal)
    for name in sorted(os.listdir(args.output)):
        path = os.path.join(args.output, name)
        print(f'{path}: {os.path.getsize(path):,} bytes')
    width, height = goal.frame_size
    print(
        f'for {", ".join(goal.platforms)}; frames up to {width} x {height}, batch {batch}, '
        f'jax {manifest["minimum_jax"]} or newer; sctrpn_jax.export.exported.ExportedTracker reads it'
    )
    return 0

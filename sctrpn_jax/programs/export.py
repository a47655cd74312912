"""Writes the tracker as StableHLO programs, or its network as ONNX models; both run without the model code.

  sctrpn export --output exported --frame_size 640x360
  sctrpn export --output exported_hd --frame_size 1280x720 --platforms cpu --batch symbolic
  sctrpn export --output onnx --format onnx

docs/export.md says how to run them.
"""

import argparse
import os

from sctrpn_jax.export import target
from sctrpn_jax.programs import arguments

FORMATS = ('stablehlo', 'onnx')


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    arguments.add_checkpoint(parser)
    parser.add_argument('--output', required=True, help='Folder to write: new, or empty.')
    parser.add_argument(
        '--format',
        type=arguments.one_of(FORMATS),
        default=FORMATS[0],
        help='stablehlo: the whole tracker, to run with jax. onnx: the network alone, to run with onnxruntime. '
        'Default: stablehlo. The flags below are for stablehlo only.',
    )
    parser.add_argument(
        '--frame_size', type=arguments.size, metavar='WxH', help='Size of the largest frame, pixels. Required.'
    )
    parser.add_argument(
        '--platforms',
        type=arguments.some_of(target.PLATFORMS),
        help='Where the programs run, separated by commas. Default: cpu,cuda.',
    )
    parser.add_argument('--batch', help='Targets at a time: a number, or symbolic for any number. Default: 1.')


def main(args: argparse.Namespace) -> int:
    """Exports; returns the exit code."""
    return _onnx(args) if args.format == 'onnx' else _stablehlo(args)


def _stablehlo(args: argparse.Namespace) -> int:
    if args.frame_size is None:
        raise ValueError('give --frame_size (see --help)')
    batch = args.batch or '1'
    batch = int(batch) if batch.isascii() and batch.isdigit() else batch
    goal = target.Target(args.frame_size, tuple(args.platforms or target.PLATFORMS), batch)

    from sctrpn_jax.export import writer
    from sctrpn_jax.weights import loading

    writer.check(args.output)
    manifest = writer.write(args.output, *loading.load_network(args.checkpoint), goal)
    _print_sizes(args.output)
    width, height = goal.frame_size
    print(
        f'for {", ".join(goal.platforms)}; frames up to {width} x {height}, batch {batch}, '
        f'jax {manifest["minimum_jax"]} or newer; sctrpn_jax.export.exported.ExportedTracker reads it'
    )
    return 0


def _onnx(args: argparse.Namespace) -> int:
    for flag in ('frame_size', 'platforms', 'batch'):
        if getattr(args, flag) is not None:
            raise ValueError(f'--{flag} is for --format=stablehlo; ONNX models take crops of one target')

    from sctrpn_jax.export import onnx_models, writer
    from sctrpn_jax.weights import loading

    writer.check(args.output, *onnx_models.NEEDS)
    print('converting, which takes a minute or two', flush=True)
    manifest = onnx_models.write(args.output, *loading.load_network(args.checkpoint))
    _print_sizes(args.output)
    print(f'opset {manifest["opset"]}, jax2onnx {manifest["jax2onnx"]}; docs/onnx/track.py tracks with it')
    return 0


def _print_sizes(folder: str) -> None:
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        print(f'{path}: {os.path.getsize(path):,} bytes')

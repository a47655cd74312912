"""Prepares a published dataset for training: the images in a few large files, with a table of boxes beside them.

  sctrpn prepare_data --dataset lasot --source LaSOTBenchmark --data_dir data --crop 511
  sctrpn prepare_data --dataset lasot --data_dir data --crop 511 --verify

What is finished is kept: the same command goes on after an interruption. docs/datasets.md has the layouts.
"""

import argparse
import os

from sctrpn_jax.programs import arguments

_SHOWN = 3  # refused lines on the screen; the file has all


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    from sctrpn_jax.data.layouts import registry

    known = tuple(registry.LAYOUTS)
    parser.add_argument('--dataset', required=True, type=arguments.one_of(known), help=f'One of {", ".join(known)}.')
    parser.add_argument('--source', help='Folder in the published layout.')
    parser.add_argument('--data_dir', required=True, help='Folder to put the prepared set in.')
    parser.add_argument(
        '--crop', type=arguments.whole_number(1, 8192), help='Store square crops of this side, not whole images.'
    )
    parser.add_argument('--name', default='', help='Name of the set. Left out: the name of the dataset.')
    parser.add_argument(
        '--split', type=arguments.names, default=[], help='Splits, separated by commas. Left out: all that are there.'
    )
    parser.add_argument(
        '--workers', type=arguments.whole_number(0, 1024), default=os.cpu_count(), help='Processes; 0: this one alone.'
    )
    parser.add_argument(
        '--verify',
        action=argparse.BooleanOptionalAction,
        default=False,
        help='Read all of a prepared set again and check it, in place of preparing it.',
    )


def main(args: argparse.Namespace) -> int:
    """Prepares or verifies; returns the exit code."""
    if not args.verify and not args.source:
        raise ValueError('give --source (see --help)')
    from sctrpn_jax.data.prepared import prepare, verify

    job = prepare.Job(args.dataset, args.source or '', args.data_dir, args.crop, args.name)
    if args.verify:
        for split, counts in verify.verify(job.folder).items():
            print(f'{split}: sound; ' + ', '.join(f'{count:,} {what}' for what, count in counts.items()))
        return 0
    prepared, missing = prepare.prepare(job, args.split, args.workers)
    for split, reason in missing.items():
        print(f'{split}: not there ({reason})')
    for split, values in prepared['splits'].items():
        print(
            f'{split}: {values["clips"]:,} clips, {values["targets"]:,} targets, {values["rows"]:,} boxes, '
            f'{values["records"]:,} images, {values["bytes"] / 1e6:,.1f} MB; {values["refused"]:,} refused'
        )
        if values['refused']:
            path = job.folder / f'refused-{split}.txt'
            with open(path, encoding='utf-8') as lines:
                for line, _ in zip(lines, range(_SHOWN), strict=False):
                    print(f'  refused: {line.strip()}')
            print(f'  all of them: {path}')
    print(f'in {job.folder}')
    return 0

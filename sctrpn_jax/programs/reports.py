"""Makes tables and pictures of results that are there.

sctrpn reports pool --reports results/otb/report,results/uav123/report
sctrpn reports sets --reports results/davis/report,results/clips/report --base sctrpn_lite
sctrpn reports compare --benchmark otb --root OTB --results results --trackers sctrpn,csrt
sctrpn reports curves --workdir runs/quickstart --output curves.png
"""

import argparse
import os

from sctrpn_jax.programs import arguments

_POOL = """Makes one table over several benchmarks, in which every sequence counts the same.

  sctrpn reports pool --reports results/otb/report,results/uav123/report"""
_SETS = """Compares trackers or settings on several validation sets, so that no single set decides.

  sctrpn reports sets --reports results/davis/report,results/clips/report --base sctrpn_lite

Every set counts the same. "better": the mean over the sets gains, and no set loses beyond its 95 % interval."""
_COMPARE = """Shows the results of several trackers on the frames: a video for each sequence, and a sheet of bad frames.

  sctrpn reports compare --benchmark otb --root OTB --results results --trackers sctrpn,csrt --by gap --no-video

The worst frames are those of the tracker that is named first. Frames count from 0."""
_CURVES = """Draws the losses and validation scores of a training run.

  sctrpn reports curves --workdir runs/quickstart --output curves.png"""


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    word = parser.add_word('pool', _POOL)
    word.add_argument(
        '--reports',
        required=True,
        type=arguments.names,
        help='Report folders that `sctrpn evaluate` wrote, separated by commas.',
    )
    word = parser.add_word('sets', _SETS)
    word.add_argument(
        '--reports',
        required=True,
        type=arguments.names,
        help='Report folders that `sctrpn evaluate` wrote, one per set, separated by commas.',
    )
    word.add_argument('--base', required=True, help='Tracker that the others are compared with.')
    word = parser.add_word('compare', _COMPARE)
    arguments.add_benchmark(word)
    word.add_argument(
        '--results', required=True, help='Result files of one tracker, or a folder that has one folder per tracker.'
    )
    word.add_argument(
        '--trackers',
        type=arguments.names,
        help='Names, separated by commas, the one to look at first. Left out: all.',
    )
    arguments.add_sequences(word)
    word.add_argument('--output', help='Folder for the pictures. Left out: "comparison" inside the results.')
    word.add_argument(
        '--worst', type=arguments.whole_number(0), default=12, help='How many of the worst frames. Default: 12.'
    )
    word.add_argument(
        '--by',
        type=arguments.one_of(('overlap', 'gap')),
        default='overlap',
        help='What makes a frame bad: a low overlap, or a gap to the best of the other trackers. Default: overlap.',
    )
    word.add_argument('--video', action=argparse.BooleanOptionalAction, default=True, help='Write the videos.')
    arguments.add_origin(word)
    word = parser.add_word('curves', _CURVES)
    word.add_argument('--workdir', required=True, help='Work directory of a training run.')
    word.add_argument('--output', required=True, help='Picture to write (.png, .svg).')


def main(args: argparse.Namespace) -> int:
    """Makes what the word asks for; returns the exit code."""
    return {'pool': _pool, 'sets': _sets, 'compare': _compare, 'curves': _curves}[args.word](args)


def _pool(args: argparse.Namespace) -> int:
    from sctrpn_jax.evaluation.report import pooled

    print(pooled.to_markdown(pooled.read(args.reports)))
    return 0


def _sets(args: argparse.Namespace) -> int:
    from sctrpn_jax.evaluation.report import by_set

    print(by_set.to_markdown(args.reports, args.base))
    return 0


def _compare(args: argparse.Namespace) -> int:
    output = args.output or os.path.join(args.results, 'comparison')
    if os.path.realpath(output) == os.path.realpath(args.results):
        raise ValueError(f'output {output} is the folder of the results; its files would be taken for a tracker')
    from sctrpn_jax.evaluation import tracker_comparison

    compared = tracker_comparison.Comparison(
        args.benchmark, args.root, args.results, trackers=args.trackers, names=args.sequences, origin=args.origin
    )
    for line in tracker_comparison.problem_lines(compared.problems, not args.sequences):
        print(line)
    if args.worst:
        sheet = compared.write_worst(os.path.join(output, 'worst'), args.worst, args.by)
        print(f'worst frames of {compared.trackers[0]}: {sheet or "none, no frame could be judged"}')
    if args.video:
        paths = compared.write_videos(os.path.join(output, 'videos'))
        print(f'{len(paths)} videos: {os.path.join(output, "videos")}')
    return 0


def _curves(args: argparse.Namespace) -> int:
    from sctrpn_jax.training import curves

    try:
        curves.plot_run(args.workdir, args.output)
    except ImportError as error:
        raise ValueError(error) from error
    return 0

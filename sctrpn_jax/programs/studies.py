"""Runs the studies behind docs/experiments.md.

sctrpn studies ablation --config stages --workdir runs/stages --benchmark davis --root DAVIS
sctrpn studies recall --benchmark davis --root DAVIS --output results/recall
sctrpn studies stress --benchmark davis --root DAVIS --output results/stress.md
sctrpn studies occlusion --output results/occlusion.md
sctrpn studies warps --benchmark davis --root DAVIS --output results/warps.md
sctrpn studies tuning --benchmark davis --root DAVIS --output runs/tuning
"""

import argparse

from sctrpn_jax import config_files
from sctrpn_jax.evaluation.job import OPENCV_TRACKERS, TrackerSettings
from sctrpn_jax.programs import arguments

_ABLATION = """Trains and tracks the variants of an ablation, and compares them.

  sctrpn studies ablation --config stages --workdir runs/stages --benchmark davis --root DAVIS --config.data.root=DATA
  sctrpn studies ablation --config reranking --workdir runs/cues --benchmark davis --root DAVIS --checkpoint sctrpn_lite

The same command goes on with an interrupted ablation. Changes of fields act on what all variants start from."""
_RECALL = """Measures the recall of proposals (Table 2); writes table2.json, .md and .csv.

  sctrpn studies recall --benchmark davis --root DAVIS --output results/recall --every 5"""
_STRESS = """Plays sequences back and forth with a shaking camera and absent targets; measures who keeps the target.

  sctrpn studies stress --benchmark davis --root DAVIS --shake 0.25 --absent 8 --jump 10 --output results/stress.md
  sctrpn studies stress --benchmark davis --root DAVIS --parts 40 --output results/parts.md
  sctrpn studies stress --benchmark davis --root DAVIS --tracker csrt,mil --output results/others.md"""
_OCCLUSION = """Lets a look-alike pass in front of the target in generated clips; measures what the tracker says of it.

  sctrpn studies occlusion --output results/occlusion.md
  sctrpn studies occlusion --benchmark otb --root OTB --output results/occlusion.md

With a benchmark, its sequences are tracked too; there a lost target counts as hidden."""
_WARPS = """Scales and rotates real frames, and measures how well the best box follows.

  sctrpn studies warps --benchmark davis --root DAVIS --output results/warps.md"""
_TUNING = """Searches the settings of the selection (window, penalty, exponents ...) on a validation set.

  sctrpn studies tuning --benchmark davis --root DAVIS --output runs/tuning

The same command goes on with an interrupted search. Test benchmarks are refused unless --force is given."""


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    for word, add in {
        'ablation': _add_ablation,
        'recall': _add_recall,
        'stress': _add_stress,
        'occlusion': _add_occlusion,
        'warps': _add_warps,
        'tuning': _add_tuning,
    }.items():
        add(parser, word)


def main(args: argparse.Namespace) -> int:
    """Runs the study that the word names; returns the exit code."""
    studies = {
        'ablation': _ablation,
        'recall': _recall,
        'stress': _stress,
        'occlusion': _occlusion,
        'warps': _warps,
        'tuning': _tuning,
    }
    studies[args.word](args)
    return 0


def _add_ablation(parser: arguments.Parser, word: str) -> None:
    added = parser.add_word(word, _ABLATION)
    arguments.add_config(
        added, 'Python file that has get_ablation(), or the name of a shipped ablation (configs/ablations/).'
    )
    added.add_argument(
        '--base', default='sctrpn_lite', metavar='FILE|NAME', help='Config that is varied. Default: sctrpn_lite.'
    )
    added.add_argument(
        '--workdir', required=True, help='Folder for trainings, boxes and tables; what is there is kept.'
    )
    arguments.add_benchmark(added)
    arguments.add_sequences(added)
    added.add_argument('--variants', type=arguments.names, help='Some variants, separated by commas. Left out: all.')
    added.add_argument(
        '--seeds',
        type=arguments.whole_numbers(0, 2**32 - 1),
        help='Seeds, separated by commas. Left out: those of the ablation.',
    )
    added.add_argument(
        '--pairs',
        type=arguments.whole_number(1, 2**32 - 1),
        help='Training pairs of each variant. Left out: as the ablation says.',
    )
    added.add_argument(
        '--checkpoint',
        type=arguments.checkpoint,
        help='Track with this network and train nothing: a run folder, a weights file, or the name of a pretrained '
        'network. Its own config is then varied. For variants that share one training.',
    )


def _ablation(args: argparse.Namespace) -> None:
    from sctrpn_jax.studies import ablation

    chosen = ablation.read(config_files.find(args.config, 'ablations'))
    base = config_files.load(args.base, args.changes)

    from sctrpn_jax.data import sequences
    from sctrpn_jax.studies import ablation_report, ablation_run

    asked = ablation_run.Job(
        ablation=chosen,
        base=base,
        benchmark=args.benchmark,
        sequences=sequences.read_sequences(args.benchmark, args.root, args.sequences),
        workdir=args.workdir,
        variants=args.variants,
        seeds=args.seeds,
        pairs=args.pairs,
        checkpoint=args.checkpoint,
    )
    print(ablation_report.to_markdown(ablation_run.run(asked)))


def _add_recall(parser: arguments.Parser, word: str) -> None:
    added = parser.add_word(word, _RECALL)
    arguments.add_benchmark(added)
    arguments.add_sequences(added)
    arguments.add_checkpoint(added)
    added.add_argument('--output', required=True, help='Folder for the tables.')
    added.add_argument(
        '--every', type=arguments.whole_number(1), default=1, help='Use every Nth frame of a sequence. Default: 1.'
    )


def _recall(args: argparse.Namespace) -> None:
    from sctrpn_jax.data import sequences

    found = sequences.read_sequences(args.benchmark, args.root, args.sequences)
    from sctrpn_jax.studies import recall_table

    print(recall_table.to_markdown(recall_table.run(args.checkpoint, args.benchmark, found, args.output, args.every)))


def _add_stress(parser: arguments.Parser, word: str) -> None:
    added = parser.add_word(word, _STRESS)
    whole, number = arguments.whole_number, arguments.number
    arguments.add_benchmark(added)
    added.add_argument(
        '--tracker',
        type=arguments.some_of(OPENCV_TRACKERS),
        default=[],
        help="OpenCV's: mil, kcf, csrt, nano.",
    )
    arguments.add_checkpoint(added, several=True)
    arguments.add_models(added)
    added.add_argument('--output', required=True, help='Markdown file to write.')
    added.add_argument('--passes', type=whole(1, 1000), default=3, help='Forward, back, forward and so on. Default: 3.')
    added.add_argument(
        '--shake', type=number(0, 9), default=0.0, help="Standard deviation of the camera's place, in target sizes."
    )
    added.add_argument('--absent', type=whole(0), default=0, help='Frames without the target in the second pass.')
    added.add_argument('--jump', type=whole(0), default=0, help='Frames left out after these.')
    added.add_argument('--every', type=whole(1), default=1, help='Show every Nth frame. Default: 1.')
    added.add_argument(
        '--gray', action=argparse.BooleanOptionalAction, default=False, help='Take the colour out of the frames.'
    )
    added.add_argument(
        '--parts',
        type=whole(0, 10_000),
        default=0,
        help='Instead: N frames of a simulated camera over a part of each object.',
    )


def _stress(args: argparse.Namespace) -> None:
    from sctrpn_jax.data import sequences

    found = sequences.read_sequences(args.benchmark, args.root)
    from sctrpn_jax.evaluation.run import trackers
    from sctrpn_jax.studies import stress

    done = stress.Stress(args.passes, args.shake, args.absent, args.jump, args.every, args.gray, args.parts)
    checkpoints = args.checkpoint or ([] if args.tracker else [None])
    made = {
        name or 'the one shipped': trackers.make_tracker(TrackerSettings(checkpoint=name))[0] for name in checkpoints
    }
    made |= {kind: trackers.make_tracker(TrackerSettings(kind, models=args.models))[0] for kind in args.tracker}
    print(stress.run(made, args.benchmark, found, args.output, done))
    print(f'written: {args.output}')


def _add_occlusion(parser: arguments.Parser, word: str) -> None:
    added = parser.add_word(word, _OCCLUSION)
    arguments.add_benchmark(added, required=False)
    arguments.add_checkpoint(added, several=True)
    added.add_argument('--output', required=True, help='Markdown file to write.')
    added.add_argument(
        '--clips', type=arguments.whole_number(1, 10_000), default=24, help='Number of generated clips. Default: 24.'
    )


def _occlusion(args: argparse.Namespace) -> None:
    if bool(args.benchmark) != bool(args.root):
        raise ValueError('--benchmark and --root go together; give both, or neither')
    from sctrpn_jax.data import sequences

    found = {args.benchmark: sequences.read_sequences(args.benchmark, args.root)} if args.benchmark else {}
    from sctrpn_jax.evaluation.run import trackers
    from sctrpn_jax.studies import occlusion

    made = {
        name or 'the one shipped': trackers.make_tracker(TrackerSettings(checkpoint=name))[0]
        for name in args.checkpoint or [None]
    }
    print(occlusion.run(made, args.output, args.clips, found))
    print(f'written: {args.output}')


def _add_warps(parser: arguments.Parser, word: str) -> None:
    added = parser.add_word(word, _WARPS)
    arguments.add_benchmark(added)
    arguments.add_checkpoint(added, several=True)
    added.add_argument('--output', required=True, help='Markdown file to write.')
    added.add_argument(
        '--frames',
        type=arguments.whole_number(1),
        default=4,
        help='Frames of each sequence, evenly spread. Default: 4.',
    )


def _warps(args: argparse.Namespace) -> None:
    from sctrpn_jax.data import sequences

    found = sequences.read_sequences(args.benchmark, args.root)
    from sctrpn_jax.studies import warps

    print(warps.run(args.checkpoint or [None], args.benchmark, found, args.output, args.frames))
    print(f'written: {args.output}')


def _add_tuning(parser: arguments.Parser, word: str) -> None:
    added = parser.add_word(word, _TUNING)
    arguments.add_benchmark(added)
    arguments.add_checkpoint(added)
    added.add_argument('--output', required=True, help='Folder for the study and tuning.json.')
    added.add_argument(
        '--trials',
        type=arguments.whole_number(1),
        default=100,
        help='Settings to try, those of earlier runs included. Default: 100.',
    )
    added.add_argument(
        '--frames', type=arguments.whole_number(2), help='Use the first N frames of each sequence. Left out: all.'
    )
    added.add_argument('--fields', type=arguments.names, help='Fields to search, separated by commas. Left out: all.')
    added.add_argument(
        '--force', action=argparse.BooleanOptionalAction, default=False, help='Tune on a test benchmark all the same.'
    )


def _tuning(args: argparse.Namespace) -> None:
    from sctrpn_jax.data import sequences
    from sctrpn_jax.studies import tuning
    from sctrpn_jax.weights import loading

    fields = tuple(args.fields or tuning.RANGES)
    tuning.check(args.benchmark, args.root, fields, args.force)
    found = sequences.read_sequences(args.benchmark, args.root)
    asked = tuning.Job(args.benchmark, found, args.output, args.trials, args.frames, fields)
    print(tuning.run(asked, *loading.load_network(args.checkpoint)))

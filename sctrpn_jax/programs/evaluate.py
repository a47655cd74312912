"""Tracks a benchmark and reports the scores, or scores results that are there.

  sctrpn evaluate --benchmark davis --root DAVIS --output results/sctrpn
  sctrpn evaluate --benchmark otb --root OTB --split 2013 --tracker csrt --processes 2 --output results/csrt
  sctrpn evaluate --benchmark otb --root OTB --output results/sctrpn --protocol tre
  sctrpn evaluate --benchmark vot --root VOT2018 --output results/vot --protocol reset
  sctrpn evaluate --benchmark otb --root OTB --results results --report results/report
  sctrpn evaluate --benchmark lasot --root LASOT --output results/sctrpn --processes 8 --process 0

`sctrpn demo --clips 16 --output CLIPS` writes a benchmark to try it with (--benchmark otb --root CLIPS).
Sequences that are finished are kept: the same command goes on after an interruption.
"""

import argparse
import os
from collections.abc import Sequence

from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.evaluation import job as job_lib
from sctrpn_jax.programs import arguments, several
from sctrpn_jax.system import locks

_TURN_SECONDS = 600.0  # far longer than a report takes


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    one_of, whole = arguments.one_of, arguments.whole_number
    arguments.add_benchmark(parser)
    parser.add_argument('--split', help='Of the benchmark, such as 2013, val or test. Left out: the one in the folder.')
    arguments.add_sequences(parser)
    parser.add_argument('--output', help='Folder for the results of one tracker.')
    parser.add_argument(
        '--results', help='Track nothing; score the result files of one tracker, or a folder of one folder per tracker.'
    )
    parser.add_argument('--report', help='Folder for the report. Left out: "report" inside the results.')
    parser.add_argument(
        '--worst',
        type=whole(0, 100),
        default=3,
        help='How many of the worst frames of each sequence to draw beside the report, where there are images. '
        'Default: 3.',
    )
    parser.add_argument(
        '--protocol',
        type=one_of(record.PROTOCOLS),
        default='one_pass',
        help='one_pass (the default); tre, sre: starts shifted in time and space; reset, no_reset: those of VOT.',
    )
    parser.add_argument(
        '--omitted', metavar='DIR', help='Folder initOmit of the OTB toolkit: starts that tre leaves out.'
    )
    parser.add_argument(
        '--convention',
        type=one_of(job_lib.CONVENTIONS),
        help=f'Whose rules the scores follow: {", ".join(job_lib.CONVENTIONS)}. Left out: those of the benchmark.',
    )
    parser.add_argument('--attributes', help='Attribute file or folder of the benchmark, for scores by attribute.')
    arguments.add_origin(parser)
    parser.add_argument(
        '--tracker',
        type=one_of(job_lib.TRACKERS),
        default='sctrpn',
        help=f'One of {", ".join(job_lib.TRACKERS)}. Default: sctrpn. correlation: untrained features.',
    )
    arguments.add_checkpoint(parser)
    parser.add_argument('--weights', help='Backbone weights, .npz (tracker correlation).')
    parser.add_argument('--layer', type=whole(3, 5), default=5, help='Backbone layer, 3, 4 or 5 (tracker correlation).')
    arguments.add_models(parser)
    parser.add_argument(
        '--batch', type=whole(1, 1024), default=1, help='Sequences tracked at once, for accelerators (sctrpn).'
    )
    parser.add_argument('--processes', type=whole(1, 1024), help='Processes that share the sequences. Default: 1.')
    parser.add_argument(
        '--process',
        type=whole(0, 1023),
        help='Which of them this is, from 0, where you start each yourself, on machines that share a file system. The '
        'last to end makes the report. Slurm needs no flag. Left out: this process starts the others.',
    )
    parser.add_argument('--submission', metavar='ZIP', help='File to write for the server of trackingnet or got10k.')


def main(args: argparse.Namespace) -> int:
    """Tracks and scores; returns the exit code."""
    if (args.output is None) == (args.results is None):
        raise ValueError('give either --output, to track, or --results, to score (see --help)')
    processes, process = several.of_shares(args)
    job = job_lib.Job(
        benchmark=args.benchmark,
        root=args.root,
        output=args.output,
        results=args.results,
        tracker=job_lib.TrackerSettings(
            kind=args.tracker,
            checkpoint=args.checkpoint,
            weights=args.weights,
            layer=args.layer,
            models=args.models,
        ),
        sequences=tuple(args.sequences or ()),
        split=args.split,
        protocol=args.protocol,
        convention=args.convention,
        origin=args.origin,
        attributes=args.attributes,
        omitted=args.omitted,
        submission=args.submission,
        batch=args.batch,
        processes=processes,
        process=process,
    )
    job_lib.check(job)
    return _run(job, args.report, args.worst)


def _run(job: job_lib.Job, report: str | None, worst: int) -> int:
    from sctrpn_jax.evaluation import evaluate

    if job.output:
        sequences = evaluate.track(job)
        if job.process is not None and (left := evaluate.unfinished(job, sequences)):
            print(
                f'process {job.process} of {job.processes}: its sequences are tracked, {len(left)} of the others are '
                'not yet. The last process to end makes the report; so does this command again, when all have ended'
            )
            return 0
        # Two processes that end at once make the same report one after the other.
        with locks.hold(job.output, '.report.lock', _TURN_SECONDS):
            return _report(job, report, worst, sequences)
    return _report(job, report, worst)


def _report(job: job_lib.Job, report: str | None, worst: int, tracked: Sequence[sequences_lib.Sequence] = ()) -> int:
    from sctrpn_jax.evaluation import evaluate
    from sctrpn_jax.evaluation.report import output, tables
    from sctrpn_jax.evaluation.results import tracker_folders

    if job.submission:  # the server has the truth, so there is nothing to score here
        evaluate.submit(job, tracked)
        print(f'submission: {job.submission}')
        return 0
    if job.protocol == 'no_reset' and not os.path.isdir(os.path.join(job.scored, 'baseline')):
        print(f'tracked without resets: {job.scored}/unsupervised; --protocol reset makes the report')
        return 0
    if job.output and job.protocol in job_lib.PERTURBED and not tracker_folders.has_results(job.scored):
        print(f'tracked: {job.scored}/{job.protocol}; --protocol one_pass makes the report')
        return 0
    made = evaluate.score(job)
    folder, pictures = report or os.path.join(job.scored, 'report'), {}
    try:
        pictures = evaluate.draw_worst(job, made, folder, worst)
    except ValueError as error:  # the scores need no images
        print(f'no pictures of the worst frames: {error}')
    paths = output.write_report(made, folder, pictures)
    worth = evaluate.confidence_lines(job)
    print(tables.trackers_markdown(made))
    for tracker in made.trackers:
        if tracker.problem_total:
            print(f'{tracker.name}: {tracker.problem_total} problems; the first: {tracker.problems[0]}')
    for line in worth:
        print(line)
    print(f'report: {paths["report.html"]}')
    return 0

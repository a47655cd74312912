"""VOT intervals are those of scoring every resampling anew; a real tracker in time, and in every form of a report."""

import csv
import io
import json
import time

import numpy as np
import pytest

from sctrpn_jax.evaluation import evaluate, job
from sctrpn_jax.evaluation.report import data, page, tables
from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.evaluation.score import vot_intervals, vot_scores
from sctrpn_jax.metrics import intervals
from sctrpn_jax.metrics.vot import expected_overlap, raster, supervised, trajectory

LENGTHS = (20, 40)  # that EAO is the mean of


def measured(convention, sequences=6):
    """Runs of made-up overlaps and failures, of several lengths, two repetitions of each sequence."""
    rng = np.random.default_rng(1)
    groups = []
    for i in range(3 * sequences):
        frames, repetitions = 45 + 5 * (i // 3 % 3), []
        for _ in range(2):
            codes = np.full(frames, trajectory.REGION, np.int8)
            codes[0] = trajectory.START
            if rng.uniform() < 0.5:
                at = rng.integers(3, 30)
                codes[at : at + 5], codes[at], codes[at + 5] = trajectory.UNKNOWN, trajectory.FAILURE, trajectory.START
            repetitions.append(supervised.Run(codes, rng.uniform(0.1 * (i % 5), 1, frames)))
        groups.append(repetitions)
    runs, wide, free = (groups[i::3] for i in range(3))
    names = [vot_files.Annotation(f's{i}', np.zeros((len(each[0].codes), 8))) for i, each in enumerate(runs)]
    return vot_scores.Measured(names, runs, wide, free, convention, True, (), ())


@pytest.mark.parametrize('convention', raster.CONVENTIONS)
def test_every_score_is_made_anew_of_each_resampling(convention):
    found = measured(convention)
    anew = {
        'eao': lambda runs, wide, free: expected_overlap.expected_overlap(
            expected_overlap.curve(runs, convention), LENGTHS, convention
        ),
        'accuracy': lambda runs, wide, free: supervised.accuracy(wide, convention),
        'robustness': lambda runs, wide, free: supervised.robustness(runs, convention).rate,
        'failures': lambda runs, wide, free: supervised.robustness(runs, convention).per_sequence,
        'ao': lambda runs, wide, free: supervised.average_overlap(free, convention),
    }
    made = vot_intervals.vot_intervals(found, LENGTHS, samples=200)
    assert made.keys() == anew.keys()
    overall = vot_scores.score(found, LENGTHS)
    values = {
        'eao': overall.overall.expected_overlap,
        'accuracy': overall.overall.accuracy,
        'robustness': overall.overall.robustness.rate,
        'failures': overall.overall.robustness.per_sequence,
        'ao': overall.average_overlap,
    }
    for key, score in anew.items():

        def resampled(chosen, score=score):
            drawn = ([group[i] for i in chosen] for group in (found.runs, found.accuracy_runs, found.free_runs))
            return score(*drawn)

        assert made[key] == pytest.approx(intervals.resampled_interval(resampled, 6, samples=200), abs=1e-9), key
        assert made[key][0] < values[key] < made[key][1], key


def test_nothing_to_draw_from():
    alone = measured('vot2018', sequences=1)
    assert vot_intervals.vot_intervals(alone, LENGTHS) == dict.fromkeys(
        ['eao', 'accuracy', 'robustness', 'failures', 'ao']
    )
    found = measured('vot2018')
    found = vot_scores.Measured(found.annotations, found.runs, found.accuracy_runs, None, 'vot2018', True, (), ())
    made = vot_intervals.vot_intervals(found, (100, 356), samples=50)
    assert made['ao'] is None and made['eao'] is None and made['accuracy'] is not None  # no part reaches 100 frames


def test_a_real_tracker_in_time_and_in_every_form(shared):
    root = shared / 'data' / 'results' / 'VOT2018'
    if not (root / 'DaSiamRPN').is_dir():
        pytest.skip('no result files in the shared folder')
    begin = time.process_time()
    report = evaluate.score(job.Job('vot', str(root / 'annotations'), results=str(root / 'DaSiamRPN')))
    assert time.process_time() - begin < 6
    values = report.trackers[0].values
    for key, width in (('eao', 0.2), ('accuracy', 0.1), ('robustness', 0.3), ('failures', 1)):
        assert values[key].low < values[key].value < values[key].high < values[key].low + width, key
    eao = values['eao']
    assert data.from_json(data.to_json(report)).trackers[0].values == values
    assert json.loads(data.to_json(report))['trackers'][0]['values']['eao']['low'] == eao.low
    (row,) = [r for r in csv.DictReader(io.StringIO(tables.trackers_csv(report))) if r['kind'] == 'measured']
    assert (float(row['eao_low']), float(row['accuracy_high'])) == (eao.low, values['accuracy'].high)
    shown = f'{eao.low:.3f}, {eao.high:.3f}'
    assert shown in tables.trackers_markdown(report)
    assert shown.replace(', ', ' – ') in page.page(report)

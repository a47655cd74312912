"""The search finds a known optimum and goes on after an interruption; its objective is the tracker's own result."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import tuning
from sctrpn_jax.tracking import tracker

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / 'bin' / 'tune'
START = {'track.window': 0.5, 'track.penalty': 0.1}


def bowl(values):
    return 1 - (values['track.window'] - 0.2) ** 2 - (values['track.penalty'] - 0.9) ** 2


def test_the_search_approaches_a_known_optimum_and_goes_on(tmp_path):
    pytest.importorskip('optuna')
    first = tuning.search(bowl, START, 12, tmp_path)
    assert len(first) == 12
    calls = []
    trials = tuning.search(lambda values: calls.append(1) or bowl(values), START, 40, tmp_path)
    assert len(trials) == 40 and len(calls) == 28
    assert {trial.success for trial in first} <= {trial.success for trial in trials}
    assert trials[0].success == max(trial.success for trial in trials) > bowl(START) + 0.3
    made = tuning.write_report(tmp_path, trials, START, {'benchmark': 'davis'}, 0)
    assert made['start']['success'] == pytest.approx(bowl(START))
    assert json.loads((tmp_path / 'tuning.json').read_text()) == made


def test_the_objective_is_the_trackers_success(network, network_clip):
    variables, config = network
    frames, sequence = network_clip
    # The objective is made of another config: what it is given must take its place.
    values = tuning.get_fields(config)
    others = {'track.window': 0.1, 'track.size_rate': 1.0, 'track.nms_iou': 0.4, 'model.cascade.theta': 0.9}
    changed = tuning.set_fields(config, others)
    assert changed.track.window == 0.1 != config.track.window == values['track.window']
    assert tuning.get_fields(changed) == values | others
    objective = tuning.Objective(variables, changed, [sequence])
    live = tracker.Tracker(variables, config)
    live.init(frames[0], sequence.boxes[0])
    tracked = np.stack([sequence.boxes[0], *(live.update(frame).box for frame in frames[1:])])
    assert objective(values) == pytest.approx(one_pass.success_auc(tracked, sequence.boxes), abs=1e-3)
    found = [objective(values | others | {'track.window': window}) for window in (0.3, 0.6)]
    assert len({objective(values), *found}) > 1  # the values reach the tracker, though nothing is compiled again


@pytest.mark.parametrize('benchmark', tuning.TEST_BENCHMARKS)
def test_test_benchmarks_are_refused_unless_forced(benchmark):
    with pytest.raises(ValueError, match=f'{benchmark} is a test benchmark'):
        tuning.check_benchmark(benchmark, force=False)
    tuning.check_benchmark(benchmark, force=True)
    tuning.check_benchmark('davis', force=False)


def test_the_program_refuses_in_one_line():
    command = [sys.executable, str(PROGRAM), '--benchmark=otb', '--root=x', '--output=y']
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert 'otb is a test benchmark' in done.stderr

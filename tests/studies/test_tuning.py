"""The search finds a known optimum and goes on after an interruption; its objective is the tracker's own result."""

import json

import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import tuning
from sctrpn_jax.tracking import tracker

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


def test_places_of_a_tuple_are_fields_too():
    config = config_lib.Config()
    changed = tuning.set_fields(config, {'track.rerank_exponents[1]': 0.25, 'track.penalty': 0.5})
    assert changed.track.rerank_exponents == (1.0, 0.25, 1.0) and changed.track.penalty == 0.5
    assert config == config_lib.Config() and tuning.get_fields(changed)['track.rerank_exponents[1]'] == 0.25


@pytest.mark.parametrize('benchmark', ['otb', 'vot', 'lasot', 'trackingnet', 'uav123'])
def test_test_benchmarks_are_refused_unless_forced(benchmark, tmp_path):
    with pytest.raises(ValueError, match='is a test benchmark: .* tune on a validation set .davis, got10k., or give'):
        tuning.check(benchmark, tmp_path, START, force=False)
    tuning.check(benchmark, tmp_path, START, force=True)


def test_validation_sets_are_allowed_and_fields_must_have_a_range(tmp_path):
    tuning.check('davis', tmp_path, START, force=False)
    tuning.check('got10k', tmp_path, START, force=False)
    with pytest.raises(ValueError, match="no field 'track.windw' to search; accepted are track.window"):
        tuning.check('davis', tmp_path, ['track.windw'], force=True)


def test_a_whole_search(tmp_path, monkeypatch):
    pytest.importorskip('optuna')
    monkeypatch.setattr(tuning, 'Objective', lambda *_: bowl)
    job = tuning.Job('davis', [], tmp_path, 8, fields=tuple(START))
    said = tuning.run(job, {}, config_lib.Config())
    made = json.loads((tmp_path / 'tuning.json').read_text())
    assert set(made['best']['values']) == set(START) and made['start']['values']['track.window'] == 0.35
    assert f'success AUC {made["best"]["success"]:.4f}, {made["start"]["success"]:.4f} before' in said
    assert '--config.track.window=' in said

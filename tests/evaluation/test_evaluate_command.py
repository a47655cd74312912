"""What bin/evaluate calls: tracking, scoring, what a report says of a run; bad input."""

import functools
import json
import os
import zipfile

import numpy as np
import pytest

from sctrpn_jax.evaluation import evaluate_command, scoring, submissions
from sctrpn_jax.evaluation.report import environments
from sctrpn_jax.metrics import one_pass


@pytest.mark.parametrize('one_tower', [False, True])
def test_tracking_and_scoring(tmp_path, write_otb, weights, one_tower):
    write_otb(tmp_path / 'data', ['a', 'b'])
    root, out = str(tmp_path / 'data'), str(tmp_path / 'out')
    settings = {'weights': str(weights), 'layer': 3, 'one_tower': one_tower}
    evaluate_command.track_one_pass('otb', root, out, 'correlation', ['b'], **settings)
    assert sorted(os.listdir(out)) == ['b.csv', 'b_time.txt', 'tracker.json']
    made = evaluate_command.score('otb', root, out)
    (tracker,) = made.trackers
    assert tracker.config['layer'] == 3 and tracker.timing.fps > 0
    assert [row.sequence for row in tracker.rows] == ['b'] and tracker.problem_counts == {'missing': 1}
    alone = evaluate_command.score('otb', root, out, names=['b'])
    assert alone.trackers[0].values['success'].value > 0.5 and not alone.trackers[0].problems


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('reset', 'otb'), "protocol reset is VOT's; otb is run in one_pass"),
        (('tre', 'vot'), 'got protocol tre of vot; accepted are tre, sre of otb, uav123, lasot, davis'),
        (('sre', 'trackingnet'), 'got protocol sre of trackingnet'),
        (('sre', 'otb', 'trackingnet'), 'by thresholds, and convention trackingnet by areas'),
        (('sre', 'otb', None, 'initOmit'), 'omitted frames are of OTB, for protocol tre; got otb, sre'),
        (('tre', 'uav123', None, 'initOmit'), 'got uav123, tre'),
        (('tre', 'otb', None, None, 'all.zip'), 'a submission holds one_pass results; got protocol tre'),
    ],
)
def test_protocols_that_do_not_go_with_the_rest(arguments, message):
    with pytest.raises(ValueError, match=message):
        evaluate_command.check_protocol(*arguments)


def test_a_report_says_seed_and_machine_of_the_run(tmp_path, write_otb, weights):
    write_otb(tmp_path / 'data', ['a'])
    root, out = str(tmp_path / 'data'), tmp_path / 'out'
    evaluate_command.track_one_pass('otb', root, str(out), 'correlation', weights=str(weights), layer=3)
    path = out / 'tracker.json'
    description = json.loads(path.read_text())
    assert description['hardware'] == [environments.describe_environment().hardware] and 'seed' not in description
    path.write_text(json.dumps(description | {'seed': 7, 'hardware': ['far away', 'farther']}))
    (tracker,) = evaluate_command.score('otb', root, str(out)).trackers
    assert (tracker.seed, tracker.timing.hardware) == (7, 'far away; farther') and tracker.timing.fps > 0
    assert 'hardware' not in tracker.config and tracker.config['layer'] == 3
    old = {key: value for key, value in description.items() if key != 'hardware'}
    path.write_text(json.dumps(old))
    (before,) = evaluate_command.score('otb', root, str(out)).trackers
    assert (before.seed, before.timing.hardware, before.config) == (None, '', old) and before.values == tracker.values
    evaluate_command.track_one_pass('otb', root, str(out), 'correlation', weights=str(weights), layer=3)
    assert json.loads(path.read_text()) == old  # nothing was left to track


def test_scores_of_ours_and_of_others_count_from_their_own_origin(tmp_path, write_otb):
    (sequence,) = write_otb(tmp_path / 'data', ['a'])
    boxes = sequence.boxes + np.array([3, -2, 4, 1]) * np.arange(5)[:, None] / 4
    for name, origin in (('others', 1), ('counted_from_0', 0)):
        (tmp_path / 'results' / name).mkdir(parents=True)
        np.savetxt(tmp_path / 'results' / name / 'a.txt', boxes + [origin, origin, 0, 0], delimiter=',')
    direct = one_pass.score_sequence(boxes, sequence.boxes)
    made = evaluate_command.score('otb', str(tmp_path / 'data'), str(tmp_path / 'results'))
    values = {tracker.name: tracker.values['success'].value for tracker in made.trackers}
    assert values['others'] == pytest.approx(direct.success, abs=1e-6) != values['counted_from_0']
    made = evaluate_command.score('otb', str(tmp_path / 'data'), str(tmp_path / 'results'), origin=0)
    values = {tracker.name: tracker.values['success'].value for tracker in made.trackers}
    assert values['counted_from_0'] == pytest.approx(direct.success, abs=1e-6)


def test_real_results_give_the_published_numbers(shared):
    root = shared / 'data' / 'results'
    if not (root / 'OTB2015' / 'KCF').is_dir():
        pytest.skip('no result files in the shared folder')
    made = evaluate_command.score('otb', str(root / 'OTB2015'), str(root / 'OTB2015'))
    values = {tracker.name: tracker.values for tracker in made.trackers}
    assert sorted(values) == ['KCF', 'SRDCF']  # the annotations beside them are no tracker
    for name, success, precision in (('KCF', 0.477, 0.695), ('SRDCF', 0.598, 0.788)):
        assert round(values[name]['success'].value, 3) == success
        assert round(values[name]['precision'].value, 3) == precision
    made = evaluate_command.score(
        'vot', str(root / 'VOT2018' / 'annotations'), str(root / 'VOT2018' / 'DaSiamRPN'), 'pysot'
    )
    values = made.trackers[0].values
    assert values['accuracy'].value == pytest.approx(0.586, abs=1e-3)
    assert round(values['robustness'].value, 3) == 0.276 and round(values['eao'].value, 3) == 0.382


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'benchmark': 'nothing'}, 'benchmark'),
        ({'root': 'nowhere'}, 'nowhere'),
        ({'kind': 'nothing'}, 'sctrpn, correlation'),
        ({'kind': 'sctrpn', 'checkpoint': 'nowhere'}, 'nowhere'),
        ({'weights': None}, 'weights'),
        ({'layer': 2}, 'layer'),
        ({'batch': 2}, 'only tracker sctrpn'),
        ({'batch': 2, 'processes': 2}, 'one of them 1'),
        ({'processes': 0}, 'expected 1 or more'),
    ],
)
def test_bad_settings_are_named(tmp_path, write_otb, weights, change, message):
    write_otb(tmp_path / 'data', ['a'], 2)
    arguments = {
        'benchmark': 'otb',
        'root': str(tmp_path / 'data'),
        'output': str(tmp_path / 'out'),
        'kind': 'correlation',
        'weights': str(weights),
        'layer': 3,
    } | change
    with pytest.raises(ValueError, match=message):
        evaluate_command.track_one_pass(**arguments)


def test_what_cannot_be_scored_is_named(tmp_path, write_otb):
    write_otb(tmp_path / 'data', ['a'], 2)
    root = str(tmp_path / 'data')
    with pytest.raises(ValueError, match='no results; expected a folder'):
        evaluate_command.score('otb', root, str(tmp_path / 'nowhere'))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='no results in .*a folder a tracker'):
        evaluate_command.score('otb', root, str(tmp_path / 'empty'))
    (tmp_path / 'empty' / 'other.txt').write_text('1,2,3,4\n')
    with pytest.raises(ValueError, match='no sequence of otb has results'):
        evaluate_command.score('otb', root, str(tmp_path / 'empty'))
    (tmp_path / 'empty' / 'a.txt').write_text('11,13,16,14\n13,13,16,14\n')
    with pytest.raises(ValueError, match="no sequence 'b' in"):
        evaluate_command.score('otb', root, str(tmp_path / 'empty'), names=['b'])
    with pytest.raises(ValueError, match='convention'):
        evaluate_command.score('otb', root, str(tmp_path / 'empty'), 'skip')
    made = evaluate_command.score('otb', root, str(tmp_path / 'empty'))
    assert made.trackers[0].problem_counts == {'extra': 1}
    assert list(scoring.tracker_folders(tmp_path / 'empty')) == ['empty']


def test_a_submission_holds_what_was_tracked(tmp_path, write_otb, weights, monkeypatch):
    found = write_otb(tmp_path / 'data', ['a', 'b'], 4)
    settings = {'weights': str(weights), 'layer': 3}
    out, path = str(tmp_path / 'out'), tmp_path / 'zip' / 'all.zip'
    evaluate_command.track_one_pass('otb', str(tmp_path / 'data'), out, 'correlation', **settings)
    with pytest.raises(ValueError, match='otb takes no submissions'):
        evaluate_command.submit('otb', found, out, str(path))
    with pytest.raises(ValueError, match='got 2 sequences to submit, its server wants 511'):
        evaluate_command.submit('trackingnet', found, out, str(path))
    whole = functools.partial(submissions.write_got10k, sequences=2)
    monkeypatch.setattr(submissions, 'write_got10k', whole)
    evaluate_command.submit('got10k', found, out, str(path))
    with zipfile.ZipFile(path) as archive:
        rows = np.loadtxt(archive.read('b/b_001.txt').decode().splitlines(), delimiter=',')
    np.testing.assert_allclose(rows[0], found[1].boxes[0] + [1, 1, 0, 0], atol=1e-3)

"""bin/evaluate end to end: tracking, scoring, the report; bad input; a kill in the middle."""

import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import zipfile

import cv2
import numpy as np
import pytest

from sctrpn_jax.evaluation import evaluate_command, one_pass, scoring, submissions
from sctrpn_jax.evaluation.report import output as report_output
from sctrpn_jax.evaluation.vot import results as vot_results

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / 'bin' / 'evaluate'


def run(*arguments, **options):
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finished(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def without_times(report):
    """A report.json as text without what a clock said."""
    values = json.loads(report.read_text())
    for tracker in values['trackers']:
        tracker.pop('timing')
    return json.dumps(values)


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


def test_a_killed_evaluation_ends_with_the_same_report(tmp_path, write_otb):
    write_otb(tmp_path / 'data', [f's{i}' for i in range(6)], count=40)
    arguments = ['--benchmark=otb', f'--root={tmp_path / "data"}', '--tracker=mil']

    def reproducible(folder):  # MIL draws random numbers: its boxes are taken as they come, the report must follow
        return [f'--output={tmp_path / folder}', f'--report={tmp_path / (folder + "_report")}']

    process = run(*arguments, *reproducible('killed'))
    first = tmp_path / 'killed' / 's0.csv'
    deadline = time.monotonic() + 120
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = first.read_bytes()
    assert len(list((tmp_path / 'killed').glob('s?.csv'))) < 6
    code, _, err = finished(run(*arguments, *reproducible('killed')))
    assert code == 0, err
    assert first.read_bytes() == kept and len(list((tmp_path / 'killed').glob('s?.csv'))) == 6
    before = without_times(tmp_path / 'killed_report' / 'report.json')
    code, _, _ = finished(run(*arguments, *reproducible('killed')))
    assert code == 0 and without_times(tmp_path / 'killed_report' / 'report.json') == before


def test_vot_with_resets_and_without(tmp_path):
    root = tmp_path / 'VOT'
    (root / 'ball' / 'color').mkdir(parents=True)
    (root / 'list.txt').write_text('ball\n')
    rng = np.random.default_rng(0)
    target = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    rows = []
    for t in range(30):
        frame = np.full((100, 160, 3), 90, np.uint8)
        x = 20 + 2 * t if t < 12 else 120 - t  # jumps away once
        frame[40:64, x : x + 24] = target
        cv2.imwrite(str(root / 'ball' / 'color' / f'{t + 1:08d}.jpg'), frame)
        rows.append(f'{x},40,{x + 23},40,{x + 23},63,{x},63')
    (root / 'ball' / 'groundtruth.txt').write_text('\n'.join(rows) + '\n')
    arguments = ['--benchmark=vot', f'--root={root}', '--tracker=mil', f'--output={tmp_path / "mil"}']
    for protocol, folder in (('no_reset', 'unsupervised'), ('reset', 'baseline')):
        code, out, err = finished(run(*arguments, f'--protocol={protocol}'))
        assert code == 0, err
        assert ('VOT2018' if protocol == 'reset' else '--protocol=reset makes the report') in out
        assert (tmp_path / 'mil' / folder / 'ball' / 'ball_001.txt').is_file()
    annotations = vot_results.read_annotations(root)
    found = vot_results.read_results(tmp_path / 'mil', annotations)
    assert found.trajectories['ball'][0].codes[0] == vot_results.START
    made = report_output.read_report(tmp_path / 'mil' / 'report' / 'report.json')
    assert made.trackers[0].values['ao'].value is not None and 0 <= made.trackers[0].values['accuracy'].value <= 1


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


def test_flags_that_do_not_go_together():
    for arguments, message in [
        (['--benchmark=otb'], 'give --root'),
        (['--benchmark=otb', '--root=x'], 'either --output, to track, or --results'),
        (['--benchmark=otb', '--root=x', '--output=y', '--protocol=reset'], "protocol reset is VOT's"),
    ]:
        code, _, err = finished(run(*arguments))
        assert code == 2 and len(err.strip().splitlines()) == 1 and message in err

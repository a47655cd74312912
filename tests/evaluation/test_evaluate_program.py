"""`sctrpn evaluate` as it is started: a kill in the middle, the protocols of VOT and OTB, the worth of the score."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from sctrpn_jax.evaluation import evaluate, job
from sctrpn_jax.evaluation.report import output as report_output
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.evaluation.run import perturbed_runs
from sctrpn_jax.evaluation.score import perturbed_scores
from sctrpn_jax.tracking import results as results_lib

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / 'bin' / 'evaluate'


def run(*arguments, program=PROGRAM, **options):
    command = [sys.executable, str(program), *map(str, arguments)]
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


def test_a_killed_evaluation_ends_with_the_same_report(tmp_path, write_otb):
    write_otb(tmp_path / 'data', [f's{i}' for i in range(6)], count=16)
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
    asked = job.Job('otb', str(tmp_path / 'data'), str(tmp_path / 'killed'), tracker=job.TrackerSettings('mil'))
    evaluate.track(asked)
    again = report_output.write_report(evaluate.score(asked), tmp_path / 'again')
    assert without_times(again['report.json']) == before


@pytest.mark.all
def test_starts_shifted_in_space_and_time(tmp_path, write_otb, weights):
    write_otb(tmp_path / 'data', ['a', 'b'], 21)
    root, out = str(tmp_path / 'data'), str(tmp_path / 'out' / 'floor')
    flags = ['--benchmark=otb', f'--root={root}', f'--output={out}', '--tracker=correlation', f'--weights={weights}']
    code, said, err = finished(run(*flags, '--layer=3', '--protocol=sre', '--sequences=b'))
    assert code == 0, err
    assert '--protocol one_pass makes the report' in said and not os.path.exists(os.path.join(out, 'report'))
    floor = job.TrackerSettings('correlation', weights=str(weights), layer=3)
    for protocol in ('sre', 'tre', 'one_pass'):
        evaluate.track(job.Job('otb', root, out, tracker=floor, protocol=protocol))
    assert sorted(path.name for path in pathlib.Path(out).iterdir()) == [
        'a.csv', 'a_time.txt', 'b.csv', 'b_time.txt', 'sre', 'tracker.json', 'tre'
    ]  # fmt: skip
    results = str(tmp_path / 'out')
    (tmp_path / 'out' / 'still').mkdir()
    np.savetxt(tmp_path / 'out' / 'still' / 'a.txt', np.tile([11, 13, 16, 14], (21, 1)), delimiter=',')
    made = evaluate.score(job.Job('otb', root, results=results, protocol='tre'))
    ours, still = made.trackers
    frames = {'a': 21, 'b': 21}
    truth, _ = truth_lib.read_truth('otb', root)
    for protocol in ('tre', 'sre'):
        runs = perturbed_runs.read(out, protocol, frames)
        scores = perturbed_scores.score_runs(protocol, runs, truth)
        assert ours.values[f'{protocol}_success'].value == pytest.approx(
            np.mean([each.success for each in scores.values()]), abs=1e-6
        )
        assert ours.rows[0].values[f'{protocol}_precision'] == pytest.approx(scores['a'].precision, abs=1e-6)
        assert f'{protocol}_success' not in still.values
    assert ours.problems == () and still.problem_counts == {'missing': 1}
    paths = report_output.write_report(made, tmp_path / 'report')
    assert 'Success, TRE' in paths['report.md'].read_text() and 'Precision, SRE' in paths['report.html'].read_text()
    (tmp_path / 'out' / 'floor' / 'tre' / 'a' / '00000.csv').unlink()
    made = evaluate.score(job.Job('otb', root, results=results))
    assert made.trackers[0].problem_counts == {'missing': 1} and 'tre/a: 1 of 2 runs' in made.trackers[0].problems[0]
    alone = evaluate.score(job.Job('otb', root, results=results, convention='trackingnet'))
    assert 'tre_success' not in alone.trackers[0].values
    shutil.rmtree(os.path.join(out, 'sre'))
    with pytest.raises(ValueError, match='no sre results beside the one-pass results in'):
        evaluate.score(job.Job('otb', root, results=results, protocol='sre'))


@pytest.mark.all
def test_vot_with_resets_and_without(tmp_path, weights):
    root, out = tmp_path / 'VOT', tmp_path / 'floor'
    (root / 'ball' / 'color').mkdir(parents=True)
    (root / 'list.txt').write_text('ball\n')
    rng = np.random.default_rng(0)
    target = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    rows = []
    for t in range(30):
        frame = np.full((100, 160, 3), 90, np.uint8)
        x = 20 + 2 * t if t < 12 else 135 - t  # jumps away once, further than the tracker looks
        frame[40:64, x : x + 24] = target
        cv2.imwrite(str(root / 'ball' / 'color' / f'{t + 1:08d}.jpg'), frame)
        rows.append(f'{x},40,{x + 23},40,{x + 23},63,{x},63')
    (root / 'ball' / 'groundtruth.txt').write_text('\n'.join(rows) + '\n')
    arguments = ['--benchmark=vot', f'--root={root}', f'--output={out}', '--tracker=correlation', '--layer=3']
    arguments.append(f'--weights={weights}')
    for protocol, folder in (('no_reset', 'unsupervised'), ('reset', 'baseline')):
        code, said, err = finished(run(*arguments, f'--protocol={protocol}'))
        assert code == 0, err
        assert ('a folder in vot' if protocol == 'reset' else '--protocol reset makes the report') in said
        # It does the same each time, so three repetitions are all.
        assert len(list((out / folder / 'ball').glob('ball_00?.txt'))) == 3
    annotations = vot_files.read_annotations(root)
    found = vot_files.read_results(out, annotations)
    codes = found.trajectories['ball'][0].codes
    assert codes[0] == vot_files.START and np.flatnonzero(codes == vot_files.FAILURE).tolist() == [12]
    made = report_output.read_report(out / 'report' / 'report.json')
    (tracker,) = made.trackers
    assert tracker.values['ao'].value is not None and 0 <= tracker.values['accuracy'].value <= 1
    assert tracker.values['failures'].value == 1 and tracker.timing.hardware
    written = (out / 'tracker.json').read_text()
    floor = job.TrackerSettings('correlation', weights=str(weights), layer=3)
    evaluate.track(job.Job('vot', str(root), str(out), tracker=floor, protocol='reset'))
    assert (out / 'tracker.json').read_text() == written


def test_results_give_a_report_the_worth_of_the_score_and_a_pooled_table(tmp_path, write_otb):
    for sequence in write_otb(tmp_path / 'data', ['a', 'b'], count=6):
        with results_lib.ResultWriter(tmp_path / 'results' / 'mine' / f'{sequence.name}.csv') as writer:
            for t, box in enumerate(sequence.boxes):
                writer.write(box + ([40, 0, 0, 0] if t > 3 else 0), 0.2 if t > 3 else 0.9)
    reports = []
    for name in 'ab':
        arguments = ['--benchmark=otb', f'--root={tmp_path / "data"}', f'--results={tmp_path / "results"}']
        reports.append(tmp_path / f'report_{name}')
        code, said, err = finished(run(*arguments, f'--sequences={name}', f'--report={reports[-1]}'))
        assert code == 0, err
        assert 'tells 3 tracked frames (overlap above 0.5) from 2 others with ROC AUC 1.000' in said
        page = (reports[-1] / 'report.html').read_text()
        assert f'<a href="worst/{name}.jpg">{name}</a>' in page
        assert cv2.imread(str(reports[-1] / 'worst' / f'{name}.jpg')).shape[1] == 480 + 2 * 8
    (tmp_path / 'annotations').mkdir()
    for name in 'ab':
        shutil.copy(tmp_path / 'data' / name / 'groundtruth_rect.txt', tmp_path / 'annotations' / f'{name}.txt')
    arguments = ['--benchmark=otb', f'--root={tmp_path / "annotations"}', f'--results={tmp_path / "results"}']
    code, said, err = finished(run(*arguments, f'--report={tmp_path / "bare"}'))
    assert code == 0 and 'no pictures of the worst frames: ' in said, err
    assert (
        not (tmp_path / 'bare' / 'worst').exists() and 'worst/' not in (tmp_path / 'bare' / 'report.html').read_text()
    )
    program = PROGRAM.with_name('reports')
    code, said, err = finished(run('pool', f'--reports={reports[0]},{reports[1]}', program=program))
    assert code == 0, err
    assert '| tracker (2 sequences) |' in said and '| mine |' in said
    code, _, err = finished(run('pool', f'--reports={tmp_path}', program=program))
    assert code == 2 and err.count('\n') == 1 and 'expected a report of bin/evaluate' in err

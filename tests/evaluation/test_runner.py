"""The runner with small trackers over generated files, and bin/evaluate's whole path with real weights."""

import json
import os
import pathlib
import subprocess
import sys
import types

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.evaluation import evaluate_command, one_pass, runner, trackers


class Perfect:
    """Knows the boxes; counts its calls."""

    def __init__(self, boxes):
        self.boxes, self.started, self.index = boxes, 0, 0

    def init(self, frame, box):
        self.index, self.started = 0, self.started + 1
        assert frame.dtype == np.uint8 and len(box) == 4

    def update(self, frame):
        self.index += 1
        return types.SimpleNamespace(box=self.boxes[self.index], score=0.5)


def make_otb(root, names, count=5):
    boxes = np.array([[10 + 2 * t, 12, 16, 14] for t in range(count)], float)
    for name in names:
        (root / name / 'img').mkdir(parents=True)
        for t, (x, y, w, h) in enumerate(boxes.astype(int)):
            frame = np.full((48, 64, 3), 60, np.uint8)
            frame[y : y + h, x : x + w] = (200, 120, 30)
            cv2.imwrite(str(root / name / 'img' / f'{t + 1:04d}.png'), frame)
        rows = boxes + [1, 1, 0, 0]
        (root / name / 'groundtruth_rect.txt').write_text('\n'.join(','.join(f'{v:g}' for v in row) for row in rows))
    return sequences.read_sequences('otb', root)


def test_results_and_report_of_a_perfect_tracker(tmp_path):
    found = make_otb(tmp_path / 'data', ['a', 'b'])
    tracker = Perfect(found[0].boxes)
    results = runner.run_one_pass(tracker, found, tmp_path / 'out', {'tracker': 'perfect'})
    assert tracker.started == 3  # once to compile for the one frame size
    for sequence in found:
        np.testing.assert_allclose(results[sequence.name].boxes, sequence.boxes)
        assert results[sequence.name].scores.tolist() == [1, 0.5, 0.5, 0.5, 0.5]
    made = runner.report('otb', found, results)
    assert made['mean']['success'] == pytest.approx(20 / 21) and made['mean']['precision'] == 1
    assert made['interval']['success'] == pytest.approx([20 / 21] * 2)
    assert made['mean']['frames'] == 10 and made['mean']['fps'] > 0
    assert json.loads(json.dumps(made)) == made
    table = runner.format_table(made)
    assert len(table.splitlines()) == 6 and '0.952' in table and '(otb: ' in table


def test_finished_sequences_are_kept_and_nothing_half_written_counts(tmp_path):
    found = make_otb(tmp_path / 'data', ['a', 'b'])
    tracker = Perfect(found[0].boxes)
    runner.run_one_pass(tracker, found[:1], tmp_path / 'out')
    before = (tmp_path / 'out' / 'a.csv').read_bytes()

    class Fails(Perfect):
        def update(self, frame):
            if self.index == 2:
                raise KeyboardInterrupt
            return super().update(frame)

    with pytest.raises(KeyboardInterrupt):
        runner.run_one_pass(Fails(found[0].boxes), found, tmp_path / 'out')
    assert (tmp_path / 'out' / 'a.csv').read_bytes() == before and not (tmp_path / 'out' / 'b.csv').exists()
    started = tracker.started
    results = runner.run_one_pass(tracker, found, tmp_path / 'out')
    assert list(results) == ['a', 'b'] and tracker.started == started + 2  # b, once to compile


def test_scores_are_those_of_the_metrics(tmp_path):
    found = make_otb(tmp_path / 'data', ['a'])
    boxes = found[0].boxes + np.array([3, -2, 4, 1]) * np.arange(5)[:, None] / 4
    results = runner.run_one_pass(Perfect(boxes), found, tmp_path / 'out')
    row = runner.report('otb', found, results)['sequences']['a']
    direct = one_pass.score_sequence(boxes, found[0].boxes)
    assert row['success'] == pytest.approx(direct.success) and 0.4 < row['success'] < 0.9
    assert row['normalized_precision'] == direct.normalized_precision


def test_results_of_two_trackers_never_mix(tmp_path):
    found = make_otb(tmp_path / 'data', ['a'])
    runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out', {'layer': 3})
    with pytest.raises(ValueError, match='another folder'):
        runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out', {'layer': 5})


def test_results_must_fit_the_sequence(tmp_path):
    found = make_otb(tmp_path / 'data', ['a'])
    runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out')
    path = tmp_path / 'out' / 'a.csv'
    path.write_text('\n'.join(path.read_text().splitlines()[:-1]) + '\n')
    with pytest.raises(ValueError, match='expected 5'):
        runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out')


def test_a_sequence_without_a_first_box_is_refused(tmp_path):
    (found,) = make_otb(tmp_path / 'data', ['a'])
    found.boxes[0] = np.nan
    with pytest.raises(ValueError, match="'a': no box in the first frame"):
        runner.run_one_pass(Perfect(found.boxes), [found], tmp_path / 'out')


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Random backbone weights in the project's own form."""
    rng = np.random.default_rng(0)
    shapes = [(11, 11, 3, 4), (5, 5, 2, 4), (3, 3, 4, 4), (3, 3, 2, 4), (3, 3, 2, 4)]
    arrays = {f'conv{i}_w': rng.normal(0, 0.1, shape).astype(np.float32) for i, shape in enumerate(shapes, start=1)}
    arrays |= {f'conv{i}_b': np.zeros(4, np.float32) for i in range(1, 6)}
    path = tmp_path_factory.mktemp('weights') / 'tiny.npz'
    np.savez(path, mean_rgb=np.full(3, 110.0), **arrays)
    return path


@pytest.mark.parametrize('one_tower', [False, True])
def test_bin_evaluate_path(tmp_path, capsys, weights, one_tower):
    make_otb(tmp_path / 'data', ['a', 'b'])
    code = evaluate_command.run(
        'otb',
        str(tmp_path / 'data'),
        str(tmp_path / 'out'),
        'correlation',
        ['b'],
        weights=str(weights),
        layer=3,
        one_tower=one_tower,
    )
    printed = capsys.readouterr().out
    assert code == 0 and printed.startswith('sequence') and '\nb ' in printed
    made = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert list(made['sequences']) == ['b'] and made['sequences']['b']['success'] > 0.5
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'b.csv',
        'b_time.txt',
        'report.json',
        'tracker.json',
    ]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'benchmark': 'nothing'}, 'benchmark'),
        ({'root': 'nowhere'}, 'nowhere'),
        ({'kind': 'nothing'}, 'sctrpn, correlation'),
        ({'kind': 'sctrpn', 'checkpoint': 'nowhere'}, 'nowhere'),
        ({'weights': None}, 'weights'),
        ({'layer': 2}, 'layer'),
        ({'convention': 'skip'}, 'convention'),
        ({'batch': 2}, 'only tracker sctrpn'),
        ({'batch': 2, 'processes': 2}, 'one of them 1'),
        ({'processes': 0}, 'expected 1 or more'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(tmp_path, capsys, weights, change, message):
    make_otb(tmp_path / 'data', ['a'], 2)
    arguments = {
        'benchmark': 'otb',
        'root': str(tmp_path / 'data'),
        'output': str(tmp_path / 'out'),
        'kind': 'correlation',
        'weights': str(weights),
        'layer': 3,
    } | change
    assert evaluate_command.run(**arguments) == 2
    error = capsys.readouterr().err
    assert error.count('\n') == 1 and message in error


def test_processes_share_the_sequences(tmp_path, weights):
    found = make_otb(tmp_path / 'data', ['a', 'b', 'c'], 3)
    settings = {'weights': str(weights), 'layer': 3}
    alone, _ = trackers.make_tracker('correlation', **settings)
    expected = runner.run_one_pass(alone, found, tmp_path / 'alone')
    shared = runner.ProcessTracker(2, 'correlation', settings)
    for name, result in runner.run_one_pass(shared, found, tmp_path / 'shared').items():
        np.testing.assert_array_equal(result.boxes, expected[name].boxes)
    assert runner.run_one_pass(shared, found, tmp_path / 'shared').keys() == expected.keys()  # nothing left to do


def test_untrained_features_track_a_real_sequence(shared, tmp_path):
    """The floor: README of the weights reports 0.719 on Crossing with conv5; here a quarter of its frames."""
    root = shared / 'data' / 'sequences' / 'OTB'
    (crossing,) = sequences.read_sequences('otb', root, ['Crossing'])
    short = sequences.Sequence('Crossing', crossing.frames[:30], crossing.boxes[:30])
    weights = shared / 'weights' / 'alexnet_imagenet.npz'
    tracker, _ = trackers.make_tracker('correlation', weights=str(weights), layer=5, one_tower=True)
    made = runner.report('otb', [short], runner.run_one_pass(tracker, [short], tmp_path))
    assert made['mean']['success'] > 0.6 and made['mean']['precision'] == 1


def test_script_reports_missing_flags():
    repository = pathlib.Path(runner.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, repository / 'bin' / 'evaluate', '--benchmark=otb'],
        capture_output=True,
        text=True,
        env=os.environ | {'PYTHONPATH': str(repository)},
    )
    assert done.returncode == 2 and done.stderr == 'evaluate: give --root, --output (see --help)\n'

"""One-pass runs of small trackers over generated files, and of untrained features over a real sequence."""

import types

import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.evaluation import job
from sctrpn_jax.evaluation.report import environments
from sctrpn_jax.evaluation.results import run_description
from sctrpn_jax.evaluation.run import runner, trackers
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.system import interrupts


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


def test_results_of_a_perfect_tracker(tmp_path, write_otb):
    found = write_otb(tmp_path / 'data', ['a', 'b'])
    tracker = Perfect(found[0].boxes)
    results = runner.run_one_pass(tracker, found, tmp_path / 'out', {'tracker': 'perfect'})
    assert tracker.started == 3  # once to compile for the one frame size
    for sequence in found:
        np.testing.assert_allclose(results[sequence.name].boxes, sequence.boxes)
        assert results[sequence.name].scores.tolist() == [1, 0.5, 0.5, 0.5, 0.5]


def test_the_machine_is_noted_beside_the_results(tmp_path, write_otb):
    found = write_otb(tmp_path / 'data', ['a'])
    runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out', {'tracker': 'perfect', 'seed': 5})
    assert run_description.read(tmp_path / 'out') == {
        'tracker': 'perfect',
        'seed': 5,
        'hardware': [environments.describe_environment().hardware],
    }


def test_finished_sequences_are_kept_and_nothing_half_written_counts(tmp_path, write_otb):
    found = write_otb(tmp_path / 'data', ['a', 'b'])
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


def test_a_signal_at_any_statement_keeps_what_is_finished(tmp_path, write_otb, signal_at):
    found = write_otb(tmp_path / 'data', ['a', 'b'])
    with signal_at(runner) as executed:
        whole = runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'whole')
    for line in sorted(set(executed)):
        out = tmp_path / f'{line}'
        tracker = Perfect(found[0].boxes)
        with signal_at(runner, line, (executed.count(line) + 1) // 2), pytest.raises(interrupts.Interrupted) as raised:
            runner.run_one_pass(tracker, found, out)
        assert raised.value.exit_code == 143 and not list(out.rglob('*.partial')), line
        kept = {path.name: path.read_bytes() for path in out.glob('*.csv')}
        resumed = runner.run_one_pass(tracker, found, out)
        assert kept.items() <= {path.name: path.read_bytes() for path in out.glob('*.csv')}.items()
        for name, result in whole.items():
            np.testing.assert_array_equal(resumed[name].boxes, result.boxes)


def test_results_of_two_trackers_never_mix(tmp_path, write_otb):
    found = write_otb(tmp_path / 'data', ['a'])
    runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out', {'layer': 3})
    with pytest.raises(ValueError, match='another folder'):
        runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out', {'layer': 5})


def test_results_must_fit_the_sequence(tmp_path, write_otb):
    found = write_otb(tmp_path / 'data', ['a'])
    runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out')
    path = tmp_path / 'out' / 'a.csv'
    path.write_text('\n'.join(path.read_text().splitlines()[:-1]) + '\n')
    with pytest.raises(ValueError, match='expected 5'):
        runner.run_one_pass(Perfect(found[0].boxes), found, tmp_path / 'out')


def test_a_sequence_without_a_first_box_is_refused(tmp_path, write_otb):
    (found,) = write_otb(tmp_path / 'data', ['a'])
    found.boxes[0] = np.nan
    with pytest.raises(ValueError, match="'a': no box in the first frame"):
        runner.run_one_pass(Perfect(found.boxes), [found], tmp_path / 'out')


def test_processes_share_the_sequences(tmp_path, weights, write_otb):
    found = write_otb(tmp_path / 'data', ['a', 'b', 'c'], 3)
    settings = job.TrackerSettings('correlation', weights=str(weights), layer=3)
    alone, _ = trackers.make_tracker(settings)
    expected = runner.run_one_pass(alone, found, tmp_path / 'alone')
    shared = runner.ProcessTracker(2, settings)
    for name, result in runner.run_one_pass(shared, found, tmp_path / 'shared').items():
        np.testing.assert_array_equal(result.boxes, expected[name].boxes)
    assert runner.run_one_pass(shared, found, tmp_path / 'shared').keys() == expected.keys()  # nothing left to do


@pytest.mark.all
def test_untrained_features_track_a_real_sequence(shared, tmp_path):
    """The floor: README of the weights reports 0.719 on Crossing with conv5; here a quarter of its frames."""
    root = shared / 'data' / 'sequences' / 'OTB'
    (crossing,) = sequences.read_sequences('otb', root, ['Crossing'])
    short = sequences.Sequence('Crossing', crossing.frames[:30], crossing.boxes[:30])
    weights = shared / 'weights' / 'alexnet_imagenet.npz'
    tracker, _ = trackers.make_tracker(job.TrackerSettings('correlation', weights=str(weights), layer=5))
    tracked = runner.run_one_pass(tracker, [short], tmp_path)['Crossing'].boxes
    assert one_pass.success_auc(tracked, short.boxes) > 0.6 and one_pass.precision(tracked, short.boxes) == 1


@pytest.mark.parametrize('text', ['x', '0.1\n-1\n', 'nan', 'inf', '1' * 9 + ',', '٣x', '\0', '1e999'])
def test_times_that_are_none_are_refused_by_file(tmp_path, text):
    result = runner.Result(np.ones((2, 4)), np.ones(2), np.full(2, 0.5))
    runner.write_result(tmp_path / 'a.csv', result)
    assert runner.read_result(tmp_path / 'a.csv', 2).seconds.tolist() == [0.5, 0.5]
    (tmp_path / 'a_time.txt').write_text(text)
    with pytest.raises(ValueError, match=r'a_time\.txt: .*expected seconds, one number per frame') as raised:
        runner.read_result(tmp_path / 'a.csv', 2)
    assert '\n' not in str(raised.value)
    (tmp_path / 'a_time.txt').write_bytes(b'\xff\xfe')
    with pytest.raises(ValueError, match=r'a_time\.txt: '):
        runner.read_result(tmp_path / 'a.csv', 2)

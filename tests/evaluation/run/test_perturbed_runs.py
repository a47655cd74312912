"""TRE and SRE as runs: the starts, an interruption, scores of known boxes, what is missing or does not go together."""

import json
import types

import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import sequences
from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.run import batched, perturbed_runs, perturbed_starts, runner
from sctrpn_jax.evaluation.score import perturbed_scores
from sctrpn_jax.tracking import tracker

FRAMES = 44
OTB, LASOT = registry.get('otb'), registry.get('lasot')


@pytest.fixture
def clips(tmp_path, write_otb):
    """Two sequences whose target moves; all frames are files."""
    return write_otb(tmp_path / 'data', ['a', 'b'], FRAMES)


class Shifted:
    """Follows any clip exactly, but for a shift of its start against the truth, which stays."""

    def __init__(self, clip, breaks_after=None):
        self.truth, self.left, self.starts = clip.boxes, breaks_after, []

    def init(self, frame, box):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left = None if self.left is None else self.left - 1
        first = int(np.argmin(np.abs(self.truth[:, 0] - box[0])))  # the target moves 2 px a frame
        self.index, self.shift = first, np.asarray(box) - self.truth[first]
        self.starts.append(tuple(box))

    def update(self, frame):
        self.index = min(self.index + 1, len(self.truth) - 1)
        return types.SimpleNamespace(box=self.truth[self.index] + self.shift, score=0.5)


def track(protocol, clips, folder, shifted=None, **settings):
    shifted = shifted or Shifted(clips[0])
    return perturbed_runs.track(protocol, OTB, shifted, clips, folder, {'tracker': 'shifted'}, **settings)


def truth_of(clips):
    return {clip.name: truth_lib.Truth(clip.boxes) for clip in clips}


def test_temporal_runs_follow_to_the_end(tmp_path, clips):
    found = perturbed_runs.starts('tre', OTB, clips[0])
    firsts = perturbed_starts.temporal_starts(clips[0].boxes)
    assert list(found) == [f'{first:05d}' for first in firsts] and len(found) == 20
    for first, run in zip(firsts, found.values(), strict=True):
        assert run.name == f'tre/a/{first:05d}' and run.frames == clips[0].frames[first:]
        np.testing.assert_array_equal(run.boxes, clips[0].boxes[first:])


def test_spatial_runs_start_aside_in_the_first_frame(tmp_path, clips):
    found = perturbed_runs.starts('sre', OTB, clips[0])
    expected = perturbed_starts.spatial_starts(clips[0].boxes[0], (64, 48))
    assert list(found) == list(perturbed_starts.PERTURBATIONS)
    for name, run in found.items():
        assert run.name == f'sre/a/{name}' and run.frames == clips[0].frames
        np.testing.assert_array_equal(run.boxes[0], expected[name])
        np.testing.assert_array_equal(run.boxes[1:], clips[0].boxes[1:])


def test_frames_without_the_target_are_not_started_from(clips):
    visible = np.ones(FRAMES, np.float32)
    visible[:10] = 0
    hidden = sequences.Sequence('a', clips[0].frames, clips[0].boxes, visible=visible)
    more = np.arange(FRAMES) < 12
    starts = {
        'otb': perturbed_runs.starts('tre', OTB, hidden),
        'lasot': perturbed_runs.starts('tre', LASOT, hidden),
        'omitted': perturbed_runs.starts('tre', LASOT, hidden, more),
    }
    assert [min(found) for found in starts.values()] == ['00000', '00010', '00012']


@pytest.mark.parametrize(('protocol', 'runs'), [('tre', 20), ('sre', 12)])
def test_one_file_a_run_and_a_run_that_was_broken_off_goes_on(tmp_path, clips, protocol, runs):
    folder = tmp_path / 'out'
    with pytest.raises(KeyboardInterrupt):
        track(protocol, clips, folder, Shifted(clips[0], breaks_after=8))
    kept = {path: path.read_bytes() for path in folder.glob(f'{protocol}/*/*.csv')}
    assert 0 < len(kept) < 8
    shifted = Shifted(clips[0])
    assert track(protocol, clips, folder, shifted) == 2 * runs
    assert len(list(folder.glob(f'{protocol}/*/*.csv'))) == 2 * runs
    assert len(shifted.starts) == 2 * runs - len(kept) + 1  # one is begun twice, to compile
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert not list(folder.rglob('*.partial'))
    shifted = Shifted(clips[0])
    track(protocol, clips, folder, shifted)
    assert shifted.starts == []


def test_a_batch_gets_the_same_boxes(tmp_path, traced, write_square):
    found = [write_square('a', 24, 96, 128), write_square('b', 22, 96, 128)]
    variables, config = {'threshold': np.uint8(128)}, config_lib.Config()
    runs = perturbed_runs.track('tre', OTB, tracker.Tracker(variables, config), found, tmp_path / 'one', {})
    together = batched.BatchedTracker(variables, config, batch_size=3)
    assert perturbed_runs.track('tre', OTB, together, found, tmp_path / 'many', {}) == runs == 8
    assert together.compilations <= 3
    frames = {'a': 24, 'b': 22}
    one, many = (perturbed_runs.read(tmp_path / name, 'tre', frames) for name in ('one', 'many'))
    assert many.problems == () and {name: len(each) for name, each in many.boxes.items()} == {'a': 5, 'b': 3}
    for name in frames:
        for start, boxes in many.boxes[name].items():
            np.testing.assert_allclose(boxes, one.boxes[name][start], atol=1e-3)


def test_scores_are_those_of_the_runs(tmp_path, clips):
    for protocol in ('tre', 'sre'):
        track(protocol, clips, tmp_path)
    truth, frames = truth_of(clips), {clip.name: FRAMES for clip in clips}
    runs = perturbed_runs.read(tmp_path, 'tre', frames)
    assert runs.problems == () and list(runs.boxes) == ['a', 'b']
    for first, boxes in runs.boxes['a'].items():
        np.testing.assert_allclose(boxes, clips[0].boxes[int(first) :])
    assert perturbed_scores.score_runs('tre', runs, truth)['b'].success == pytest.approx(20 / 21)
    runs = perturbed_runs.read(tmp_path, 'sre', frames)
    starts = perturbed_starts.spatial_starts(clips[0].boxes[0], (64, 48))
    by_hand = {name: clips[0].boxes + (start - clips[0].boxes[0]) for name, start in starts.items()}
    expected = perturbed_scores.score_spatial(by_hand, clips[0].boxes)
    found = perturbed_scores.score_runs('sre', runs, truth)['a']
    assert found.success == pytest.approx(expected.success) and 0.6 < found.success < 0.9
    assert found.precision == 1 and found.frames == 12 * FRAMES


def test_what_is_missing_is_named_and_not_scored(tmp_path, clips):
    track('sre', clips[:1], tmp_path)
    frames = {'a': FRAMES, 'b': FRAMES}
    (tmp_path / 'sre' / 'a' / 'left.csv').unlink()
    runs = perturbed_runs.read(tmp_path, 'sre', frames)
    assert runs.boxes == {} and runs.counts == {'missing': 2}
    assert 'sre/a: 1 of 12 runs have no results' in runs.problems[0]
    assert 'sre/b: no results of this sequence' in runs.problems[1]
    track('sre', clips[:1], tmp_path)
    runs = perturbed_runs.read(tmp_path, 'sre', frames)
    assert list(runs.boxes) == ['a'] and runs.counts == {'missing': 1}
    path = tmp_path / 'sre' / 'a' / 'up.csv'
    path.write_text('\n'.join(path.read_text().splitlines()[:-1]) + '\n')
    runs = perturbed_runs.read(tmp_path, 'sre', frames)
    assert runs.counts == {'file': 1, 'missing': 1} and f'up.csv: got {FRAMES - 1} boxes' in runs.problems[0]
    for content in ('{"first": [1]}', '[1]', '{'):
        (tmp_path / 'sre' / 'a' / 'starts.json').write_text(content)
        assert 'starts.json: expected a JSON object' in perturbed_runs.read(tmp_path, 'sre', frames).problems[0]


def test_a_sequence_that_cannot_be_started_is_named(tmp_path, clips):
    short = sequences.Sequence('short', clips[0].frames[:10], clips[0].boxes[:10])
    with pytest.raises(ValueError, match=r"sequence 'short': temporal starts: got 20 segments of 10 frames"):
        track('tre', [short], tmp_path / 'out')
    outside = sequences.Sequence('outside', clips[0].frames, clips[0].boxes + [500, 0, 0, 0])
    with pytest.raises(ValueError, match=r"sequence 'outside': start left of box .* has no size"):
        track('sre', [outside], tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_other_starts_and_other_trackers_are_refused(tmp_path, clips):
    track('sre', clips[:1], tmp_path)
    moved = sequences.Sequence('a', clips[0].frames, clips[0].boxes + [3, 0, 0, 0])
    with pytest.raises(ValueError, match=r'a/starts\.json: runs with other starts are there'):
        track('sre', [moved], tmp_path)
    with pytest.raises(ValueError, match='another folder'):
        runner.run_one_pass(Shifted(clips[0]), clips, tmp_path, {'tracker': 'another'})
    with pytest.raises(ValueError, match='another folder'):
        perturbed_runs.track('tre', OTB, Shifted(clips[0]), clips, tmp_path, {'tracker': 'another'})
    assert not (tmp_path / 'tre').exists()


def test_the_toolkits_omitted_frames(tmp_path, clips):
    omitted = tmp_path / 'initOmit'
    with pytest.raises(ValueError, match='no folder .*initOmit; expected the initOmit of the OTB toolkit'):
        track('tre', clips, tmp_path / 'out', omitted=omitted)
    omitted.mkdir()
    with pytest.raises(ValueError, match='initOmit: no file is of a sequence that is tracked'):
        track('tre', clips, tmp_path / 'out', omitted=omitted)
    (omitted / 'A.txt').write_text('1 5\n')  # images 1 to 5, which are frames 0 to 4
    (omitted / 'other.txt').write_text('words\n')
    track('tre', clips, tmp_path / 'out', omitted=omitted)
    firsts = [min(json.loads((tmp_path / 'out' / 'tre' / name / 'starts.json').read_text())) for name in 'ab']
    assert firsts == ['00005', '00000']

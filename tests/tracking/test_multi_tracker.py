"""Several targets in one program: the boxes of a tracker for each, whenever they start."""

import copy

import jax
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.kernels import convolution
from sctrpn_jax.tracking import compiled, multi_tracker, tracker

STARTS = {'first': (0, (0, 0)), 'second': (0, (30, 20)), 'late': (4, (-20, 10))}  # frame, shift of the clip's box


def start_box(boxes, name):
    frame, shift = STARTS[name]
    return frame, boxes[frame] + np.array([*shift, 0, 0])


@pytest.fixture(scope='module')
def alone(narrow, clip):
    """Outputs of a `Tracker` for each target: name -> frame -> output."""
    frames, boxes = clip
    live, found = tracker.Tracker(*narrow), {}
    for name in STARTS:
        begin, box = start_box(boxes, name)
        live.init(frames[begin], box)
        found[name] = {t: live.update(frames[t]) for t in range(begin + 1, len(frames))}
    return found


def check(outputs, alone, t):
    assert set(outputs) == {name for name in STARTS if STARTS[name][0] < t}
    for name, output in outputs.items():
        expected = alone[name][t]
        np.testing.assert_allclose(output.box, expected.box, atol=1e-3)
        np.testing.assert_allclose(output.score, expected.score, atol=1e-5)
        assert bool(output.hidden) == bool(expected.hidden)
        np.testing.assert_allclose(output.region, expected.region, atol=1e-3)


def test_the_boxes_are_those_of_a_tracker_for_each_and_a_late_start_compiles_nothing(narrow, clip, alone):
    """Frames outside begin..end are not looked at, so that one length of chunks does for a start between them."""
    frames, boxes = clip
    several = multi_tracker.MultiTracker(*narrow, slots=3)
    several.compile(frames[0], 4)
    programs = compiled.jitted(narrow[1])
    sizes = programs.targets._cache_size(), programs.init._cache_size()
    for name in ('first', 'second'):
        several.start(name, frames[0], start_box(boxes, name)[1])
    found = several.update_many(frames[1:5], 0, 2) + several.update_many(frames[1:5], 2)
    assert STARTS['late'][0] == 4
    several.start('late', frames[4], start_box(boxes, 'late')[1])
    found += several.update_many(frames[5:9])
    assert len(found) == 8
    for t, outputs in enumerate(found, 1):
        check(outputs, alone, t)
    assert several.targets == tuple(STARTS)
    assert (programs.targets._cache_size(), programs.init._cache_size()) == sizes


def test_targets_stop_start_anew_and_find_room(traced):
    """With a stand-in for the network that finds the bright square; a target's size tells which one it is."""
    frames = np.full((4, 60, 80, 3), 20, np.uint8)
    for t in range(4):
        frames[t, 10:20, 10 + 5 * t : 20 + 5 * t] = 220

    def found():
        return {name: output.box.tolist() for name, output in several.update(frames[t]).items()}

    several = multi_tracker.MultiTracker({'threshold': np.uint8(128)}, config_lib.Config())
    t = 0
    assert found() == {}
    several.start('first', frames[0], (40, 40, 30, 10))
    several.start('first', frames[0], (10, 10, 10, 10))  # anew, elsewhere
    assert (several.slots, traced) == (1, {'init': 1, 'step': 0})
    several.start('other', frames[0], (10, 10, 4, 6))
    assert several.slots == 2
    t = 1
    assert found() == {'first': [15, 10, 10, 10], 'other': [18, 12, 4, 6]}
    several.stop('other')
    several.start('another', frames[1], (10, 10, 8, 8))
    t = 2
    assert found() == {'first': [20, 10, 10, 10], 'another': [21, 11, 8, 8]}
    assert several.slots == 2 and several.targets == ('first', 'another')
    assert traced == {'init': 1, 'step': 1}
    with pytest.raises(ValueError, match="no target 'other'"):
        several.stop('other')


def test_bad_input(narrow, clip):
    frames, boxes = clip
    with pytest.raises(ValueError, match='slots: got 0'):
        multi_tracker.MultiTracker(*narrow, slots=0)
    several = multi_tracker.MultiTracker(*narrow, slots=3)
    with pytest.raises(ValueError, match='must be positive'):
        several.start('a', frames[0], (1, 2, 0, 4))
    several.start('a', frames[0], boxes[0])
    for call in (several.update, lambda frame: several.start('b', frame, boxes[0])):
        with pytest.raises(ValueError, match='the first was'):
            call(frames[1][:80])
    with pytest.raises(ValueError, match='uint8'):
        several.update(frames[1].astype(np.float32))


@pytest.mark.all
def test_an_accelerators_program_gives_the_same(narrow, clip, alone, monkeypatch):
    """All targets as one batch, which is what an accelerator runs."""
    monkeypatch.setattr(compiled.convolution, 'on_cpu', lambda: False)
    variables, config = narrow
    config = copy.deepcopy(config)
    config.track.window += 1e-9  # programs of its own
    frames, boxes = clip
    several = multi_tracker.MultiTracker(variables, config, slots=3)
    for t, frame in enumerate(frames[:7]):
        for name, output in several.update(frame).items():
            np.testing.assert_allclose(output.box, alone[name][t].box, atol=1e-2)
        for name in STARTS:
            begin, box = start_box(boxes, name)
            if begin == t:
                several.start(name, frame, box)


@pytest.mark.parametrize('on_cpu', [True, False])
def test_what_rests_keeps_its_state_and_gives_zeros(on_cpu, monkeypatch):
    monkeypatch.setattr(convolution, 'on_cpu', lambda: on_cpu)
    traced = []

    def step(variables, state, frame):
        traced.append(1)
        return state + frame.sum(), {'seen': variables * state}

    states, frames = np.array([1.0, 10.0, 100.0]), np.array([[1.0], [2.0]])
    active = np.array([[True, False, True], [True, True, False]])
    after, output = jax.jit(compiled.over_targets(step))(2.0, states, frames, active)
    np.testing.assert_array_equal(after, [4, 12, 101])
    np.testing.assert_array_equal(output['seen'], [[2, 0, 200], [4, 20, 0]])
    assert len(traced) == 1

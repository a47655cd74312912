"""Sequences tracked together get the boxes that each gets alone; nothing is compiled for one of them."""

import cv2
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import sequences
from sctrpn_jax.evaluation.run import batched
from sctrpn_jax.tracking import compiled, tracker

SHAPE = (256, 512)


@pytest.fixture(scope='module')
def clips(tmp_path_factory, write_clip):
    """Five sequences of two sizes, alike when they are padded, and several lengths, as files."""
    sizes = [(240, 320, 12), (200, 300, 5), (240, 320, 3), (240, 320, 1), (200, 300, 7)]
    return [
        write_clip(tmp_path_factory.mktemp(f'clip{i}'), 50 + i, count, height, width)[1]
        for i, (height, width, count) in enumerate(sizes)
    ]


def track(network, clips, batch_size, chunk=4):
    results = {}
    runner = batched.BatchedTracker(*network, batch_size, chunk)
    runner.track(clips, lambda sequence, *result: results.update({sequence.name: result}))
    return results, runner


def read(sequence):
    return np.stack([cv2.imread(path)[..., ::-1] for path in sequence.frames])


def alone(network, sequence):
    variables, config = network
    frames = read(sequence)
    live = tracker.Tracker(variables, config)
    live.init(frames[0], sequence.boxes[0])
    made = [live.update(frame) for frame in frames[1:]]
    return with_first(sequence, made)


def padded_alone(network, sequence):
    """The same with frames that are padded."""
    live = compiled.CompiledTracker(*network)
    frames, box = read(sequence), sequence.boxes[0].astype(np.float32)
    extent = np.array([frames.shape[2], frames.shape[1]], np.int32)
    state, made = live.init(batched.pad(frames[0], SHAPE), box, extent), []
    for frame in frames[1:]:
        state, output = live.step(state, batched.pad(frame, SHAPE))
        made.append(output)
    return with_first(sequence, made)


def with_first(sequence, outputs):
    boxes = np.stack([sequence.boxes[0], *(output.box for output in outputs)])
    return boxes, np.array([1, *(output.score for output in outputs)])


def test_every_sequence_gets_its_own_boxes(network, clips):
    results, runner = track(network, clips, batch_size=2)
    assert {batched.padded_shape(*read(clip).shape[1:3]) for clip in clips} == {SHAPE} and runner.compilations <= 3
    assert sorted(results) == sorted(clip.name for clip in clips)
    for clip in clips:
        boxes, scores, seconds = results[clip.name]
        plain = read(clip).shape[1:3] == (240, 320)
        expected_boxes, expected_scores = (alone if plain else padded_alone)(network, clip)
        np.testing.assert_allclose(boxes, expected_boxes, atol=0.05)
        np.testing.assert_allclose(scores, expected_scores, atol=1e-3)
        assert len(seconds) == len(clip.frames) and seconds[0] == 0 and (seconds[1:] > 0).all()


def test_a_padded_frame_is_tracked_as_the_plain_one(network, clips):
    (boxes, scores), (expected, expected_scores) = (each(network, clips[0]) for each in (padded_alone, alone))
    np.testing.assert_allclose(boxes, expected, atol=0.05)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-3)
    assert np.ptp(expected[:, 0]) > 1  # the network follows something


@pytest.mark.parametrize('batch_size', [1, 2, 3, 8])
def test_no_program_is_compiled_for_a_sequence(traced, write_square, batch_size):
    sizes = {'a': (9, 96, 128), 'b': (1, 96, 300), 'c': (4, 90, 128), 'd': (14, 96, 300), 'e': (5, 96, 128)}
    sizes |= {'f': (2, 300, 128), 'g': (23, 96, 300), 'h': (3, 120, 100)}
    found = [write_square(name, *size) for name, size in sizes.items()]
    shapes = {batched.padded_shape(height, width) for _, height, width in sizes.values()}
    assert shapes == {(256, 256), (256, 512), (512, 256)}
    results, runner = track(({'threshold': np.uint8(128)}, config_lib.Config()), found, batch_size)
    assert 3 <= runner.compilations <= 3 * len(shapes) and traced == {'init': 3, 'step': 3}
    assert sorted(results) == sorted(sizes)
    for sequence in found:
        boxes, scores, seconds = results[sequence.name]
        np.testing.assert_allclose(boxes, sequence.boxes, atol=1e-3)
        assert scores.shape == seconds.shape == (len(sequence.frames),) and seconds[0] == 0 and (seconds[1:] > 0).all()


def test_frames_that_change_size_are_refused(traced, write_square, tmp_path):
    path = tmp_path / 'other.png'
    cv2.imwrite(str(path), np.zeros((100, 100, 3), np.uint8))
    whole = write_square('whole', 2, 96, 128)
    broken = sequences.Sequence('broken', (whole.frames[0], str(path)), whole.boxes)
    with pytest.raises(ValueError, match=r'other\.png: \(100, 100\) pixels, the first has \(96, 128\)'):
        track(({'threshold': np.uint8(128)}, config_lib.Config()), [broken], 1)

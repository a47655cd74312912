"""Sequences tracked together get the boxes that each gets alone; nothing is compiled for one of them."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated, sequences
from sctrpn_jax.evaluation import batched
from sctrpn_jax.models import sctrpn
from sctrpn_jax.tracking import tracker


@pytest.fixture(scope='module')
def network():
    config = config_lib.Config()
    model = config.model
    model.backbone.widths, model.backbone.groups = (8, 8, 8, 8, 8), (1,) * 5
    model.backbone.norm, model.fem.channels, model.head.channels = 'none', 8, 8
    model.cascade.layers, config.track.proposals = (5,), 16
    crops = jnp.zeros((1, 127, 127, 3)), jnp.zeros((1, 255, 255, 3))
    return sctrpn.SCTRPN(model).init(jax.random.key(0), *crops), config


@pytest.fixture(scope='module')
def clips(tmp_path_factory):
    """Five sequences of two sizes and several lengths, as files."""
    made = []
    for i, (height, width, count) in enumerate(
        [(200, 240, 12), (240, 320, 5), (200, 240, 3), (200, 240, 1), (240, 320, 7)]
    ):
        folder = tmp_path_factory.mktemp(f'clip{i}')
        frames, boxes = generated.make_sequence(50 + i, count, height, width)
        paths = [folder / f'{t}.png' for t in range(count)]
        for path, frame in zip(paths, frames, strict=True):
            cv2.imwrite(str(path), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        made.append(sequences.Sequence(f'clip{i}', tuple(map(str, paths)), boxes.astype(np.float64)))
    return made


def track(network, clips, batch_size, chunk=4):
    results = {}
    runner = batched.BatchedTracker(*network, batch_size, chunk)
    runner.track(clips, lambda sequence, *result: results.update({sequence.name: result}))
    return results, runner


def alone(network, sequence):
    variables, config = network
    frames = np.stack([cv2.imread(path)[..., ::-1] for path in sequence.frames])
    live = tracker.Tracker(variables, config)
    live.init(frames[0], sequence.boxes[0])
    made = [live.update(frame) for frame in frames[1:]]
    boxes = np.stack([sequence.boxes[0], *(output.box for output in made)])
    return boxes, np.array([1, *(output.score for output in made)])


def test_every_sequence_gets_its_own_boxes_and_no_program(network, clips):
    results, runner = track(network, clips, batch_size=2)
    shapes = {batched.padded_shape(*cv2.imread(clip.frames[0]).shape[:2]) for clip in clips}
    assert shapes == {(256, 256), (256, 512)} and runner.compilations <= 3 * len(shapes)
    assert sorted(results) == sorted(clip.name for clip in clips)
    for clip in clips:
        boxes, scores, seconds = results[clip.name]
        expected_boxes, expected_scores = alone(network, clip)
        np.testing.assert_allclose(boxes, expected_boxes, atol=0.05)
        np.testing.assert_allclose(scores, expected_scores, atol=1e-3)
        assert len(seconds) == len(clip.frames) and seconds[0] == 0 and (seconds[1:] > 0).all()


def test_a_padded_frame_is_tracked_as_the_plain_one(network, clips):
    variables, config = network
    functions = tracker.functions(config)
    frames = np.stack([cv2.imread(path)[..., ::-1] for path in clips[0].frames])
    box = clips[0].boxes[0].astype(np.float32)
    padded = np.stack([batched.pad(frame, (256, 256)) for frame in frames])
    extent = np.array([frames.shape[2], frames.shape[1]], np.int32)
    state = functions.init(variables, padded[0], box, extent)
    for frame, expected in zip(padded[1:4], alone(network, clips[0])[0][1:], strict=False):
        state, output = functions.step(variables, state, frame)
        np.testing.assert_allclose(output.box, expected, atol=0.05)


def test_frames_that_change_size_are_refused(network, clips, tmp_path):
    path = tmp_path / 'other.png'
    cv2.imwrite(str(path), np.zeros((100, 100, 3), np.uint8))
    broken = sequences.Sequence('broken', (clips[0].frames[0], str(path)), clips[0].boxes[:2])
    with pytest.raises(ValueError, match=r'other\.png: \(100, 100\) pixels, the first has \(200, 240\)'):
        track(network, [broken], 1)

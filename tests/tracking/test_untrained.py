"""The untrained tracker on a toy feature map, against plain loops and known motion."""

import functools

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.tracking import untrained


def toy_features(crop):
    """The inner blocks of 8 x 8 pixels as channels: 255 -> 23 cells, 127 -> 7."""
    cells = crop.shape[1] // 8 - 8
    margin = (crop.shape[1] - cells * 8) // 2
    inner = crop[:, margin : margin + cells * 8, margin : margin + cells * 8] - 128
    blocks = inner.reshape(crop.shape[0], cells, 8, cells, 8, 3)
    return jnp.moveaxis(blocks, 3, 2).reshape(crop.shape[0], cells, cells, -1)


init_state = jax.jit(functools.partial(untrained.init_state, toy_features))
track_step = jax.jit(functools.partial(untrained.track_step, toy_features), static_argnames='window')


def apply(variables, crop):
    return toy_features(crop) * variables


def noise(height, width, seed):
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3)).astype(np.uint8), (0, 0), 3)


def moving_scene(count):
    """A textured patch over another texture; true boxes [T, 4]."""
    background, patch = noise(240, 320, 0) // 3, noise(40, 56, 1) // 2 + 100
    boxes, frames = [], []
    for t in range(count):
        x, y = 100 + 7 * t, 90 + round(12 * np.sin(t / 2))
        frame = background.copy()
        frame[y : y + 40, x : x + 56] = patch
        frames.append(frame)
        boxes.append([x, y, 56, 40])
    return frames, np.array(boxes, float)


@pytest.mark.parametrize('box', [(100.0, 80.0, 64.0, 40.0), (5.0, 3.0, 30.0, 50.0)])
def test_a_still_scene_stays_within_a_pixel_and_matches_fully(box):
    frame = jnp.asarray(noise(240, 320, 3))
    state = init_state(frame, jnp.asarray(box))
    state, found, score = track_step(state, frame)
    np.testing.assert_allclose(found, box, atol=1)
    assert 0.9 < float(score) < 1.1  # bicubic samples overshoot a little


def test_tracker_follows_a_moving_patch():
    frames, boxes = moving_scene(8)
    tracker = untrained.CorrelationTracker(apply, jnp.ones(()))
    tracker.init(frames[0], boxes[0])
    for frame, box in zip(frames[1:], boxes[1:], strict=True):
        output = tracker.update(frame)
        np.testing.assert_allclose(output.box, box, atol=6)  # a cell; the patch moves 49 pixels
        assert isinstance(output.box, np.ndarray) and output.box.shape == (4,) and output.score.shape == ()
        np.testing.assert_allclose(output.box[2:], box[2:], rtol=1e-6)


def test_tracker_and_the_pure_step_agree():
    frames, boxes = moving_scene(3)
    tracker = untrained.CorrelationTracker(apply, jnp.ones(()))
    tracker.init(frames[0], boxes[0])
    state = init_state(jnp.asarray(frames[0]), jnp.asarray(boxes[0], jnp.float32))
    for frame in frames[1:]:
        output = tracker.update(frame)
        state, box, score = track_step(state, jnp.asarray(frame))
        np.testing.assert_allclose(output.box, box, atol=1e-3)
        assert float(output.score) == pytest.approx(float(score), abs=1e-4)


def test_centre_stays_in_the_frame():
    frames, boxes = moving_scene(1)
    state = init_state(jnp.asarray(frames[0]), jnp.asarray(boxes[0], jnp.float32))
    state = state.replace(centre=jnp.array([310.0, 235.0]))
    for _ in range(3):
        state, box, _ = track_step(state, jnp.asarray(frames[0]), window=0.0)
        x, y = box[:2] + box[2:] / 2
        assert 0 <= x <= 320 and 0 <= y <= 240


def test_bad_calls():
    tracker = untrained.CorrelationTracker(apply, jnp.ones(()))
    frame = np.zeros((60, 80, 3), np.uint8)
    with pytest.raises(ValueError, match='init'):
        tracker.update(frame)
    with pytest.raises(ValueError, match='box'):
        tracker.init(frame, (0, 0, 0, 5))
    with pytest.raises(ValueError, match='frame'):
        tracker.init(frame.astype(np.float32), (0, 0, 5, 5))

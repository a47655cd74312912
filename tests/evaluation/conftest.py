"""A clip with one moving bright square, and a stand-in for the network that finds it exactly."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.tracking import tracker

SIZE = (12, 16)  # of the target (w, h), pixels


def moving_square(count):
    """Frames [T, 96, 128, 3] with one bright square, and its boxes [T, 4]."""
    frames = np.full((count, 96, 128, 3), 20, np.uint8)
    boxes = np.array([[10 + 3 * t, 20 + 2 * t, *SIZE] for t in range(count)], np.float64)
    for frame, (x, y, w, h) in zip(frames, boxes.astype(int), strict=True):
        frame[y : y + h, x : x + w] = 220
    return frames, boxes


@pytest.fixture
def square():
    """Frames [23, 96, 128, 3] and boxes [23, 4]."""
    return moving_square(23)


@pytest.fixture
def clip(tmp_path, square):
    """Folder of 23 images, and boxes [23, 4]."""
    frames, boxes = square
    folder = tmp_path / 'clip'
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{i}.png'), frame)
    return folder, boxes


@pytest.fixture
def traced(monkeypatch):
    """Replaces the network by the centre of the bright pixels; counts what is compiled."""
    counts = {'init': 0, 'step': 0}

    def init(variables, frame, box):
        counts['init'] += 1
        return box.astype(jnp.float32)

    def step(variables, state, frame):
        counts['step'] += 1
        bright = (frame[..., 0] > variables['threshold']).astype(jnp.float32)
        rows, columns = jnp.arange(96.0) + 0.5, jnp.arange(128.0) + 0.5
        centre = jnp.stack([(bright.sum(0) * columns).sum(), (bright.sum(1) * rows).sum()]) / bright.sum()
        box = jnp.concatenate([centre - state[2:] / 2, state[2:]])
        region = jnp.concatenate([state[:2] + state[2:] / 2, jnp.full((1,), 60.0)])
        maps = jnp.tile(bright[:17, :17][None], (3, 1, 1))
        return box, tracker.TrackOutput(box, bright.mean(), maps, None, region)

    def chunk(variables, state, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), state, frames)

    made = tracker.Functions(jax.jit(init), jax.jit(step), jax.jit(chunk), None)
    monkeypatch.setattr(tracker, 'functions', lambda config, details=False: made)
    return counts


@pytest.fixture
def closed_form():
    """Predicted and true boxes [200, 4] of which the toolkits' scores are known."""
    i = np.arange(200)
    truth = np.stack(
        [100 + 40 * np.sin(i / 17), 80 + 30 * np.cos(i / 23), 40 + 8 * np.sin(i / 31), 30 + 6 * np.cos(i / 29)], axis=1
    )
    noise = [6 * np.sin(i / 5), 5 * np.cos(i / 7), 4 * np.sin(i / 11), -3 * np.cos(i / 13)]
    predicted = truth + np.stack(noise, axis=1)
    predicted[150:170, 0] += 60
    truth, predicted = truth.round(), predicted.round(3)
    predicted[0] = truth[0]
    return predicted, truth


@pytest.fixture(scope='session')
def write_otb():
    """write_otb(root, names, count=5): an OTB tree of small clips; gives its sequences."""

    def write(root, names, count=5):
        boxes = np.array([[10 + 2 * t, 12, 16, 14] for t in range(count)], float)
        for name in names:
            (root / name / 'img').mkdir(parents=True)
            for t, (x, y, w, h) in enumerate(boxes.astype(int)):
                frame = np.full((48, 64, 3), 60, np.uint8)
                frame[y : y + h, x : x + w] = (200, 120, 30)
                cv2.imwrite(str(root / name / 'img' / f'{t + 1:04d}.png'), frame)
            rows = boxes + [1, 1, 0, 0]
            (root / name / 'groundtruth_rect.txt').write_text(
                '\n'.join(','.join(f'{v:g}' for v in row) for row in rows)
            )
        return sequences.read_sequences('otb', root)

    return write


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

"""Sequences with one moving bright square, small benchmarks and backbone weights."""

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import sequences

SIZE = (12, 16)  # of the target (w, h), pixels


def moving_square(count, height=96, width=128):
    """Frames [T, H, W, 3] with one bright square, and its boxes [T, 4]."""
    frames = np.full((count, height, width, 3), 20, np.uint8)
    boxes = np.array([[10 + 3 * t, 20 + 2 * t, *SIZE] for t in range(count)], np.float64)
    for frame, (x, y, w, h) in zip(frames, boxes.astype(int), strict=True):
        frame[y : y + h, x : x + w] = 220
    return frames, boxes


@pytest.fixture
def write_square(tmp_path):
    """write_square(name, count, height, width): `moving_square` as a sequence of files."""

    def write(name, count, height, width):
        frames, boxes = moving_square(count, height, width)
        (tmp_path / name).mkdir()
        paths = [str(tmp_path / name / f'{t}.png') for t in range(count)]
        for path, frame in zip(paths, frames, strict=True):
            cv2.imwrite(path, frame)
        return sequences.Sequence(name, tuple(paths), boxes)

    return write


@pytest.fixture
def tree(tmp_path):
    """tree(path, lines): a text file below a new folder; gives that folder."""

    def make(path, lines):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(lines if isinstance(lines, str) else '\n'.join(lines) + '\n')
        return tmp_path

    return make


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
    shapes = [(11, 11, 3, 4), (5, 5, 4, 4), (3, 3, 4, 4), (3, 3, 4, 4), (3, 3, 4, 4)]
    arrays = {f'conv{i}_w': rng.normal(0, 0.1, shape).astype(np.float32) for i, shape in enumerate(shapes, start=1)}
    arrays |= {f'conv{i}_b': np.zeros(4, np.float32) for i in range(1, 6)}
    path = tmp_path_factory.mktemp('weights') / 'tiny.npz'
    np.savez(path, mean_rgb=np.full(3, 110.0), **arrays)
    return path

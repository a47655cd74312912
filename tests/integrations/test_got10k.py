"""The GOT-10k toolkit runs the tracker over an OTB tree and scores it."""

import cv2
import numpy as np
import pytest

pytest.importorskip('got10k', reason='the got10k toolkit is not installed')
from PIL import Image

from sctrpn_jax.integrations import got10k
from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.weights import loading


def test_boxes_are_those_of_the_tracker_in_the_datasets_pixels(tmp_path):
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8), (240, 160))
    frames = [np.roll(scene, 3 * t, axis=1) for t in range(4)]
    paths = [tmp_path / f'{t}.png' for t in range(4)]
    for path, frame in zip(paths, frames, strict=True):
        Image.fromarray(frame).save(path)
    box = np.array([81.0, 61.0, 40.0, 30.0])  # counted from 1
    boxes, times = got10k.Got10kTracker().track([str(path) for path in paths], box)
    expected = tracker_lib.Tracker(*loading.load_network(None))
    expected.init(frames[0], box - [1, 1, 0, 0])
    np.testing.assert_array_equal(boxes[0], box)
    for found, frame in zip(boxes[1:], frames[1:], strict=True):
        np.testing.assert_allclose(found, expected.update(frame).box + [1, 1, 0, 0], atol=1e-4)
    assert len(times) == 4

"""The demo leaves a playable video and a picture, and the shipped network follows the target; its clips are OTB's."""

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import generated, images, sequences
from sctrpn_jax.programs import demo_clip as demo
from sctrpn_jax.weights import pretrained


@pytest.mark.all
def test_demo(tmp_path):
    scores = demo.run(tmp_path, num_frames=20, shown_frame=10)
    assert scores['success_auc'] > 0.4 and scores['precision'] > 0.7
    video = cv2.VideoCapture(str(tmp_path / 'demo.mp4'))
    count = 0
    while video.read()[0]:
        count += 1
    assert count == 20
    _, config = pretrained.load_pretrained()
    track = config.track
    stages = track.stages or len(config.model.cascade.layers)
    shown = cv2.imread(str(tmp_path / 'response_maps.png'))
    assert shown.shape[1] == (stages + 1) * track.search_size + 4 * stages  # the crop and a map per stage, gaps of 4


def test_clips_are_a_benchmark(tmp_path):
    demo.write_clips(tmp_path, 2, num_frames=3, first_seed=7)
    found = sequences.read_sequences('otb', tmp_path)
    assert [sequence.name for sequence in found] == ['clip7', 'clip8']
    for seed, sequence in zip((7, 8), found, strict=True):
        frames, boxes = generated.make_sequence(seed, 3)
        np.testing.assert_allclose(sequence.boxes, boxes, atol=0.006)
        read = images.read_image(sequence.frames[2]).astype(float)
        assert np.abs(read - frames[2]).mean() < 5  # JPEG

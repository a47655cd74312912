"""The demo leaves a playable video and a picture, and the shipped network follows the target."""

import cv2

from sctrpn_jax.evaluation import demo


def test_demo(tmp_path):
    scores = demo.run(tmp_path, num_frames=20, shown_frame=10)
    assert scores['success_auc'] > 0.4 and scores['precision'] > 0.7
    video = cv2.VideoCapture(str(tmp_path / 'demo.mp4'))
    count = 0
    while video.read()[0]:
        count += 1
    assert count == 20
    assert cv2.imread(str(tmp_path / 'response_maps.png')).shape[1] > 700

"""Warped frames against drawn shapes, and responses of trackers whose answer is known."""

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import recall_table, warps
from sctrpn_jax.weights import network_file as weights_file

BOX = np.array([60.0, 50.0, 40.0, 24.0])


def extent(image):
    """xywh of what is brighter than half."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    return [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]


@pytest.mark.parametrize('scale', warps.SCALES)
def test_a_scaled_rectangle_fills_its_box(scale):
    frame = np.zeros((120, 160, 3), np.uint8)
    frame[50:74, 60:100] = 255
    warped, box = warps.warp(frame, BOX, scale=scale)
    np.testing.assert_allclose(box[2:], BOX[2:] * scale)
    np.testing.assert_allclose(extent(warped), box, atol=1.0)


@pytest.mark.parametrize('angle', [-90.0, -30.0, *warps.ANGLES])
def test_a_turned_ellipse_fills_its_box(angle):
    # Drawn four times as large and reduced, so that its edge is known to a quarter of a pixel.
    large = np.zeros((480, 640, 3), np.uint8)
    cv2.ellipse(large, (320, 248), (80, 48), 0, 0, 360, (255, 255, 255), -1)
    frame = cv2.resize(large, (160, 120), interpolation=cv2.INTER_AREA)
    warped, box = warps.warp(frame, BOX, angle=angle)
    np.testing.assert_allclose(extent(warped), box, atol=1.5)
    assert abs(box[:2] + box[2:] / 2 - BOX[:2] - BOX[2:] / 2).max() < 1e-9


def test_anticlockwise_is_positive():
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[48:52, 80:84] = 255  # to the right of the centre goes up
    warped, _ = warps.warp(frame, np.array([40.0, 40, 20, 20]), angle=45.0)
    x, y, *_ = extent(warped)
    assert 65 < x < 75 and 23 < y < 33


class Answers:
    """A proposer whose answer is a function of the true size, as if it measured that with a response."""

    rows = ('best',)

    def __init__(self, response):
        self._response = response

    def init(self, frame, box):
        self._known = np.asarray(box)

    def __call__(self, frame, previous):
        x, y, w, h = extent(frame)
        grown = (np.sqrt(w * h / previous[2:].prod())) ** self._response
        size = previous[2:] * grown
        return {'best': np.concatenate([previous[:2] + previous[2:] / 2 - size / 2, size])[None]}, None, None


@pytest.mark.parametrize('response', [0.0, 0.5, 1.0])
def test_the_response_of_a_known_tracker(tmp_path, response):
    (tmp_path / 'a' / 'img').mkdir(parents=True)
    frame = np.zeros((120, 160, 3), np.uint8)
    frame[40:80, 60:100] = 255
    for t in range(3):
        cv2.imwrite(str(tmp_path / 'a' / 'img' / f'{t + 1:04d}.png'), frame)
    (tmp_path / 'a' / 'groundtruth_rect.txt').write_text('61,41,40,40\n' * 3)
    found = warps.measure(Answers(response), sequences.read_sequences('otb', tmp_path), count=2)['best']
    assert found['frames'] == 2
    assert found['response'] == pytest.approx(response, abs=0.05)
    for scale in warps.SCALES:
        error = scale ** (response - 1)
        assert found['size'][scale] == pytest.approx(error, rel=0.04)
        assert found['scale'][scale] == pytest.approx(min(error, 1 / error) ** 2, abs=0.07)
    text = warps.to_markdown({'best': found})
    assert f'{found["response"]:.2f} |' in text and '-10 degrees' in text


@pytest.mark.all
def test_the_page_of_a_weights_file_holds_what_its_network_finds(tmp_path, network, network_clip):
    """Medians and means over frames, by a plain loop over the proposer's best box."""
    weights_file.write(tmp_path / 'network.npz', *network)
    frames, whole = network_clip
    clip = sequences.Sequence('clip', whole.frames[:3], whole.boxes[:3])
    page = warps.run([str(tmp_path / 'network.npz')], 'otb', [clip], tmp_path / 'warps.md', count=2)
    assert (tmp_path / 'warps.md').read_text() == page and 'network.npz: 2 frames of 1 sequences of otb' in page
    proposer = recall_table.Proposer(*network, most=1)
    proposer.init(frames[0], clip.boxes[0])
    for name in proposer.rows:
        expected = []
        for kind, value in [('scale', value) for value in warps.SCALES] + [('angle', value) for value in warps.ANGLES]:
            overlaps = []
            for t in (0, 2):
                warped, truth = warps.warp(frames[t], clip.boxes[t], **{kind: value})
                overlaps.append(one_pass.overlap(proposer(warped, clip.boxes[t])[0][name][:1], truth[None])[0])
            expected.append(np.mean(overlaps))
        _, row = (line for line in page.splitlines() if line.startswith(f'| {name} |'))
        np.testing.assert_allclose([float(cell) for cell in row.split('|')[2:-1]], expected, atol=6e-4)

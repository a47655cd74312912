"""Played sequences against written-out orders and drawn shapes; trackers whose result is known."""

import types

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.evaluation import job
from sctrpn_jax.evaluation.run import trackers
from sctrpn_jax.studies import parts, stress
from sctrpn_jax.weights import network_file as weights_file


def extent(image):
    """xywh of what is brighter than half."""
    rows, columns = np.nonzero(image[..., 0] > 127)
    return np.array([columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1], np.float64)


@pytest.mark.parametrize(
    'settings, expected',
    [
        ({'passes': 1}, [0, 1, 2, 3]),
        ({}, [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]),
        ({'absent': 2}, [0, 1, 2, 3, 2, -1, -1, 1, 0, 1, 2, 3]),
        ({'absent': 2, 'jump': 1}, [0, 1, 2, 3, 2, -1, -1, 0, 1, 2, 3]),
        ({'absent': 1, 'jump': 9}, [0, 1, 2, 3, 2, -1, 0, 1, 2, 3]),
    ],
)
def test_the_order_of_frames(settings, expected):
    assert stress.Stress(**settings).order(4) == expected


@pytest.mark.parametrize('shift', [(7.4, -3.9), (500.0, 0.0), (-500.0, 500.0)])
def test_a_shaken_rectangle_fills_its_box_and_stays_in_the_frame(shift):
    frame = np.zeros((90, 120, 3), np.uint8)
    box = np.array([50.0, 30, 20, 10])
    frame[30:40, 50:70] = 255
    moved, found = stress.shaken(frame, box, np.array(shift))
    rows, columns = (slice(int(found[i]), int(found[i] + found[i + 2])) for i in (1, 0))
    assert (moved[rows, columns] == 255).all() and moved[rows, columns].shape[:2] == (10, 20)
    expected = np.clip(box[:2] + np.trunc(shift), 0, [100, 80])
    np.testing.assert_array_equal(found, [*expected, 20, 10])


def test_a_box_across_the_border_is_not_pushed_farther_out():
    frame = np.zeros((90, 120, 3), np.uint8)
    _, found = stress.shaken(frame, np.array([-5.0, 30, 20, 10]), np.array([-30.0, 0]))
    np.testing.assert_array_equal(found, [-5, 30, 20, 10])


class Sees:
    """Finds the bright rectangle, or stays on the first box; sure of it where there is one."""

    def __init__(self, finds):
        self._finds = finds

    def init(self, frame, box):
        self._box = np.asarray(box)

    def update(self, frame):
        there = (frame[..., 0] > 127).any()
        return types.SimpleNamespace(box=extent(frame) if self._finds and there else self._box, score=float(there))


@pytest.fixture
def two(tmp_path):
    """A rectangle that moves and grows, eight frames, and eight empty frames whose box is out of view."""
    for name in ('a', 'b'):
        (tmp_path / name / 'img').mkdir(parents=True)
        lines = []
        for t in range(8):
            frame = np.full((96, 128, 3), 10, np.uint8)
            box = (20 + 8 * t, 30, 16 + t, 12 + t)
            if name == 'a':
                frame[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = 250
            cv2.imwrite(str(tmp_path / name / 'img' / f'{t + 1:04d}.png'), frame)
            lines.append(f'{box[0] + 1},{box[1] + 1},{box[2]},{box[3]}\n')
        (tmp_path / name / 'groundtruth_rect.txt').write_text(''.join(lines))
    return sequences.read_sequences('otb', tmp_path)


def test_who_finds_it_holds_it_and_who_stays_does_not(two):
    done = stress.Stress(shake=0.3, absent=3, jump=1)
    # The frames of the absent target are the other sequence's, which are empty: seven places on of two is the other.
    found = {finds: stress.measure(Sees(finds), two[:2], done) for finds in (True, False)}
    played = list(stress.play(two[0], two[1], done))
    assert sum(box is None for _, box in played) == 3 and len(played) == 8 + 7 + 3 - 1 + 7
    for frame, box in played:
        assert box is None or np.array_equal(extent(frame), box)
        assert box is not None or not (frame > 127).any()
    # Of the empty sequence both stay on the first box: half of the mean.
    assert found[True]['first'] > found[False]['first'] and found[True]['held'] > found[False]['held']
    alone = stress.measure(Sees(True), two[:1], stress.Stress())
    assert alone['first'] == alone['last'] > 0.94 and alone['held'] == 1 and alone['drift'] == pytest.approx(0)
    assert np.isnan(alone['roc_auc'])  # never lost, so there is nothing to tell apart


def test_every_and_gray(two):
    frames = [frame for frame, _ in stress.play(two[0], two[1], stress.Stress(passes=1, every=3))]
    np.testing.assert_array_equal(frames[2], cv2.imread(two[0].frames[6])[..., ::-1])
    assert len(frames) == 3
    colour = np.zeros((40, 40, 3), np.uint8)
    colour[..., 0] = 200
    for path in two[0].frames:
        cv2.imwrite(path, colour[..., ::-1])
    frame, _ = next(stress.play(two[0], two[1], stress.Stress(gray=True)))
    assert abs(frame.astype(int) - 0.299 * 200).max() < 1  # ITU-R BT.601


def test_a_part_lies_in_its_object_and_the_camera_follows_the_true_box(tmp_path):
    picture = np.full((240, 320, 3), 20, np.uint8)
    target = np.array([140.0, 100, 40, 24])
    picture[100:124, 140:180] = 250
    for frame, box in parts.film(picture, target, 30, np.random.default_rng(3)):
        np.testing.assert_allclose(extent(frame), box, atol=1.5)  # whole pixels, at a threshold
    assert not np.allclose(box, target, atol=5)  # it has moved
    rng = np.random.default_rng(0)
    for size in ((60.0, 90.0), (20.0, 10.0)):
        found = np.array([parts.part_of(np.array([5.0, 7.0, *size]), rng) for _ in range(200)])
        assert (found[:, :2] >= [5, 7]).all() and (found[:, :2] + found[:, 2:] <= np.add([5, 7], size) + 1e-9).all()
        sides = np.clip(np.multiply.outer([0.4, 0.6], size), 16, size)
        assert (found[:, 2:] >= sides[0] - 1e-9).all() and (found[:, 2:] <= sides[1] + 1e-9).all()


def test_who_keeps_the_part_and_who_takes_the_object(tmp_path):
    picture = np.full((120, 160, 3), 10, np.uint8)
    picture[40:80, 50:110] = 250
    cv2.imwrite(str(tmp_path / 'one.png'), picture)
    there = [sequences.Sequence('one', [str(tmp_path / 'one.png')], np.array([[50.0, 40, 60, 40]]))]
    done = stress.Stress(parts=10)
    played = list(stress.play(there[0], there[0], done))
    assert len(played) == 10 and (played[0][1][2:] < [40, 30]).all()
    kept = stress.measure(types.SimpleNamespace(init=lambda *_: None, update=_Replay(played)), there, done)
    assert min(kept['first'], kept['last']) > 0.94 and kept['drift'] == pytest.approx(0)
    assert stress.measure(Sees(True), there, done)['drift'] > 0.4  # the object's box
    with pytest.raises(ValueError, match='parts: go with gray alone'):
        stress.Stress(parts=10, shake=0.1)


class _Replay:
    """Gives the true boxes of played frames in turn."""

    def __init__(self, played):
        self._boxes = iter([box for _, box in played[1:]])

    def __call__(self, frame):
        return types.SimpleNamespace(box=next(self._boxes), score=1.0)


def test_the_page_of_a_network(tmp_path, network, network_clip):
    weights_file.write(tmp_path / 'network.npz', *network)
    clip = sequences.Sequence('clip', network_clip[1].frames[:3], network_clip[1].boxes[:3])
    tracker, _ = trackers.make_tracker(job.TrackerSettings(checkpoint=str(tmp_path / 'network.npz')))
    page = stress.run({'mine': tracker}, 'otb', [clip], tmp_path / 'page.md', stress.Stress(passes=2))
    assert (tmp_path / 'page.md').read_text() == page and '# 1 sequences of otb: passes 2, shake 0.0' in page
    expected = stress.measure(tracker, [clip], stress.Stress(passes=2))
    assert f'| mine | {expected["first"]:.3f} | {expected["last"]:.3f} |' in page

"""OpenCV's trackers behind the project's interface, on a target that moves over a textured ground."""

import copy
import ctypes
import os

import cv2
import numpy as np
import pytest

from sctrpn_jax.evaluation import job
from sctrpn_jax.evaluation.run import trackers
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.weights import network_file as weights_file


def make(kind, **settings):
    return trackers.make_tracker(job.TrackerSettings(kind, **settings))


@pytest.fixture(scope='module')
def clip():
    rng = np.random.default_rng(0)
    ground = cv2.resize(rng.integers(60, 120, (24, 32, 3), dtype=np.uint8), (160, 120))
    target = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (32, 24), interpolation=cv2.INTER_NEAREST)
    boxes = np.array([[20 + 3 * t, 30 + t, 32, 24] for t in range(16)])
    frames = np.stack([ground] * len(boxes))
    for frame, (x, y, w, h) in zip(frames, boxes, strict=True):
        frame[y : y + h, x : x + w] = target
    return frames, boxes.astype(float)


def follow(tracker, frames, box):
    tracker.init(frames[0], box)
    return [tracker.update(frame) for frame in frames[1:]]


@pytest.fixture
def repeatable():
    """OpenCV's MIL draws its features by C's `rand`, which `cv2.setRNGSeed` does not touch, nor a fresh tracker."""
    if os.name == 'posix':
        ctypes.CDLL(None).srand(1)


@pytest.mark.parametrize('kind', ['mil', 'kcf', 'csrt', 'nano'])
def test_opencv_trackers_follow_the_target(kind, clip, shared, repeatable):
    if kind in ('kcf', 'csrt') and not hasattr(cv2, f'Tracker{kind.upper()}'):
        with pytest.raises(ValueError, match='it comes with opencv-contrib-python'):
            make(kind)
        return
    models = shared / 'peers' / 'nanotrack'
    if kind == 'nano' and not models.is_dir():
        pytest.skip('no NanoTrack model files in the shared folder')
    tracker, description = make(kind, models=str(models) if kind == 'nano' else None)
    assert description == {'tracker': kind, 'opencv': cv2.__version__}
    frames, boxes = clip
    still = one_pass.overlap(boxes[:1], boxes[1:]).mean()
    means = []
    for _ in range(3 if kind == 'mil' else 1):  # MIL jumps between windows, otherwise each time: 0.36 to 0.81
        outputs = follow(tracker, frames, boxes[0])
        assert all(0 <= output.score <= 1 for output in outputs)
        means.append(one_pass.overlap(np.stack([output.box for output in outputs]), boxes[1:]).mean())
    assert np.median(means) > (1.7 if kind == 'mil' else 2.5) * still
    again = follow(tracker, frames[:-3:-1], boxes[-1])  # a second target starts afresh
    assert len(again) == 1 and one_pass.overlap(again[0].box, boxes[-2]) > 0.1


@pytest.mark.skipif(os.name != 'posix', reason='the C library that OpenCV calls is found on POSIX systems')
def test_mil_repeats_itself_by_the_c_librarys_numbers_alone(clip):
    frames, boxes = clip
    library = ctypes.CDLL(None)

    def tracked(seed):
        library.srand(seed)
        return np.stack([output.box for output in follow(make('mil')[0], frames[:6], boxes[0])])

    first = tracked(1)
    np.testing.assert_array_equal(tracked(1), first)
    assert (tracked(2) != first).any()


def test_ours_is_described_with_the_seed_of_its_training(network, tmp_path):
    variables, config = network
    config = copy.deepcopy(config)
    config.seed = 12
    weights_file.write(tmp_path / 'network.npz', variables, config)
    tracker, description = make('sctrpn', checkpoint=str(tmp_path / 'network.npz'))
    assert description == {'tracker': 'sctrpn', 'checkpoint': str(tmp_path / 'network.npz'), 'seed': 12}
    assert tracker.config == config


def test_a_failure_keeps_the_last_box_with_no_score():
    class Fails:
        def init(self, frame, box):
            assert all(isinstance(value, int) for value in box)

        def update(self, frame):
            return False, (0, 0, 0, 0)

    tracker = trackers.OpenCVTracker(Fails)
    frame = np.zeros((40, 50, 3), np.uint8)
    tracker.init(frame, (45.5, 3, 20, 8))
    output = tracker.update(frame)
    assert output.score == 0 and output.box.tolist() == [45.5, 3, 20, 8]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match='nano: give the folder of nanotrack_backbone_sim.onnx and'):
        make('nano', models=str(tmp_path))
    with pytest.raises(ValueError, match="got 'siamfc', accepted are sctrpn, correlation, mil"):
        make('siamfc')
    with pytest.raises(ValueError, match='correlation: give the backbone weights'):
        make('correlation')
    with pytest.raises(ValueError, match=r'update: call init'):
        make('mil')[0].update(np.zeros((9, 9, 3), np.uint8))

"""The GOT-10k toolkit runs the tracker over a small DTB70 and scores it; the same files give the same scores here."""

import cv2
import numpy as np
import pytest
from PIL import Image

from sctrpn_jax.evaluation import evaluate
from sctrpn_jax.evaluation.job import Job
from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.weights import loading

pytestmark = [pytest.mark.all, pytest.mark.filterwarnings('default')]  # the toolkit is of 2019


@pytest.fixture
def root(tmp_path):
    """Two sequences of four frames: a picture that moves by three pixels to the right, or to the left."""
    rng = np.random.default_rng(0)
    for name, step in (('Zebra', 3), ('Girl2', -3)):
        picture = cv2.resize(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8), (240, 160))
        folder = tmp_path / 'DTB70' / name
        (folder / 'img').mkdir(parents=True)
        for t in range(4):
            Image.fromarray(np.roll(picture, step * t, axis=1)).save(folder / 'img' / f'{t + 1:05d}.jpg', quality=95)
        truth = [[81 + step * t, 61, 40, 30] for t in range(4)]  # in files pixels count from 1
        np.savetxt(folder / 'groundtruth_rect.txt', truth, '%d', ',')
    return tmp_path / 'DTB70'


@pytest.mark.usefixtures('packages')
def test_the_toolkit_tracks_and_scores(tmp_path, root, monkeypatch):
    monkeypatch.setenv('MPLBACKEND', 'agg')
    from got10k.experiments import ExperimentDTB70

    from sctrpn_jax.integrations import got10k

    experiment = ExperimentDTB70(str(root), result_dir=str(tmp_path / 'results'), report_dir=str(tmp_path / 'reports'))
    experiment.run(got10k.Got10kTracker())
    theirs = experiment.report(['SCTRPN'])['SCTRPN']

    expected = tracker_lib.Tracker(*loading.load_network(None))
    for name in ('Zebra', 'Girl2'):
        frames = [np.asarray(Image.open(path)) for path in sorted((root / name / 'img').iterdir())]
        box = np.array([80.0, 60, 40, 30])
        expected.init(frames[0], box)
        boxes = np.stack([box, *(expected.update(frame).box for frame in frames[1:])]) + [1, 1, 0, 0]
        written = np.loadtxt(tmp_path / 'results' / 'DTB70' / 'SCTRPN' / f'{name}.txt', delimiter=',')
        np.testing.assert_allclose(written, boxes, atol=2e-3)  # three decimals are written

    ours = evaluate.score(Job('dtb70', str(root), results=str(tmp_path / 'results' / 'DTB70')))
    assert ours.benchmark == 'DTB70, 2 of 70 sequences'
    (tracker,) = ours.trackers
    assert tracker.values['success'].value == pytest.approx(theirs['overall']['success_score'], abs=1e-6)
    assert tracker.values['precision'].value == pytest.approx(theirs['overall']['precision_score'], abs=1e-6)
    assert tracker.values['success'].value > 0.6

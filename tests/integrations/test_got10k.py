"""The GOT-10k toolkit runs the tracker over an OTB tree and scores it."""

import cv2
import numpy as np
import pytest
from PIL import Image

from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.weights import loading

pytestmark = [pytest.mark.all, pytest.mark.filterwarnings('default')]  # the toolkit is of 2019


@pytest.fixture
def scene():
    """Four frames of a picture that moves by three pixels, and the box of a part of it, counted from 0."""
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8), (240, 160))
    return [np.roll(picture, 3 * t, axis=1) for t in range(4)], np.array([80.0, 60.0, 40.0, 30.0])


@pytest.mark.usefixtures('packages')
def test_boxes_are_those_of_the_tracker_in_the_datasets_pixels(tmp_path, scene):
    from got10k import datasets, experiments

    from sctrpn_jax.integrations import got10k

    frames, box = scene
    folder = tmp_path / 'OTB' / 'Deer'
    (folder / 'img').mkdir(parents=True)
    for t, frame in enumerate(frames, 1):
        Image.fromarray(frame).save(folder / 'img' / f'{t:04d}.jpg', quality=95)
    truth = np.stack([box + [3 * t + 1, 1, 0, 0] for t in range(4)])  # in files pixels count from 1
    np.savetxt(folder / 'groundtruth_rect.txt', truth, '%d', ',')

    made = experiments.ExperimentOTB.__new__(experiments.ExperimentOTB)  # its own reads the list of 100, to download
    made.dataset = datasets.OTB.__new__(datasets.OTB)
    made.dataset.seq_names, made.dataset.seq_dirs = ['Deer'], [str(folder)]
    made.dataset.anno_files = [str(folder / 'groundtruth_rect.txt')]
    made.result_dir, made.report_dir, made.nbins_iou, made.nbins_ce = str(tmp_path / 'r'), str(tmp_path / 'p'), 21, 51
    made.run(got10k.Got10kTracker())
    found = np.loadtxt(tmp_path / 'r' / 'SCTRPN' / 'Deer.txt', delimiter=',')

    expected = tracker_lib.Tracker(*loading.load_network(None))
    read = [np.asarray(Image.open(path)) for path in sorted((folder / 'img').iterdir())]
    expected.init(read[0], box)
    boxes = [box, *(expected.update(frame).box for frame in read[1:])]
    np.testing.assert_allclose(found, np.stack(boxes) + [1, 1, 0, 0], atol=1e-2)  # written with three decimals
    overall = made.report(['SCTRPN'], plot_curves=False)['SCTRPN']['overall']
    assert overall['precision_score'] == 1 and overall['success_score'] > 0.6

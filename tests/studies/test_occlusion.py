"""The study of hidden targets: trackers whose result is known, and counts by hand."""

import types

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import crossings
from sctrpn_jax.studies import occlusion


class Knows:
    """Gives the true box of the clip it is shown, and calls hidden what it is told to."""

    def __init__(self, boxes, hidden):
        self._boxes, self._hidden = boxes, hidden

    def init(self, frame, box):
        np.testing.assert_allclose(box, self._boxes[0])
        self._at = 0

    def update(self, frame):
        self._at += 1
        return types.SimpleNamespace(box=self._boxes[self._at], hidden=self._hidden[self._at])


def test_one_that_knows_all_is_perfect():
    clip = crossings.make_crossing(occlusion.FIRST_SEED)
    boxes = clip.boxes.astype(np.float64)
    found = occlusion.follow(Knows(boxes, clip.visible < 0.3), clip.frames, boxes, clip.visible)
    assert occlusion.summary([found]) == {'called': 1.0, 'false': 0.0, 'found again': 1.0, 'overlap': pytest.approx(1)}


def followed(overlap, *rest):
    return occlusion.Followed(np.ones((len(overlap), 4)), overlap, *rest)


def test_shares_by_hand():
    visible = np.array([1, 1, 0.9, 0.5, 0.2, 0.0, 0.4, *[1.0] * 13])
    overlap = np.array([1, 0.8, 0.8, 0.4, 0.2, 0.0, 0.0, 0.0, *[0.9] * 12])
    hidden = np.zeros(20, bool)
    hidden[[0, 2, 3, 5]] = True
    again = followed(overlap, hidden, visible)
    lost = followed(np.where(np.arange(20) > 5, 0.0, overlap), hidden, visible)
    before = followed(np.where(np.arange(20) > 0, 0.0, overlap), hidden, visible)
    assert [each.found_again for each in (again, lost, before)] == [True, False, None]
    # Two frames are hidden, 0.2 and 0.0 visible, and one of them is called so; of 15 in clear view, one.
    made = occlusion.summary([again, lost, before])
    assert made['called'] == 0.5 and made['false'] == pytest.approx(1 / 15) and made['found again'] == 0.5
    # Without visible shares: four frames are lost and one of them is called hidden, 14 are tracked and one is.
    made = occlusion.summary([followed(overlap, hidden)])
    assert made['called'] == pytest.approx(1 / 3) and made['false'] == pytest.approx(1 / 14)
    assert made['found again'] == 1.0
    nothing = occlusion.summary([followed(np.ones(3), np.zeros(3, bool))])
    assert np.isnan(nothing['called']) and np.isnan(nothing['found again']) and nothing['overlap'] == 1.0


def test_trackers_without_a_state_are_never_hidden(tmp_path):
    clip = crossings.make_crossing(occlusion.FIRST_SEED)

    class Still:
        def init(self, frame, box):
            self._box = box

        def update(self, frame):
            return types.SimpleNamespace(box=self._box, score=1.0)

    found = occlusion.follow(Still(), clip.frames, clip.boxes.astype(np.float64), clip.visible)
    assert not found.hidden.any() and occlusion.summary([found])['called'] == 0.0
    page = occlusion.run({'still': Still()}, tmp_path / 'made' / 'page.md', 1, {})
    picture = cv2.imread(str(tmp_path / 'made' / 'page.jpg'))
    assert picture.shape == (240, 6 * 320, 3)
    height, width = clip.frames.shape[1:3]
    shown = clip.frames[crossings.MIDDLE][..., ::-1].astype(int)
    assert np.abs(picture[:, 2 * width : 3 * width].astype(int) - shown).mean() < 8 and height == 240
    assert page == (tmp_path / 'made' / 'page.md').read_text() and '| still | 1 generated crossings | 0.000 |' in page

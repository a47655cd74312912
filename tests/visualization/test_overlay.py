import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.visualization import overlay

SIDE = st.floats(-1e6, 1e6)


def test_box_lies_on_the_border_pixels_of_the_target():
    frame = np.full((100, 120, 3), 90, np.uint8)
    picture = overlay.draw(frame, np.array([30.0, 40.0, 50.0, 20.0]))
    assert (frame == 90).all()
    colored = (picture == overlay.PREDICTION).all(-1)
    for y, x in [(40, 30), (40, 79), (59, 30), (59, 79), (40, 55), (50, 30)]:
        assert colored[y, x]
    assert not colored[45:55, 35:75].any()
    rows, columns = np.nonzero(colored)
    assert (abs(rows.min() - 40), abs(rows.max() - 59), abs(columns.min() - 30), abs(columns.max() - 79)) <= (1,) * 4


def test_truth_is_dashed():
    frame = np.full((100, 120, 3), 90, np.uint8)
    blue = (overlay.draw(frame, None, truth=np.array([20, 30, 80, 40])) == overlay.TRUTH).all(-1)
    top = blue[30, 20:100]
    assert top[0]
    assert 0.3 < top.mean() < 0.8
    assert np.abs(np.diff(top.astype(int))).sum() >= 6


def test_score_changes_only_the_tag():
    frame = np.full((200, 300, 3), 90, np.uint8)
    box = np.array([100, 120, 60, 50])
    low, high = overlay.draw(frame, box, 0.11, label='a'), overlay.draw(frame, box, 0.98, label='a')
    rows, columns = np.nonzero((low != high).any(-1))
    assert len(rows) > 0
    assert rows.max() < 120
    assert columns.min() >= 100


@pytest.mark.parametrize('corner', [(0, 0), (290, 0), (0, 190), (290, 190), (-200, 50)])
def test_tag_stays_within_the_frame(corner):
    frame = np.full((200, 300, 3), 90, np.uint8)
    box = np.array([*corner, 30, 30])
    plain, tagged = overlay.draw(frame, box), overlay.draw(frame, box, 0.5, label='SCTRPN')
    patch = (tagged == overlay.PREDICTION).all(-1) & (plain == 90).all(-1)
    assert patch.sum() > 400


@given(SIDE, SIDE, st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=30)
def test_any_box_can_be_drawn(x, y, w, h):
    frame = np.zeros((30, 40, 3), np.uint8)
    box = np.array([x, y, w, h])
    picture = overlay.draw(frame, box, 0.5, truth=box)
    assert picture.shape == frame.shape


@pytest.mark.parametrize('size', [(4, 4), (12, 9), (3, 30), (60, 40)])
@pytest.mark.parametrize('at', ['top left', 'top right', 'bottom left', 'bottom right', 'middle', 'top', 'left'])
def test_tag_never_covers_a_small_target(size, at):
    frame = np.full((240, 320, 3), 90, np.uint8)
    (w, h), (height, width) = size, frame.shape[:2]
    x = 0 if 'left' in at else width - w if 'right' in at else (width - w) // 2
    y = 0 if 'top' in at else height - h if 'bottom' in at else (height - h) // 2
    picture = overlay.draw(frame, np.array([x, y, w, h]), 0.87, label='a')
    inner = picture[y + 2 : y + h - 2, x + 2 : x + w - 2]
    untagged = overlay.draw(frame, np.array([x, y, w, h]))
    np.testing.assert_array_equal(inner, untagged[y + 2 : y + h - 2, x + 2 : x + w - 2])
    patch = (picture == overlay.PREDICTION).all(-1) & (untagged == 90).all(-1)
    assert patch.sum() > 300


def test_tags_cover_no_other_target_and_no_other_tag():
    frame = np.full((240, 320, 3), 90, np.uint8)
    boxes = [(100, 100, 20, 20), (105, 78, 18, 18), (104, 124, 18, 18), (60, 100, 24, 20)]
    marks = [overlay.Mark(np.array(box), 0.5, str(i), overlay.COLORS[i]) for i, box in enumerate(boxes)]
    picture = overlay.draw_marks(frame, marks)
    bare = overlay.draw_marks(frame, [overlay.Mark(mark.box, color=mark.color) for mark in marks])
    for x, y, w, h in boxes:
        np.testing.assert_array_equal(picture[y : y + h, x : x + w], bare[y : y + h, x : x + w])
    for mark in marks:  # each whole: as large as where it is alone
        alone = overlay.draw_marks(frame, [mark])
        assert (picture == mark.color).all(-1).sum() >= 0.95 * (alone == mark.color).all(-1).sum()


def test_a_target_as_large_as_the_frame_has_its_tag_inside():
    frame = np.full((100, 120, 3), 90, np.uint8)
    box = np.array([0, 0, 120, 100])
    tagged, plain = ((overlay.draw(frame, box, score) == overlay.PREDICTION).all(-1) for score in (0.5, None))
    assert (tagged & ~plain).sum() > 150


def test_absent_target_is_not_drawn():
    frame = np.full((30, 40, 3), 90, np.uint8)
    np.testing.assert_array_equal(overlay.draw(frame, None, 0.5, truth=np.full(4, np.nan)), frame)

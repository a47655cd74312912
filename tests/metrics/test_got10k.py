"""GOT-10k's scores against golden values, the toolkit where it is installed, and plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.metrics import got10k

SIZE = (320, 240)


def one_pair(predicted, truth, convention, size=SIZE):
    rows = [np.array([[0, 0, 1, 1], each], float) for each in (predicted, truth)]
    return got10k.frame_overlaps(*rows, size, convention=convention, origin=0)[0]


@pytest.mark.parametrize('convention', got10k.CONVENTIONS)
@pytest.mark.parametrize('origin', [0, 1])
def test_golden_values(closed_form, convention, origin):
    predicted, truth = (each - [origin, origin, 0, 0] for each in closed_form)
    scores = got10k.scores([got10k.frame_overlaps(predicted, truth, SIZE, convention=convention, origin=origin)])
    np.testing.assert_allclose((scores.ao, scores.sr50, scores.sr75), (0.605121, 0.899497, 0.165829), atol=6e-7)
    assert scores.frames == 199 and scores.curve[50] == pytest.approx(scores.sr50)


def test_the_toolkits_clipping_keeps_the_size():
    outside, inside = [-10, -10, 40, 40], [0, 0, 30, 30]
    assert one_pair(outside, inside, 'got10k') == pytest.approx(0.5625)
    assert one_pair(outside, inside, 'clipped') == 1
    assert one_pair(outside, inside, 'unclipped') == pytest.approx(900 / 1600)
    assert one_pair([300, 0, 40, 40], [300, 0, 20, 40], 'got10k') == 1  # right and bottom are cut


def clipped_area(box, width, height):
    """Corners of the part inside the image, pixel borders."""
    x, y, w, h = box
    return max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)


numbers = st.integers(-30, 60)
box = st.tuples(numbers, numbers, st.integers(1, 60), st.integers(1, 60))


@given(st.lists(st.tuples(box, box, st.sampled_from([0.0, 0.5, 1.0, np.nan])), min_size=1, max_size=8))
@settings(max_examples=60)
def test_clipped_against_a_count_of_pixels(frames):
    width, height = 40, 32
    predicted, truth = (np.array([frame[k] for frame in frames], float) for k in (0, 1))
    visible = np.array([frame[2] for frame in frames])
    expected = []
    for p, g, share in list(zip(predicted, truth, visible, strict=True))[1:]:
        if share == 0:
            continue
        masks = []
        for each in (p, g):
            mask = np.zeros((height, width), bool)
            left, top, right, bottom = (int(v) for v in clipped_area(each, width, height))
            if right > left and bottom > top:
                mask[top:bottom, left:right] = True
            masks.append(mask)
        union = (masks[0] | masks[1]).sum()
        expected.append((masks[0] & masks[1]).sum() / union if union else 0)
    found = got10k.frame_overlaps(predicted, truth, (width, height), visible, 'clipped')
    np.testing.assert_allclose(found, expected, atol=1e-12)
    scores = got10k.scores([found])
    assert scores.frames == len(expected)
    if expected:
        assert scores.ao == pytest.approx(np.mean(expected))
        np.testing.assert_allclose(scores.curve, [np.mean(np.array(expected) > k) for k in np.linspace(0, 1, 101)])


# In parts of a pixel: the toolkit adds 2e-16 to a union, which shows in areas that no image has.
places, sides = (st.integers(low * 64, 400 * 64).map(lambda parts: parts / 64) for low in (-50, 0))
any_box = st.tuples(places, places, sides, sides)


@given(st.lists(st.tuples(any_box, any_box), min_size=2, max_size=8))
@settings(max_examples=60)
def test_the_toolkits_rule_step_by_step(pairs):
    predicted, truth = np.array(pairs).transpose(1, 0, 2)
    expected = []
    for pair in list(zip(predicted, truth, strict=True))[1:]:
        (x, y, w, h), (u, v, s, r) = (
            (min(max(b[0], 0), 320), min(max(b[1], 0), 240), *b[2:]) for b in np.array(pair).tolist()
        )
        w, h, s, r = min(w, 320 - x), min(h, 240 - y), min(s, 320 - u), min(r, 240 - v)
        inter = max(min(x + w, u + s) - max(x, u), 0) * max(min(y + h, v + r) - max(y, v), 0)
        expected.append(inter / (w * h + s * r - inter + np.finfo(float).eps))
    found = got10k.frame_overlaps(predicted, truth, SIZE, origin=0)
    np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=1e-6)


@given(st.lists(st.tuples(any_box, any_box), min_size=2, max_size=8))
@settings(max_examples=30)
def test_against_the_toolkit_itself(pairs):
    metrics = pytest.importorskip('got10k.utils.metrics')
    predicted, truth = np.array(pairs).transpose(1, 0, 2)
    theirs = metrics.rect_iou(predicted[1:].copy(), truth[1:].copy(), bound=SIZE)
    np.testing.assert_allclose(got10k.frame_overlaps(predicted, truth, SIZE, origin=0), theirs, atol=1e-6)


def test_frames_of_all_sequences_are_one_mean():
    scores = got10k.scores([np.array([1.0]), np.array([0.0, 0.5, 0.8])])
    assert scores.ao == pytest.approx(2.3 / 4) and scores.sr50 == 0.5 and scores.sr75 == 0.5 and scores.frames == 4
    assert np.isnan(got10k.scores([]).ao) and got10k.scores([]).frames == 0


def test_a_broken_box_overlaps_nothing_and_a_frame_without_truth_is_left_out():
    truth = np.tile([10.0, 10, 20, 20], (4, 1))
    predicted = truth.copy()
    predicted[1], truth[3] = np.nan, np.nan
    assert got10k.frame_overlaps(predicted, truth, SIZE).tolist() == [0, 1]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((np.ones((2, 4)), np.ones((3, 4)), SIZE), 'two of the shape'),
        ((np.ones((2, 4)), np.ones((2, 4)), SIZE, np.ones(3)), 'visible'),
        ((np.ones((2, 4)), np.ones((2, 4)), SIZE, None, 'otb'), 'got10k, clipped, unclipped'),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        got10k.frame_overlaps(*arguments)

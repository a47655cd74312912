"""Generated sequences: the same from any side, smooth, and boxes that hold what was drawn."""

import dataclasses

import numpy as np
import pytest

from sctrpn_jax.data import generated


def test_a_frame_is_the_same_whatever_was_drawn_before():
    frames, boxes = generated.make_sequence(3, 4)
    assert frames.shape == (4, 240, 320, 3) and frames.dtype == np.uint8
    assert boxes.shape == (4, 4) and boxes.dtype == np.float32
    generated.make_scene.cache_clear()
    for t in (2, 0):
        frame, box = generated.render_frame(3, t)
        np.testing.assert_array_equal(frame, frames[t])
        np.testing.assert_array_equal(box, boxes[t])
    assert not np.array_equal(generated.render_frame(4, 0)[0], frames[0])


@pytest.mark.parametrize('seed', range(6))
def test_the_box_holds_just_the_pixels_that_the_target_changes(seed):
    scene = generated.make_scene(seed)
    *others, target = scene.sprites
    # Painted in two flat colours, the target is where the two frames differ.
    shots = [
        dataclasses.replace(
            scene,
            sprites=(*others, dataclasses.replace(target, texture=np.full_like(target.texture, value))),
            light=generated.Path(np.array([1.0, 0.0]), *[np.zeros((1, 2))] * 3),
            grain=np.zeros_like(scene.grain),
        )
        for value in (0, 255)
    ]
    for t in (0, 37, 90):
        changed = np.abs(shots[1].draw(t)[0].astype(int) - shots[0].draw(t)[0]).max(-1) >= 128
        columns, rows = np.flatnonzero(changed.any(0)), np.flatnonzero(changed.any(1))
        expected = [columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]]
        np.testing.assert_array_equal(generated.render_frame(seed, t)[1], expected)


@pytest.mark.parametrize('seed', range(8))
def test_motion_is_smooth_and_the_target_stays_inside(seed):
    scene = generated.make_scene(seed)
    boxes = np.stack([generated.box_of(scene.draw(t)[1]) for t in range(0, 60)])
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    step = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    assert 0.05 < step.mean() and step.max() < 12
    side = np.sqrt(boxes[:, 2] * boxes[:, 3])
    assert side.min() > 12 and side.max() < 80 * 1.6
    assert np.abs(np.diff(np.log(side))).max() < 0.25
    assert (
        (boxes[:, :2] >= 0).all()
        and (boxes[:, 0] + boxes[:, 2] <= 320).all()
        and (boxes[:, 1] + boxes[:, 3] <= 240).all()
    )


def test_size_of_the_frame_and_its_limits():
    frames, boxes = generated.make_sequence(1, 2, height=100, width=90, min_side=10, max_side=30)
    assert frames.shape == (2, 100, 90, 3) and (boxes[:, 2:] > 4).all()
    with pytest.raises(ValueError, match=r'expected 4 <= min_side < max_side <= 45'):
        generated.make_sequence(1, 2, height=100, width=90, min_side=10, max_side=60)


def test_a_box_of_nothing_is_zeros():
    np.testing.assert_array_equal(generated.box_of(np.full((4, 5), 127, np.uint8)), np.zeros(4))


def test_the_source_gives_a_track_a_seed():
    source = generated.GeneratedSource(seed=2, num_tracks=10, num_frames=5, stride=3)
    assert source.starts.tolist() == list(range(0, 51, 5)) and source.frame[15:20].tolist() == [0, 3, 6, 9, 12]
    assert len(set(source.image.tolist())) == 50
    image, box = source.read(3 * 5 + 4)
    frame, expected = generated.render_frame(23, 12)
    np.testing.assert_array_equal(image, frame)
    np.testing.assert_array_equal(box, expected)

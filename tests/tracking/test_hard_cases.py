"""The shipped lite network where a target cannot be followed: finite boxes, and a state that says what is believed."""

import dataclasses

import numpy as np
import pytest

from sctrpn_jax.data import generated, images, sequences
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import tracker
from sctrpn_jax.weights import pretrained

pytestmark = pytest.mark.all
SEED, FRAMES = 204, 16


@pytest.fixture(scope='module')
def track():
    """A function of frames and box; whatever it is given, boxes are finite and inside reason."""
    variables, config = pretrained.load_pretrained()
    made = tracker.Tracker(variables, config)

    def follow(frames, box):
        made.init(frames[0], box)
        found = [made.update(frame) for frame in frames[1:]]
        boxes = np.array([each.box for each in found]).reshape(-1, 4)
        assert np.isfinite(boxes).all() and (boxes[:, 2:] > 0).all()
        assert all(0 <= each.score <= 1 for each in found)
        return boxes, np.array([each.hidden for each in found])

    return follow


@pytest.fixture(scope='module')
def scene():
    return generated.make_scene(SEED)


def frames_of(scene, count=FRAMES):
    return [scene.draw(t)[0] for t in range(count)]


def test_a_target_that_is_gone_from_the_second_frame_on_is_called_hidden(track, scene):
    empty = dataclasses.replace(scene, sprites=scene.sprites[:1])
    frames = [*frames_of(scene, 1), *frames_of(empty)[1:]]
    box = generated.render_frame(SEED, 0)[1]
    boxes, hidden = track(frames, box)
    assert hidden.mean() > 0.8
    assert np.abs(boxes[hidden][:, 2:] / box[2:] - 1).max() < 0.1  # its size is kept


def test_twins(track, scene):
    """An exact copy stands a size and a half beside the target and moves as it does."""
    target = scene.sprites[-1]
    box = generated.render_frame(SEED, 0)[1]
    beside = dataclasses.replace(target.place, centre=target.place.centre + [1.5 * box[2], 0])
    twins = dataclasses.replace(scene, sprites=(*scene.sprites[:-1], dataclasses.replace(target, place=beside), target))
    truth = np.stack([generated.box_of(twins.draw(t)[1]) for t in range(FRAMES)]).astype(np.float64)
    boxes, hidden = track(frames_of(twins), box)
    other = truth + [1.5 * box[2], 0, 0, 0]
    assert np.maximum(*(one_pass.overlap(boxes, each[1:]) for each in (truth, other))).min() > 0.3
    # A twin that hides nothing changes neither the boxes nor what is believed.
    alone, hidden_alone = track(frames_of(scene), box)
    assert one_pass.overlap(boxes, alone).min() > 0.8 and (hidden == hidden_alone).all()


def test_a_frame_shown_again_and_again_keeps_the_box(track, scene):
    box = generated.render_frame(SEED, 0)[1]
    boxes, hidden = track(frames_of(scene, 1) * FRAMES, box)
    assert one_pass.overlap(boxes, np.tile(box.astype(np.float64), (len(boxes), 1))).min() > 0.8 and not hidden.any()


def test_a_video_of_one_frame(track, scene):
    boxes, hidden = track(frames_of(scene, 1), generated.render_frame(SEED, 0)[1])
    assert len(boxes) == len(hidden) == 0


def test_a_first_box_that_is_half_covered(track, shared):
    found = sequences.read_sequences('otb', shared / 'data' / 'sequences' / 'CROWDED', ['TUD-Stadtmitte-3'])[0]
    boxes, _ = track([images.read_image(path) for path in found.frames[:30]], found.boxes[0])
    assert (boxes[:, 2:] < 4 * found.boxes[0][2:]).all()

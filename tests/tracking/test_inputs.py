"""Boxes and frames that a tracker is given: what cannot work is one line, and what is accepted gives finite boxes."""

import jax
import numpy as np
import pytest

from sctrpn_jax.tracking import inputs, tracker

BAD = {
    'a point': (10, 10, 1e-30, 1e-30),
    'a line': (10, 10, 20, 1e-3),
    'larger than any image': (-1e30, -1e30, 2e30, 2e30),
    'beyond single precision': (10, 10, 1e300, 5),
    'beyond double precision': (10, 10, 10**400, 5),
    'a side of a million': (0, 0, 1.5e6, 20),
    'far away': (-2e6, 10, 1e6 + 20, 20),
    'no number': (10, 10, float('nan'), 5),
    'infinite': (10, 10, float('inf'), 5),
    'negative': (10, 10, -5, 5),
    'nothing': (10, 10, 0, 5),
    'text': ('a', 10, 5, 5),
    'three': (10, 10, 5),
    'none': None,
    'outside': (320, 10, 5, 5),
}


@pytest.mark.parametrize('box', BAD.values(), ids=BAD)
def test_a_box_that_cannot_be_is_one_line(box):
    with pytest.raises(ValueError, match='^box: ') as raised:
        inputs.check_box(box, 320, 240)
    assert '\n' not in str(raised.value) and len(str(raised.value)) < 300


EXTREME = [(10, 10, 0.1, 0.1), (0, 0, 1e6, 1e6), (-9e5, -9e5, 1e6, 1e6), (100, 100, 1e6, 0.1), (319.9, 239.9, 9, 9)]


@pytest.mark.parametrize('box', EXTREME)
def test_a_box_that_is_accepted_gives_finite_boxes(network, network_clip, box):
    frames, _ = network_clip
    live = tracker.Tracker(*network)
    live.init(frames[0], box)
    for frame in frames[1:4]:
        output = jax.device_get(live.update(frame))
        assert np.isfinite(output.box).all() and (np.asarray(output.box)[2:] > 0).all() and np.isfinite(output.score)

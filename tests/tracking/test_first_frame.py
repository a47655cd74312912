"""`track.first_frame`: the bias measured in the first frame against a loop over single steps, and how it is used."""

import copy

import numpy as np
import pytest

from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import compiled

# Shift in target sizes, expected size over true size.
VIEWS = [(0, 0, 1), (-0.2, -0.2, 1.1), (0.2, 0.2, 1.1), (-0.2, 0.2, 0.91), (0.2, -0.2, 0.91)]


@pytest.fixture
def config(narrow):
    config = copy.deepcopy(narrow[1])
    config.track.voting, config.track.first_frame.correction = False, 0.75
    return config


@pytest.fixture
def plain(narrow, config):
    """Programs without the correction, with the proposals."""
    config = copy.deepcopy(config)
    config.track.first_frame.correction = 0.0
    return compiled.CompiledTracker(narrow[0], config, details=True)


def best_in_frame(output, search_size):
    """Centre [2] and size [2] of the best proposal, frame pixels."""
    x, y, side = np.asarray(output.region, np.float64)
    best = np.asarray(output.proposals.boxes[0], np.float64)
    return [x, y] + (best[:2] - search_size / 2) * side / search_size, best[2:] * side / search_size


@pytest.mark.parametrize('box', [(60, 50, 40, 30), (40, 30, 90, 60), (20, 80, 160, 2)])
def test_the_bias_is_the_mean_error_of_single_steps(narrow, clip, config, plain, box):
    variables, frame, box = narrow[0], clip[0][0], np.array(box, np.float32)
    middle, size = box[:2] + box[2:] / 2, box[2:]
    errors = []
    for dx, dy, zoom in VIEWS:
        state = plain.init(frame, box)
        state = state.replace(centre=middle + np.float32([dx, dy]) * size, size=size * np.float32(zoom))
        found, extent = best_in_frame(plain.step(state, frame)[1], config.track.search_size)
        overlap = one_pass.overlap(np.array([[*found - extent / 2, *extent]]), box[None].astype(np.float64))[0]
        if overlap > 0.3:
            errors.append([*(found - middle) / size, *np.log(extent / size)])
    assert bool(errors) == (box[3] > 2)  # no proposal fits the thin one
    expected = np.clip(0.75 * np.mean(errors, axis=0), -0.5, 0.5) if errors else np.zeros(4)
    np.testing.assert_allclose(compiled.CompiledTracker(variables, config).init(frame, box).bias, expected, atol=2e-3)


def test_the_bias_is_taken_off_the_box_before_the_size_is_interpolated(clip, config, plain):
    frames, boxes = clip
    bias = np.array([0.1, -0.2, 0.3, -0.4], np.float32)
    state = plain.init(frames[0], boxes[0]).replace(bias=bias)
    _, output = plain.step(state, frames[1])
    middle, extent = best_in_frame(output, config.track.search_size)
    extent = extent / np.exp(bias[2:])
    rate = float(output.proposals.rate[0]) * config.track.size_rate
    size = boxes[0][2:] * (1 - rate) + extent * rate
    middle = middle - bias[:2] * extent
    np.testing.assert_allclose(output.box, [*middle - size / 2, *size], rtol=1e-3, atol=1e-2)

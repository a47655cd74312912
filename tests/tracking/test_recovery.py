"""The hidden state: when a target counts as hidden, what is kept then, and where it is looked for."""

import copy

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.tracking import compiled, first_frame, recovery, tracker


def test_a_lost_target_keeps_its_place_and_size(narrow, clip):
    variables, config = narrow
    config = copy.deepcopy(config)
    config.track.recovery.score = 1.0
    frames, boxes = clip
    found = tracker.track_sequence(variables, frames[:4], boxes[0], config)
    expected = np.concatenate([boxes[0, :2] + boxes[0, 2:] / 2, found.region[:1, 2]])
    np.testing.assert_allclose(found.region, np.tile(expected, (3, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.box, np.tile(boxes[0], (4, 1)), rtol=1e-5)
    assert found.hidden.tolist() == [False, True, True, True]


def test_a_target_is_hidden_when_its_evidence_falls_far_below_what_is_usual_for_it(narrow, clip):
    variables, config = narrow
    config = copy.deepcopy(config)
    config.track.recovery.score = 1e-6
    frames, boxes = clip
    programs = compiled.CompiledTracker(variables, config)
    first = programs.init(frames[0], boxes[0])
    usual, first_centre = float(first.usual), np.asarray(first.centre)
    plain = copy.deepcopy(config)
    plain.track.recovery.score = 0.0
    _, output = compiled.CompiledTracker(variables, plain).step(jax.tree.map(jnp.copy, first), frames[1])
    score = float(output.score)
    for times, hidden in ((0.97, False), (1.03, True)):
        state = first.replace(usual=jnp.float32(times * score / recovery.SHARE))
        after, output = programs.step(jax.tree.map(jnp.copy, state), frames[1])
        assert bool(output.hidden) == bool(after.hidden) == hidden
        # The size stays, the place goes on.
        assert (np.asarray(after.size) == boxes[0][2:]).all() == hidden
        assert (np.asarray(after.centre) != first_centre).any()
        np.testing.assert_allclose(after.usual, state.usual + recovery.RATE * (score - state.usual), rtol=1e-5)
        np.testing.assert_allclose(output.score, (score * float(after.usual)) ** 0.5, rtol=1e-5)
    # In the first frame, where the target is known to be there, it is the mean over the views.
    plain.track.first_frame.correction = 0.0
    still = compiled.CompiledTracker(variables, plain)
    scores = []
    for dx, dy, zoom in first_frame.VIEWS:
        state = still.init(frames[0], boxes[0])
        state = state.replace(
            centre=state.centre + np.float32([dx, dy]) * state.size, size=state.size * np.float32(zoom)
        )
        scores.append(float(still.step(state, frames[0])[1].score))
    np.testing.assert_allclose(usual, np.mean(scores), atol=1e-4)


def test_a_lost_target_is_looked_for_farther_away_at_the_same_scale(narrow, clip):
    """As the tracker with the larger crop would in that frame; maps and proposals in the smaller one's coordinates."""
    variables, config = narrow
    config, wide = copy.deepcopy(config), copy.deepcopy(config)
    config.track.search_size, config.track.recovery.search_size, wide.track.search_size = 159, 191, 191
    frames, boxes = clip
    programs, wider = (compiled.CompiledTracker(variables, c, True) for c in (config, wide))
    state = programs.init(frames[0], boxes[0])
    assert not state.hidden
    # The contours of the first frame are counted on crops of the same scale: the first look's target is the same.
    _, expected = wider.step(jax.tree.map(jnp.copy, state), frames[6])
    _, near = programs.step(jax.tree.map(jnp.copy, state), frames[6])
    after, found = programs.step(state.replace(hidden=jnp.asarray(True)), frames[6])
    assert not after.hidden
    np.testing.assert_allclose(found.box, expected.box, atol=1e-3)
    np.testing.assert_allclose(found.score, expected.score, atol=1e-5)
    np.testing.assert_allclose(found.response_maps, expected.response_maps[:, 2:-2, 2:-2], atol=1e-5)
    np.testing.assert_allclose(found.proposals.boxes[:, :2], expected.proposals.boxes[:, :2] - 16, atol=1e-3)
    np.testing.assert_allclose(found.proposals.boxes[:, 2:], expected.proposals.boxes[:, 2:], atol=1e-3)
    np.testing.assert_allclose(found.region, near.region)
    assert found.response_maps.shape == near.response_maps.shape

"""The correlation filter against dense linear algebra, plain loops and SciPy, and in the tracker's step."""

import copy
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from sctrpn_jax.tracking import compiled, correlation_filter, look


def maps(cells, channels, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (cells, cells, channels)).astype(np.float32)


def windowed(features):
    """The map as the filter takes it, in double precision."""
    hann = np.hanning(features.shape[0] + 2)[1:-1]
    scaled = features / np.sqrt(np.square(features, dtype=np.float64).mean() + 1e-6)
    return (scaled * np.outer(hann, hann)[..., None]).transpose(2, 0, 1)


def response_by_loops(taps, sample):
    """[n, n] sum over channels and cells of taps times the sample moved by (row, column), the middle of no move."""
    n = taps.shape[1]
    found = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            moved = np.roll(sample, (-(i - n // 2), -(j - n // 2)), axis=(1, 2))
            found[i, j] = (taps * moved).sum()
    return found


def test_the_taps_converge_to_the_ridge_regression_within_the_area(monkeypatch):
    cells, channels, size = 9, 2, np.float32([12, 20])
    monkeypatch.setattr(correlation_filter, 'GROWTH', 1.0)
    monkeypatch.setattr(correlation_filter, 'ROUNDS', 400)
    monkeypatch.setattr(correlation_filter, 'RIDGE', 5.0)
    monkeypatch.setattr(correlation_filter, 'PENALTY', 0.05)
    features = maps(cells, channels)
    taps = np.asarray(
        correlation_filter.learn(jnp.asarray(features), jnp.asarray(size)).taps
    )  # not compiled: many rounds
    # Sizes of 3 and 5 cells, half as much again: taps in 5 and 7 cells (4.5 and 7.5, cut to the map's 7).
    inside = np.zeros((cells, cells), bool)
    inside[1:8, 2:7] = True
    assert (taps[:, ~inside] == 0).all() and (taps[:, inside] != 0).all()
    # One row for each move, one column for each tap inside.
    sample = windowed(features)
    rows, wanted = [], []
    width = np.sqrt(3 * 5) / 16
    for i in range(-4, 5):
        for j in range(-4, 5):
            rows.append(np.roll(sample, (-i, -j), axis=(1, 2))[:, inside].reshape(-1))
            wanted.append(np.exp(-0.5 * (i * i + j * j) / width**2))
    rows, wanted = np.array(rows), np.array(wanted)
    expected = np.linalg.solve(rows.T @ rows + 5.0 * np.eye(rows.shape[1]), rows.T @ wanted)
    # At the area's border, where cells count half, the limit is the mask's, not the regression's.
    whole = np.zeros_like(inside)
    whole[2:7, 3:6] = True
    found = taps[:, inside].reshape(-1)
    fit = [np.square(rows @ each - wanted).sum() + 5.0 * np.square(each).sum() for each in (found, expected)]
    assert fit[1] <= fit[0] < 1.05 * fit[1]
    assert np.corrcoef(found, expected)[0, 1] > 0.97


def test_the_response_is_the_sum_that_loops_give_and_peaks_on_the_target():
    features, size = maps(11, 3), np.float32([16, 16])
    known = jax.jit(correlation_filter.learn)(features, size)
    response = np.asarray(correlation_filter.respond(known, correlation_filter.transform(features)))
    np.testing.assert_allclose(response, response_by_loops(np.asarray(known.taps), windowed(features)), atol=2e-5)
    assert np.unravel_index(response.argmax(), response.shape) == (5, 5)
    assert response.max() > 5 * np.abs(response).mean()
    wide = maps(15, 3, seed=1)
    border = np.pad(np.asarray(known.taps), ((0, 0), (2, 2), (2, 2)))
    expected = response_by_loops(border, windowed(wide))
    response = correlation_filter.respond(known, correlation_filter.transform(wide))
    np.testing.assert_allclose(response, expected, atol=2e-5)


def test_a_frame_is_learned_with_the_peak_in_the_middle():
    features, size = maps(11, 3), np.float32([16, 16])
    known = correlation_filter.learn(features, size)
    other = maps(11, 3, seed=2)
    moved_by = jnp.array([8.0, -4.0])  # 2 cells to the right, 1 up
    seen = correlation_filter.Seen(correlation_filter.transform(other), moved_by)
    after = jax.jit(correlation_filter.update)(known, seen, size, 0.25)
    moved = np.fft.rfft2(np.roll(windowed(other), (1, -2), axis=(1, 2)))
    np.testing.assert_allclose(after.sample, 0.75 * np.asarray(known.sample) + 0.25 * moved, atol=1e-4)
    same = correlation_filter.update(known, seen, size, 0.0)
    np.testing.assert_allclose(same.taps, known.taps, atol=1e-6)


def test_evidence_is_the_best_response_around_each_centre():
    response = np.random.default_rng(3).uniform(-0.2, 1, (45, 45)).astype(np.float32)
    centres = np.random.default_rng(4).uniform(-5, 196, (60, 2)).astype(np.float32)
    best = scipy.ndimage.maximum_filter(response, 5, mode='constant', cval=-9)
    # conv1's cells after the pool: 4 pixels apart, the first one's field 15 pixels wide.
    cells = (centres[:, ::-1] - 7.5) / 4
    expected = scipy.ndimage.map_coordinates(best, cells.T, order=1, mode='nearest')
    found = correlation_filter.evidence(response, centres, 191)
    np.testing.assert_allclose(found, expected / expected.max(), rtol=1e-4)
    nothing = correlation_filter.evidence(-response - 1, centres, 191)
    np.testing.assert_array_equal(nothing, np.ones(60))


@pytest.mark.parametrize('place', [(95.5, 95.5), (70.2, 120.9), (41.0, 60.3)])
def test_the_peak_is_found_to_a_part_of_a_cell_and_only_near_the_box(place):
    at = 7.5 + 4 * np.arange(45)
    bell = np.exp(-((at[None] - place[0]) ** 2 + (at[:, None] - place[1]) ** 2) / (2 * 6.0**2))
    bell[40, 40] = 5.0  # far from the box
    box = np.float32([place[0] + 6, place[1] - 7, 50, 40])
    found, height = correlation_filter.peak_near(jnp.asarray(bell, jnp.float32), box, 191)
    np.testing.assert_allclose(found, place, atol=0.15)
    reach = 0.25 * np.sqrt(50 * 40)
    near = np.abs(at - box[1])[:, None] < reach, np.abs(at - box[0])[None] < reach
    np.testing.assert_allclose(height, bell[near[0] & near[1]].max(), rtol=1e-6)
    outside = np.float32([400, 90, 40, 40])
    found, height = correlation_filter.peak_near(jnp.asarray(bell, jnp.float32), outside, 191)
    np.testing.assert_array_equal(found, [400, 90])
    assert height == 0


@pytest.fixture(scope='module')
def filtered(narrow):
    config = copy.deepcopy(narrow[1])
    config.track.search_size, config.track.filter_exponent = 191, 1.0
    return narrow[0], config


def test_a_wide_look_shows_the_filter_the_middle_of_its_map(filtered, clip):
    variables, config = filtered
    frames, boxes = clip
    state = compiled.CompiledTracker(variables, config).init(frames[0], boxes[0])

    @jax.jit
    def both(variables, state, frame):
        _, _, first_map, _ = look.run_network(variables, state, frame, config, 255)
        return look.look(variables, state, frame, config, 255).seen.sample, first_map

    found, wide = map(np.asarray, both(variables, state, frames[1]))
    assert wide.shape[0] == 61 and state.filter.taps.shape[1] == 45
    expected = np.fft.rfft2(windowed(wide[8:53, 8:53]))
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_it_is_learned_frame_by_frame_but_not_while_the_target_is_hidden(filtered, clip):
    variables, config = filtered
    frames, boxes = clip
    config = copy.deepcopy(config)
    plain = copy.deepcopy(config)
    plain.track.filter_exponent = 0.0
    assert compiled.CompiledTracker(variables, plain).init(frames[0], boxes[0]).filter is None
    for hidden, score in ((False, 0.0), (True, 1.0)):
        config.track.recovery.score = score
        tracker = compiled.CompiledTracker(variables, config)
        state = tracker.init(frames[0], boxes[0])
        before = np.asarray(state.filter.sample)
        after, _ = tracker.step(state, frames[1])
        assert bool(after.hidden) == hidden
        assert (np.asarray(after.filter.sample) == before).all() == hidden


def test_the_score_is_the_geometric_mean_of_probability_and_response(filtered, clip):
    variables, config = filtered
    frames, boxes = clip
    programs = compiled.CompiledTracker(variables, config, details=True)
    first = programs.init(frames[0], boxes[0])
    # Responses in shares of the best decide the box, so a weaker filter leaves it where it is.
    weak = dataclasses.replace(first.filter, taps=first.filter.taps * 0.25)
    _, strong = programs.step(jax.tree.map(jnp.copy, first), frames[1])
    _, weaker = programs.step(jax.tree.map(jnp.copy, first.replace(filter=weak)), frames[1])
    np.testing.assert_allclose(weaker.box, strong.box, atol=1e-3)
    np.testing.assert_allclose(weaker.score, 0.5 * strong.score, rtol=1e-4)
    probability = float(strong.proposals.scores[0])
    assert 0 < strong.score**2 < probability  # the response to what was learned in the first frame is below 1
    plain = copy.deepcopy(config)
    plain.track.filter_exponent = 0.0
    programs = compiled.CompiledTracker(variables, plain, details=True)
    _, output = programs.step(programs.init(frames[0], boxes[0]), frames[1])
    np.testing.assert_allclose(output.score, output.proposals.scores[0])


def test_it_holds_a_target_that_the_network_cannot_tell_from_its_like(filtered):
    variables, config = filtered
    config = copy.deepcopy(config)
    config.track.window = 0.0
    # Two discs that differ by a dark bar; the target moves, the other comes near.
    shapes = np.random.default_rng(0).integers(90, 110, (160, 240, 3)).astype(np.uint8)

    def draw(frame, x, y, bar):
        rows, columns = np.ogrid[:160, :240]
        frame[(rows - y) ** 2 + (columns - x) ** 2 < 14**2] = (220, 200, 60)
        if bar:
            frame[y - 10 : y + 10, x - 3 : x + 3] = (20, 20, 20)

    frames, truth = [], []
    for t in range(25):
        frame, x = shapes.copy(), 60 + 4 * t
        draw(frame, 110 - t, 115, False)
        draw(frame, x, 80, True)
        frames.append(frame)
        truth.append((x, 80))
    tracked = compiled.jitted(config).sequence(
        compiled.jitted(config).prepare(variables), np.stack(frames), np.float32([46, 66, 28, 28])
    )
    middle = np.asarray(tracked.box)[:, :2] + np.asarray(tracked.box)[:, 2:] / 2
    assert np.abs(middle - truth).max() < 6

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.geometry import anchors
from sctrpn_jax.tracking import color

box_means = jax.jit(color.box_means)
histogram_model = jax.jit(color.histogram_model, static_argnames='bins')
histogram_likelihood = jax.jit(color.histogram_likelihood, static_argnames='stride')


def dense_mean(response, box, steps=8):
    """Midpoint rule on a grid of 1/steps cells: exact where the box's sides are multiples of 1/steps."""
    fine = np.kron(response, np.ones((steps, steps)))
    x, y, w, h = np.asarray(box) * steps
    left, right = (int(np.clip(round(v), 0, fine.shape[1])) for v in (x - w / 2, x + w / 2))
    top, bottom = (int(np.clip(round(v), 0, fine.shape[0])) for v in (y - h / 2, y + h / 2))
    inside = fine[top:bottom, left:right]
    return inside.mean() if inside.size else 0.0


# Corners on a grid of 1/8 cell, some outside the map, some the wrong way round (an empty box).
eighths = st.integers(-24, 120).map(lambda v: v / 8)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(st.lists(st.tuples(eighths, eighths, eighths, eighths), min_size=6, max_size=6), st.integers(0, 99))
def test_box_means_are_dense_means(corners, seed):
    response = np.random.default_rng(seed).random((11, 9)).astype(np.float32)
    corners = np.asarray(corners)
    boxes = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], -1)
    expected = [dense_mean(response, box) if (box[2:] > 0).all() else 0 for box in boxes]
    np.testing.assert_allclose(box_means(response, boxes.astype(np.float32)), expected, atol=1e-4)


def test_box_means_by_hand():
    response = jnp.asarray([[0.0, 1.0], [2.0, 4.0]])
    boxes = jnp.asarray(
        [
            [1.0, 1.0, 2.0, 2.0],  # the whole map
            [1.5, 0.5, 1.0, 1.0],  # one cell
            [1.0, 1.0, 1.0, 1.0],  # a quarter of each
            [2.0, 2.0, 2.0, 2.0],  # half outside: the covered part counts
            [5.0, 5.0, 2.0, 2.0],  # outside
            [1.0, 1.0, 0.0, 1.0],  # empty
        ]
    )
    np.testing.assert_allclose(box_means(response, boxes), [1.75, 1.0, 1.75, 4.0, 0.0, 0.0], atol=1e-6)


def test_a_tiny_or_huge_box_stays_in_the_maps_range():
    response = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    boxes = np.asarray([[40.3, 50.7, 1e-4, 1e-4], [3.0, 3.0, 1e6, 1e6], [63.9999, 63.9999, 1e-3, 1e-3]], np.float32)
    means = np.asarray(box_means(response, boxes))
    assert np.isfinite(means).all() and (means >= 0).all() and (means <= response.max()).all()
    assert means[1] == pytest.approx(response.mean(), rel=1e-4)


def test_crop_to_cells_puts_anchors_on_their_cells():
    grid = anchors.make_anchors(295, (0.5, 1.0)).reshape(22, 22, 2, 4)
    cells = color.crop_to_cells(jnp.asarray(grid), 22, 8, 295)
    np.testing.assert_allclose(cells[:, :, 0, 0], np.tile(np.arange(22) + 0.5, (22, 1)), atol=1e-4)
    np.testing.assert_allclose(cells[:, :, 1, 1], np.tile(np.arange(22) + 0.5, (22, 1)).T, atol=1e-4)
    np.testing.assert_allclose(cells[..., 2:], grid[..., 2:] / 8)


def numpy_model(crop, inside, bins, smoothing):
    edges = [np.linspace(0, 256, bins + 1)] * 3
    hists = [np.histogramdd(crop[part].reshape(-1, 3), edges)[0] for part in (inside, ~inside)]
    target, rest = (hist / max(hist.sum(), 1) + smoothing for hist in hists)
    return target / (target + rest)


@pytest.mark.parametrize('bins', [1, 4, 8])
def test_histogram_model_is_numpys(bins):
    rng = np.random.default_rng(2)
    crop = rng.integers(0, 256, (31, 40, 3)).astype(np.float32)
    crop[10:20, 12:30] = crop[10:20, 12:30] * 0.3
    inside = np.zeros((31, 40), bool)
    inside[10:20, 12:30] = True
    box = jnp.asarray([21.0, 15.0, 18.0, 10.0])
    model = histogram_model(crop, box, bins=bins)
    np.testing.assert_allclose(model, numpy_model(crop, inside, bins, 1e-3), atol=1e-6)


def test_likelihood_tells_target_from_background():
    crop = np.full((255, 255, 3), (20.0, 40.0, 200.0), np.float32)
    crop[96:160, 80:176] = (220.0, 30.0, 30.0)
    model = histogram_model(crop, jnp.asarray([128.0, 128.0, 96.0, 64.0]))
    moved = np.roll(crop, (32, -16), (0, 1))
    likelihood = histogram_likelihood(model, moved, stride=4)
    assert likelihood.shape == (63, 63)
    boxes = jnp.asarray([[112.0, 160.0, 96.0, 64.0], [200.0, 50.0, 60.0, 60.0], [112.0, 128.0, 96.0, 64.0]])
    means = box_means(likelihood, color.crop_to_cells(boxes, 63, 4, 255))
    assert means[0] > 0.9 and means[1] < 0.1 and 0.4 < means[2] < 0.6
    unseen = histogram_likelihood(model, np.full((8, 8, 3), 128, np.float32))
    np.testing.assert_allclose(unseen, 0.5)


@pytest.mark.parametrize(('size', 'stride'), [(255, 1), (255, 4), (255, 8), (271, 4), (64, 2)])
def test_the_likelihood_grid_is_centred_on_the_crop(size, stride):
    column = np.arange(size)
    crop = np.zeros((size, size, 3), np.float32)
    crop[..., 0], crop[..., 1] = column // 32 * 8, column % 32 * 8  # red and green spell the column
    model = np.broadcast_to(np.arange(32.0 * 32).reshape(32, 32, 1), (32, 32, 32)).astype(np.float32)
    sampled = np.asarray(histogram_likelihood(model, crop, stride=stride))
    cells = size // stride
    centres = (np.arange(cells) - (cells - 1) / 2) * stride + size / 2
    assert sampled.shape == (cells, cells)
    np.testing.assert_allclose(sampled[0] + 0.5, centres, atol=0.5)
    np.testing.assert_array_equal(histogram_likelihood(model, crop.swapaxes(0, 1), stride=stride), sampled.T)


def test_a_box_without_pixels_or_without_surroundings_says_nothing():
    crop = np.random.default_rng(0).uniform(0, 255, (20, 20, 3)).astype(np.float32)
    for box in ([-50.0, 5.0, 4.0, 4.0], [10.0, 10.0, 100.0, 100.0], [5.0, 5.0, 0.0, 0.0]):
        np.testing.assert_array_equal(histogram_model(crop, jnp.asarray(box)), 0.5)


def test_bad_arguments_are_named():
    crop = jnp.zeros((8, 8, 3))
    with pytest.raises(ValueError, match='bins: got 0'):
        color.histogram_model(crop, jnp.asarray([4.0, 4.0, 2.0, 2.0]), bins=0)
    with pytest.raises(ValueError, match='stride: got 9'):
        color.histogram_likelihood(jnp.zeros((2, 2, 2)), crop, stride=9)


def test_batched():
    crops = jnp.asarray(np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype(np.float32))
    box = jnp.asarray([16.0, 16.0, 10.0, 12.0])

    def cue(crop):
        likelihood = color.histogram_likelihood(color.histogram_model(crop, box), crop)
        return color.box_means(likelihood, color.crop_to_cells(box[None], 8, 4, 32))

    np.testing.assert_allclose(
        jax.jit(jax.vmap(cue))(crops), jnp.stack([jax.jit(cue)(crop) for crop in crops]), rtol=1e-5
    )

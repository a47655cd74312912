"""Labels against a plain loop, the sampling's counts and evenness, and degenerate input."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.geometry import anchors as anchor_grid
from sctrpn_jax.objectives import targets

SETTINGS = {'positive_iou': 0.7, 'negative_iou': 0.3, 'best_anchor': True, 'max_samples': 64, 'max_positives': 16}
GRID = anchor_grid.make_anchors(255, (0.33, 0.5, 1.0, 2.0, 3.0))
BOX = np.asarray([127.5, 127.5, 64.0, 64.0], np.float32)


@functools.partial(jax.jit, static_argnames=(*SETTINGS, 'by_place'))
def _assign(anchors, mask, box, positive, key, **settings):
    return targets.assign(anchors, mask, box, positive, key, **settings)


def assign(anchors=GRID, mask=None, box=BOX, positive=True, seed=0, **changes):
    mask = np.ones(len(anchors), bool) if mask is None else mask
    key = jax.random.key(seed)
    made = _assign(jnp.asarray(anchors), jnp.asarray(mask), jnp.asarray(box), positive, key, **{**SETTINGS, **changes})
    return jax.tree.map(np.asarray, made)


def overlap(a, b):
    """IoU of two centre-form boxes in plain Python."""
    width = min(a[0] + a[2] / 2, b[0] + b[2] / 2) - max(a[0] - a[2] / 2, b[0] - b[2] / 2)
    height = min(a[1] + a[3] / 2, b[1] + b[3] / 2) - max(a[1] - a[3] / 2, b[1] - b[3] / 2)
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def reference_labels(anchors, mask, box):
    """Labels before sampling, one anchor at a time."""
    ious = [overlap(a, box) for a in anchors.astype(float)]
    labels = [-1] * len(anchors)
    for i, value in enumerate(ious):
        if mask[i]:
            labels[i] = 1 if value > 0.7 else 0 if value < 0.3 else -1
    alive = [i for i in range(len(anchors)) if mask[i]]
    if 1 not in labels and alive:
        best = max(alive, key=lambda i: ious[i])
        if ious[best] > 0:
            labels[best] = 1
    return np.asarray(labels)


@pytest.mark.parametrize('seed', range(6))
def test_without_a_limit_labels_match_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    anchors = GRID + rng.normal(0, 4, GRID.shape).astype(np.float32)
    mask = rng.random(len(anchors)) < 0.6
    box = np.asarray([*rng.uniform(60, 190, 2), *rng.uniform(24, 120, 2)], np.float32)
    made = assign(anchors, mask, box, max_samples=4000, max_positives=2000)
    expected = reference_labels(anchors, mask, box)
    np.testing.assert_array_equal(made.labels, expected)
    assert made.positives == (expected == 1).sum()
    assert made.negatives == (expected == 0).sum()


@pytest.mark.parametrize('seed', range(6))
def test_a_sample_is_a_part_of_the_plain_labels_and_of_the_right_size(seed):
    rng = np.random.default_rng(seed)
    # Small offsets give many positives, large ones few, so that both quotas are met.
    anchors = GRID + rng.normal(0, 1 + 3 * seed, GRID.shape).astype(np.float32)
    mask = rng.random(len(anchors)) < 0.9
    made = assign(anchors, mask, seed=seed, max_positives=4)
    expected = reference_labels(anchors, mask, BOX)
    drawn = made.labels >= 0
    np.testing.assert_array_equal(made.labels[drawn], expected[drawn])
    positives = min((expected == 1).sum(), 4)
    assert (made.labels == 1).sum() == positives
    assert (made.labels == 0).sum() == 64 - positives
    assert (made.positives, made.negatives) == ((expected == 1).sum(), (expected == 0).sum())


def test_regression_targets_of_equation_5_at_the_positives_and_zero_elsewhere():
    made = assign(max_positives=64)
    assert (made.labels == 1).sum() > 3
    for anchor, label, deltas in zip(GRID, made.labels, made.regression, strict=True):
        expected = np.zeros(4)
        if label == 1:
            expected = [(BOX[i] - anchor[i]) / anchor[i + 2] for i in (0, 1)]
            expected += [np.log(BOX[i] / anchor[i]) for i in (2, 3)]
        np.testing.assert_allclose(deltas, expected, atol=1e-6)


def test_thresholds_are_strict():
    # IoU of concentric boxes of equal width is the ratio of their heights: exactly 0.75, 0.5 and 0.25.
    anchors = np.asarray([[0, 0, 8, 6], [0, 0, 8, 4], [0, 0, 8, 2]], np.float32)
    box = np.asarray([0, 0, 8, 8], np.float32)
    labels = functools.partial(assign, anchors, box=box, best_anchor=False)
    np.testing.assert_array_equal(labels(positive_iou=0.75, negative_iou=0.25).labels, [-1, -1, -1])
    np.testing.assert_array_equal(labels(positive_iou=0.74, negative_iou=0.26).labels, [1, -1, 0])


def test_the_best_anchor_is_the_positive_only_where_none_passes_and_it_overlaps():
    anchors = np.asarray([[0, 0, 8, 2], [0, 0, 8, 1], [100, 100, 8, 8]], np.float32)
    box = np.asarray([0, 0, 8, 8], np.float32)
    np.testing.assert_array_equal(assign(anchors, box=box).labels, [1, 0, 0])
    np.testing.assert_array_equal(assign(anchors, box=box, best_anchor=False).labels, [0, 0, 0])
    np.testing.assert_array_equal(assign(anchors, np.asarray([False, True, True]), box).labels, [-1, 1, 0])
    np.testing.assert_array_equal(assign(anchors, np.asarray([False, False, True]), box).labels, [-1, -1, 0])


@pytest.mark.parametrize('size', [(20.0, 20.0), (64.0, 64.0), (150.0, 60.0)])
def test_by_place_the_size_of_the_anchors_does_not_matter(size):
    square = anchor_grid.make_anchors(255, (1.0,))
    box = np.asarray([130.0, 120.0, *size], np.float32)
    made = assign(square, box=box, by_place=True, max_samples=400, max_positives=200)
    moved = np.concatenate([square[:, :2], np.tile(box[2:], (len(square), 1))], axis=1)
    np.testing.assert_array_equal(made.labels, reference_labels(moved, np.ones(len(square), bool), box))
    # What is asked of the anchors is still the change from their own size.
    deltas = made.regression[made.labels == 1]
    np.testing.assert_allclose(deltas[:, 2:], np.log(np.tile(size, (len(deltas), 1)) / 64), atol=1e-5)


def test_a_negative_pair_has_negatives_alone():
    made = assign(positive=False)
    assert (made.labels == 1).sum() == 0
    assert (made.labels == 0).sum() == 64 - 16
    assert (made.positives, made.negatives) == (0, len(GRID))
    assert not made.regression.any()


def test_masked_anchors_take_no_part():
    mask = np.zeros(len(GRID), bool)
    made = assign(mask=mask)
    assert (made.labels == -1).all()
    assert (made.positives, made.negatives) == (0, 0)
    mask[::7] = True
    for positive in (True, False):
        assert (assign(mask=mask, positive=positive).labels[~mask] == -1).all()


def test_draw_is_even():
    available = jnp.arange(12) % 3 != 0
    noise = jax.random.uniform(jax.random.key(3), (20_000, 12))
    chosen = np.asarray(jax.jit(jax.vmap(lambda n: targets.draw(available, 3, 5, n)))(noise))
    assert (chosen.sum(1) == 3).all()
    share = chosen.mean(0)
    assert not share[::3].any()
    # 3 of 8; the standard error is 0.0034.
    np.testing.assert_allclose(share[np.asarray(available)], 3 / 8, atol=0.015)


def test_draw_takes_all_of_a_set_smaller_than_the_quota():
    available = jnp.asarray([True, False, True, False])
    noise = jax.random.uniform(jax.random.key(0), (4,))
    np.testing.assert_array_equal(targets.draw(available, 3, 3, noise), available)
    np.testing.assert_array_equal(targets.draw(available, 9, 9, noise), available)
    assert not targets.draw(available, 0, 0, noise).any()


def test_the_key_decides_the_sample():
    np.testing.assert_array_equal(assign(seed=1).labels, assign(seed=1).labels)
    assert (assign(seed=1).labels != assign(seed=2).labels).any()


def test_a_batch_by_vmap_equals_single_images():
    keys = jax.random.split(jax.random.key(5), 3)
    boxes = jnp.asarray([[120, 120, 60, 70], [90, 150, 30, 90], [140, 120, 100, 40]], jnp.float32)
    positive = jnp.asarray([True, True, False])
    mask = jnp.ones(len(GRID), bool)
    one = functools.partial(targets.assign, **SETTINGS)
    batch = jax.jit(jax.vmap(one, in_axes=(None, None, 0, 0, 0)))(jnp.asarray(GRID), mask, boxes, positive, keys)
    assert batch.labels.shape == (3, len(GRID))
    for i in range(3):
        single = _assign(GRID, mask, boxes[i], positive[i], keys[i], **SETTINGS)
        for got, expected in zip(batch, single, strict=True):
            np.testing.assert_allclose(got[i], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('box', [[127.5, 127.5, 0, 0], [127.5, 127.5, 1e-30, 64], [-1e4, -1e4, 64, 64]])
def test_degenerate_boxes_and_anchors_give_finite_targets(box):
    anchors = GRID.copy()
    anchors[:5, 2:] = 0
    anchors[5:9, :2] = 1e30
    anchors[9:12, 2:] = 1e15
    for positive in (True, False):
        made = assign(anchors, box=np.asarray(box, np.float32), positive=positive)
        assert np.isfinite(made.regression).all()
        assert set(np.unique(made.labels)) <= {-1, 0, 1}


def test_no_gradient_flows_through_refined_anchors():
    def total(anchors):
        # A plain True, as a caller outside jit may give.
        made = targets.assign(anchors, jnp.ones(len(GRID), bool), jnp.asarray(BOX), True, jax.random.key(0), **SETTINGS)
        return made.regression.sum()

    assert not np.asarray(jax.jit(jax.grad(total))(jnp.asarray(GRID))).any()


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'max_positives': 65}, 'max_positives must be within 0..max_samples=64, got 65'),
        ({'negative_iou': 0.8}, 'negative_iou must not exceed positive_iou=0.7, got 0.8'),
    ],
)
def test_contradictory_settings_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        assign(**changes)

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.tracking import nms

jitted = jax.jit(nms.nms)


def overlap(a, b):
    sides = [
        min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2) for i in (0, 1)
    ]
    shared = max(sides[0], 0) * max(sides[1], 0)
    union = a[2] * a[3] + b[2] * b[3] - shared
    return np.float32(shared) / np.float32(union) if union > 0 else np.float32(0)


def greedy(boxes, scores, valid, threshold):
    """The textbook loop."""
    boxes = boxes.tolist()
    kept = []
    for i in sorted(np.flatnonzero(valid), key=lambda i: (-scores[i], i)):
        if all(overlap(boxes[i], boxes[j]) <= np.float32(threshold) for j in kept):
            kept.append(i)
    return np.isin(np.arange(len(boxes)), kept)


# Whole numbers and few of them: overlaps are exact, duplicates, ties, zero sizes and contained boxes are common.
boxes_of = hnp.arrays(np.int64, (12, 4), elements=st.integers(0, 9)).map(lambda v: v.astype(np.float32))


@hypothesis.settings(deadline=None, max_examples=150)
@hypothesis.given(
    boxes_of,
    hnp.arrays(np.int64, 12, elements=st.integers(0, 6)),
    hnp.arrays(bool, 12),
    st.sampled_from([0.0, 0.25, 0.5, 0.7, 1.0]),
)
def test_nms_is_greedy(boxes, scores, valid, threshold):
    scores = (scores / 6).astype(np.float32)
    np.testing.assert_array_equal(jitted(boxes, scores, valid, threshold), greedy(boxes, scores, valid, threshold))


@pytest.mark.parametrize('threshold', [0.3, 0.7])
def test_crowded_boxes(threshold):
    rng = np.random.default_rng(4)
    boxes = np.concatenate([rng.integers(110, 145, (64, 2)), rng.integers(30, 70, (64, 2))], -1).astype(np.float32)
    scores, valid = rng.random(64).astype(np.float32), rng.random(64) < 0.9
    expected = greedy(boxes, scores, valid, threshold)
    assert 1 < expected.sum() < valid.sum()
    np.testing.assert_array_equal(jitted(boxes, scores, valid, threshold), expected)


def test_a_chain_is_settled_one_by_one():
    # Each box overlaps only its neighbours, so greedy keeps every other one: as many rounds as boxes.
    boxes = np.stack([np.arange(20) * 5.0, np.zeros(20), np.full(20, 10.0), np.full(20, 10.0)], -1).astype(np.float32)
    scores = np.linspace(1, 0, 20, dtype=np.float32)
    keep = jitted(boxes, scores, np.ones(20, bool), 0.3)
    np.testing.assert_array_equal(keep, np.arange(20) % 2 == 0)


def test_duplicates_keep_the_first_and_invalid_boxes_do_not_suppress():
    boxes = jnp.tile(jnp.asarray([[5.0, 5.0, 4.0, 4.0]]), (4, 1))
    scores = jnp.asarray([0.9, 0.5, 0.5, 0.1])
    np.testing.assert_array_equal(jitted(boxes, scores, jnp.asarray([False, True, True, True]), 0.5), [0, 1, 0, 0])
    assert not jitted(boxes, scores, jnp.zeros(4, bool), 0.5).any()


def test_the_best_valid_box_always_stays_and_no_two_kept_ones_overlap():
    rng = np.random.default_rng(1)
    boxes = rng.uniform(0, 60, (3, 64, 4)).astype(np.float32)
    scores, valid = rng.random((3, 64)).astype(np.float32), rng.random((3, 64)) < 0.8
    keep = np.asarray(jax.jit(jax.vmap(lambda b, s, v: nms.nms(b, s, v, 0.4)))(boxes, scores, valid))
    for b, s, v, k in zip(boxes.astype(np.float64), scores, valid, keep, strict=True):
        assert k[np.argmax(np.where(v, s, -1))] and not (k & ~v).any()
        kept = b[k].tolist()
        assert all(overlap(kept[i], kept[j]) < 0.4001 for i in range(len(kept)) for j in range(i))

import math

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.tracking import rerank

rank = jax.jit(rerank.rank, static_argnums=2)


def test_shape_cue_is_equation_11():
    cue = rerank.shape_cue(jnp.asarray([3, 4, 1, 300]), jnp.asarray(3))
    np.testing.assert_allclose(cue, [1, math.exp(-1), math.exp(-2), 0], rtol=1e-6)


def test_size_cue_is_equation_12():
    sizes, target = jnp.asarray([[40.0, 20.0], [44.0, 20.0], [40.0, 15.0], [20.0, 40.0]]), jnp.asarray([40.0, 20.0])
    printed = [math.exp(-abs(w - 40)) * math.exp(-abs(h - 20)) for w, h in np.asarray(sizes).tolist()]
    np.testing.assert_allclose(rerank.size_cue(sizes, target, 'pixels'), printed, rtol=1e-5)
    relative = [math.exp(-abs(w - 40) / 40) * math.exp(-abs(h - 20) / 20) for w, h in np.asarray(sizes).tolist()]
    np.testing.assert_allclose(rerank.size_cue(sizes, target), relative, rtol=1e-5)


def test_relative_size_has_no_unit():
    sizes, target = jnp.asarray([[44.0, 20.0], [10.0, 90.0]]), jnp.asarray([40.0, 30.0])
    np.testing.assert_allclose(rerank.size_cue(sizes, target), rerank.size_cue(7 * sizes, 7 * target), rtol=1e-5)


def test_an_unknown_unit_is_named():
    with pytest.raises(ValueError, match="got 'cells', accepted are relative, pixels"):
        rerank.size_cue(jnp.ones((2, 2)), jnp.ones(2), 'cells')


def test_the_printed_product_is_the_default():
    shape, color, size = (jnp.asarray(v) for v in ([0.5, 1.0], [0.25, 0.0], [0.8, 0.1]))
    np.testing.assert_allclose(rerank.multi_cue(shape, color, size), [0.1, 0.0])


@hypothesis.settings(deadline=None)
@hypothesis.given(
    hnp.arrays(np.float32, (4, 6), elements=st.floats(0, 1, width=32) | st.sampled_from([0.0, 1.0])),
    hnp.arrays(np.float32, 3, elements=st.floats(0, 4, width=32) | st.sampled_from([0.0, 1.0])),
)
def test_multi_cue_is_the_product_of_powers(cues, exponents):
    shape, color, size, scores = cues
    got = jax.jit(rerank.multi_cue)(shape, color, size, exponents, scores)
    expected = [
        s ** exponents[0].item() * c ** exponents[1].item() * z ** exponents[2].item() * p
        for s, c, z, p in cues.T.tolist()
    ]
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-30)


def test_exponent_zero_leaves_a_cue_out_even_at_zero():
    zero, half = jnp.zeros(3), jnp.full(3, 0.5)
    np.testing.assert_allclose(rerank.multi_cue(zero, zero, half, (0.0, 0.0, 1.0)), half)
    np.testing.assert_allclose(rerank.multi_cue(half, -half, half, (1.0, 0.0, 0.0)), half)
    assert not np.asarray(rerank.multi_cue(half, -half, half, (1.0, 0.5, 1.0))).any()


@hypothesis.settings(deadline=None)
@hypothesis.given(
    st.lists(st.tuples(st.sampled_from([-2.0, 0.0, 0.5, 1.0, math.nan]), st.booleans()), min_size=8, max_size=8),
    st.sampled_from([1, 5, 8]),
)
def test_rank_is_a_stable_descending_sort(items, keep):
    values, valid = (np.asarray(v) for v in zip(*items, strict=True))
    order, mask = rank(values.astype(np.float32), valid, keep)
    live = [i for i in range(8) if valid[i] and not math.isnan(values[i])]
    expected = sorted(live, key=lambda i: (-values[i], i))[:keep]
    assert order.shape == mask.shape == (keep,)
    assert np.asarray(order)[np.asarray(mask)].tolist() == expected
    assert np.asarray(mask).tolist() == [i < len(expected) for i in range(keep)]


@pytest.mark.parametrize('keep', [0, 4])
def test_keep_must_fit(keep):
    with pytest.raises(ValueError, match=f'keep: got {keep}, accepted is 1 to the number of proposals 3'):
        rerank.rank(jnp.ones(3), jnp.ones(3, bool), keep)


def test_batched():
    rng = np.random.default_rng(0)
    values, valid = rng.random((4, 10)).astype(np.float32), rng.random((4, 10)) < 0.6
    order, mask = jax.jit(jax.vmap(lambda v, k: rerank.rank(v, k, 5)))(values, valid)
    for i in range(4):
        one_order, one_mask = rank(values[i], valid[i], 5)
        np.testing.assert_array_equal(order[i], one_order)
        np.testing.assert_array_equal(mask[i], one_mask)

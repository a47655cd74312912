"""Stage loss against a plain loop in each way of counting, sums over stages, and extreme or empty input."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.objectives import cascade_loss, classification

WAYS = cascade_loss.AVERAGES


def example(seed=0, batch=3, count=20):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(0, 2, (batch, count)).astype(np.float32),
        rng.normal(0, 1, (batch, count, 4)).astype(np.float32),
        rng.integers(-1, 2, (batch, count)).astype(np.int32),
        rng.normal(0, 1, (batch, count, 4)).astype(np.float32),
    )


def reference(logits, deltas, labels, wanted, average):
    """Eq. 1 / Eq. 4 with the log loss, one anchor at a time."""
    losses, boxes = {0: [], 1: []}, []
    if average == 'pairs':
        arrays = (logits, deltas, labels, wanted)
        each = [reference(*(x[i : i + 1] for x in arrays), 'anchors')[1] for i in range(len(labels))]
        return reference(*arrays, 'anchors')[0], np.mean(each)
    for logit, delta, label, target in zip(
        logits.ravel(), deltas.reshape(-1, 4), labels.ravel(), wanted.reshape(-1, 4), strict=True
    ):
        if label >= 0:
            losses[label].append(np.log1p(np.exp(-float(logit) if label == 1 else float(logit))))
        if label == 1:
            boxes.append(sum(0.5 * d * d if d < 1 else d - 0.5 for d in abs(delta - target)))
    if average == 'anchors':
        return np.mean(losses[0] + losses[1]), np.mean(boxes)
    return np.sum(losses[0] + losses[1]), np.sum(boxes)


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.parametrize('xi', [1.0, 10.0])
def test_one_stage_matches_a_plain_loop(way, xi):
    arrays = example()
    total, terms = jax.jit(functools.partial(cascade_loss.stage_loss, name='log', xi=xi, average=way))(*arrays)
    expected = reference(*arrays, way)
    np.testing.assert_allclose(terms['classification'], expected[0], rtol=1e-5)
    np.testing.assert_allclose(terms['regression'], expected[1], rtol=1e-5)
    np.testing.assert_allclose(total, expected[0] + xi * expected[1], rtol=1e-5)


def test_name_and_settings_choose_the_classification_loss():
    logits, deltas, labels, wanted = map(jnp.asarray, example(1))
    got = cascade_loss.stage_loss(
        logits, deltas, labels, wanted, name='shrinkage', shrinkage_speed=4.0, shrinkage_location=0.5
    )[1]['classification']
    elementwise = np.asarray(classification.shrinkage(logits, labels, 4.0, 0.5))
    np.testing.assert_allclose(got, elementwise[np.asarray(labels) >= 0].mean(), rtol=1e-5)


@pytest.mark.parametrize('way', WAYS)
def test_anchors_out_of_the_sample_have_no_gradient(way):
    logits, deltas, labels, wanted = map(jnp.asarray, example(2))
    grads = jax.grad(
        lambda x, t: cascade_loss.stage_loss(x, t, labels, wanted, name='shrinkage', average=way)[0], argnums=(0, 1)
    )(logits, deltas)
    np.testing.assert_array_equal(np.asarray(grads[0]) != 0, labels >= 0)
    np.testing.assert_array_equal((np.asarray(grads[1]) != 0).any(-1), labels == 1)


@pytest.mark.parametrize(
    ('way', 'name'), [(WAYS[0], name) for name in classification.NAMES] + [(way, 'shrinkage') for way in WAYS[1:]]
)
def test_extreme_input_and_empty_classes_stay_finite(way, name):
    _, _, mixed, wanted = example(3)
    rng = np.random.default_rng(4)
    logits = jnp.asarray(rng.choice([-1e4, 0, 1e4], mixed.shape), jnp.float32)
    deltas = jnp.asarray(rng.choice([-1e4, 0, 1e4], wanted.shape), jnp.float32)

    @jax.jit
    def loss(labels):
        def total(x, t):
            return cascade_loss.stage_loss(x, t, labels, jnp.asarray(wanted), name=name, average=way)

        return jax.value_and_grad(total, argnums=(0, 1), has_aux=True)(logits, deltas)

    for label in (None, -1, 0, 1):
        (total, terms), grads = loss(jnp.asarray(mixed if label is None else np.full_like(mixed, label)))
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((total, terms, grads)))
        if label == -1:
            assert total == 0
        if label in (-1, 0):
            assert terms['regression'] == 0


def test_bfloat16_outputs_are_summed_in_float32():
    logits, deltas, labels, wanted = map(jnp.asarray, example(5, batch=8, count=500))
    halves = logits.astype(jnp.bfloat16), deltas.astype(jnp.bfloat16)
    got, _ = cascade_loss.stage_loss(*halves, labels, wanted, name='log', average='sum')
    same, _ = cascade_loss.stage_loss(
        *(half.astype(jnp.float32) for half in halves), labels, wanted, name='log', average='sum'
    )
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, same, rtol=1e-6)


@pytest.mark.parametrize('stages', [1, 2, 3])
def test_the_cascade_is_the_sum_of_its_stages(stages):
    each = [tuple(map(jnp.asarray, example(seed))) for seed in range(stages)]
    settings = {'name': 'shrinkage', 'xi': 2.0}
    total, terms = cascade_loss.cascade_loss(*zip(*each, strict=True), **settings)
    assert len(terms) == stages
    expected = 0.0
    for stage, got in zip(each, terms, strict=True):
        alone, alone_terms = cascade_loss.stage_loss(*stage, **settings)
        expected += float(alone)
        for part in ('classification', 'regression'):
            np.testing.assert_allclose(got[part], alone_terms[part], rtol=1e-6)
    np.testing.assert_allclose(total, expected, rtol=1e-6)


def test_what_does_not_exist_is_refused():
    arrays = tuple(map(jnp.asarray, example()))
    with pytest.raises(ValueError, match="average: got 'images', accepted are sum, anchors, pairs"):
        cascade_loss.stage_loss(*arrays, name='log', average='images')
    with pytest.raises(ValueError, match="unknown classification loss 'hinge'"):
        cascade_loss.stage_loss(*arrays, name='hinge')
    one = [[array] for array in arrays]
    with pytest.raises(ValueError, match=r'got lengths \[1, 2\]'):
        cascade_loss.cascade_loss(one[0] * 2, *one[1:], name='log')
    with pytest.raises(ValueError, match=r'got lengths \[0\]'):
        cascade_loss.cascade_loss([], [], [], [], name='log')

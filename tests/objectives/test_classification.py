"""Every loss against its formula in float64 numpy, gradients against finite differences, and extreme logits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.objectives import classification

A, C, GAMMA, THRESHOLD = 10.0, 0.2, 2.0, 0.01


def reference(name, logits, labels):
    """The printed formulas on probabilities, float64."""
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    p_true = np.where(labels == 1, p, 1 - p)
    match name:
        case 'log':
            return -np.log(p_true)
        case 'square':
            return (1 - p_true) ** 2
        case 'cube':
            return (1 - p_true) ** 3
        case 'focal':
            return -((1 - p_true) ** GAMMA) * np.log(p_true)
        case 'shrinkage':
            return -np.log(p_true) / (1 + np.exp(A * C) * p_true**A)  # Eq. 10
        case 'shrinkage_square':
            return (1 - p_true) ** 2 / (1 + np.exp(A * (C - (1 - p_true))))
        case 'hard_negative':
            return np.where((labels == 0) & (p < THRESHOLD), 0, -np.log(p_true))


@pytest.mark.parametrize('name', classification.NAMES)
def test_values_match_the_formulas(name):
    logits = np.linspace(-9, 9, 181).astype(np.float32)
    for labels in (np.zeros(181, np.int32), np.ones(181, np.int32)):
        got = classification.classification_loss(name, jnp.asarray(logits), jnp.asarray(labels))
        np.testing.assert_allclose(got, reference(name, logits, labels), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize('name', classification.NAMES)
def test_gradients_match_finite_differences(name):
    logits = np.linspace(-6, 6, 40)  # hard_negative's jump at logit(0.01) = -4.595 lies between two of them
    step = 1e-5
    with jax.enable_x64(True):
        for label in (0, 1):
            labels = np.full(logits.shape, label)

            def total(x, labels=labels):
                return classification.classification_loss(name, x, jnp.asarray(labels)).sum()

            got = jax.jit(jax.grad(total))(jnp.asarray(logits))
            slope = (reference(name, logits + step, labels) - reference(name, logits - step, labels)) / (2 * step)
            np.testing.assert_allclose(got, slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize('name', classification.NAMES)
def test_extreme_logits_give_finite_values_and_gradients(name, dtype):
    logits = jnp.asarray([-1e4, -200, -90, -17, 0, 17, 90, 200, 1e4], dtype)
    loss = jax.jit(jax.vmap(jax.value_and_grad(lambda x, y: classification.classification_loss(name, x, y))))
    for label in (0, 1):
        value, grad = loss(logits, jnp.full(logits.shape, label))
        value, grad = np.asarray(value, np.float64), np.asarray(grad, np.float64)
        assert np.isfinite(value).all()
        assert np.isfinite(grad).all()
        assert (value >= 0).all()
        right, wrong = (0, -1) if label == 0 else (-1, 0)
        assert value[right] == 0
        assert value[wrong] > 0.9


@pytest.mark.parametrize('gamma', [0.0, 0.5, 1.0, 5.0])
def test_focal_gradient_is_finite_for_any_gamma(gamma):
    logits = jnp.asarray([-1e4, -1.0, 0.0, 1.0, 1e4])
    labels = jnp.ones(5, jnp.int32)
    value, grad = jax.value_and_grad(lambda x: classification.focal(x, labels, gamma).sum())(logits)
    assert np.isfinite(value)
    assert np.isfinite(grad).all()
    if gamma == 0:
        np.testing.assert_allclose(
            classification.focal(logits, labels, gamma), classification.log_loss(logits, labels), rtol=1e-6
        )


def test_check_values_of_the_modulating_factor_and_the_shrinkage_loss():
    p = np.asarray([0.5, 0.6065, 0.7, 0.8187, 0.9, 0.95, 0.99, 0.999])
    f = [0.9928, 0.9526, 0.8273, 0.5001, 0.2796, 0.1844, 0.1302, 0.1203]
    loss = [0.68818, 0.47635, 0.29508, 0.10004, 0.02946, 0.00946, 0.00131, 0.00012]
    logits = jnp.asarray(np.log(p / (1 - p)), jnp.float32)
    np.testing.assert_allclose(classification.modulating(jnp.asarray(-np.log(p), jnp.float32)), f, atol=6e-5)
    np.testing.assert_allclose(classification.shrinkage(logits, jnp.ones(8, jnp.int32)), loss, atol=6e-6)
    np.testing.assert_allclose(classification.shrinkage(-logits, jnp.zeros(8, jnp.int32)), loss, atol=6e-6)


def test_figure_12b_shapes_from_public_functions():
    logits = jnp.linspace(-8, 8, 101)
    labels = jnp.ones(101, jnp.int32)
    error = np.asarray(classification.error(logits, labels))
    square = np.asarray(classification.square(logits, labels))
    weighted = np.asarray(classification.shrinkage_square(logits, labels))
    np.testing.assert_allclose(square, error**2, rtol=1e-5)
    np.testing.assert_allclose(classification.cube(logits, labels), error**3, rtol=1e-5)
    np.testing.assert_allclose(
        weighted, error**2 * np.asarray(classification.modulating(jnp.asarray(error))), rtol=1e-5
    )
    # Sec. 4.5: easy samples (l < 0.5) are penalised, hard ones keep their loss.
    assert (weighted[error < 0.1] < 0.3 * square[error < 0.1]).all()
    assert (weighted[error > 0.5] > 0.95 * square[error > 0.5]).all()


def test_settings_reach_their_loss():
    logits, labels = jnp.asarray([-3.0, 1.5]), jnp.asarray([0, 1])
    changes = {'shrinkage_speed': 5.0, 'shrinkage_location': 0.4}
    loss = classification.classification_loss
    p_true = 1 / (1 + np.exp([-3.0, -1.5]))
    log_loss = -np.log(p_true)
    np.testing.assert_allclose(
        loss('shrinkage', logits, labels, **changes),
        log_loss / (1 + np.exp(5 * (0.4 - log_loss))),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        loss('shrinkage_square', logits, labels, **changes),
        (1 - p_true) ** 2 / (1 + np.exp(5 * (0.4 - (1 - p_true)))),
        rtol=1e-5,
    )


def test_an_unknown_name_lists_the_accepted_ones():
    with pytest.raises(
        ValueError, match="unknown classification loss 'hinge'; accepted are shrinkage, .*hard_negative"
    ):
        classification.classification_loss('hinge', jnp.zeros(2), jnp.zeros(2, jnp.int32))

"""Regression losses against optax, closed forms and a plain loop; positives only."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sctrpn_jax.objectives import regression


def test_smooth_l1_and_its_gradient_match_optax():
    difference = jnp.linspace(-3, 3, 61)
    expected = optax.losses.huber_loss(difference, delta=1.0)
    np.testing.assert_allclose(regression.smooth_l1(difference), expected, rtol=1e-6, atol=1e-7)
    # Closed form: d within -1..1, the sign beyond.
    got = jax.vmap(jax.grad(regression.smooth_l1))(difference)
    np.testing.assert_allclose(got, np.clip(difference, -1, 1), rtol=1e-6, atol=1e-7)


def test_sum_of_four_coordinates_at_positives_alone():
    rng = np.random.default_rng(0)
    deltas, targets = rng.normal(0, 2, (2, 3, 5, 4)).astype(np.float32)
    labels = rng.integers(-1, 2, (3, 5))
    expected = np.zeros((3, 5))
    for b in range(3):
        for n in range(5):
            for d in abs(deltas[b, n] - targets[b, n]) if labels[b, n] == 1 else ():
                expected[b, n] += 0.5 * d * d if d < 1 else d - 0.5
    assert (expected > 0).any()
    got = regression.regression_loss(jnp.asarray(deltas), jnp.asarray(targets), jnp.asarray(labels))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_l1_sums_four_coordinates():
    deltas, targets = jnp.asarray([[1.0, 0.0, 0.5, -2.0]]), jnp.asarray([[0.0, 0.25, 0.5, 1.0]])
    np.testing.assert_allclose(regression.regression_loss(deltas, targets, jnp.ones(1), 'l1'), [1 + 0.25 + 0 + 3])


def test_giou_against_a_plain_loop_on_the_anchors_own_pixels():
    rng = np.random.default_rng(0)
    anchors = np.concatenate([rng.uniform(50, 200, (40, 2)), rng.uniform(10, 90, (40, 2))], 1).astype(np.float32)
    deltas, targets = rng.normal(0, 0.5, (2, 40, 4)).astype(np.float32)
    deltas[:20] = targets[:20] + 0.1 * deltas[:20]  # half of them overlap well
    expected = []
    for anchor, delta, target in zip(anchors, deltas, targets, strict=True):
        corners = []
        for tx, ty, tw, th in (delta, target):
            x, y = anchor[0] + anchor[2] * tx, anchor[1] + anchor[3] * ty
            w, h = anchor[2] * np.exp(tw), anchor[3] * np.exp(th)
            corners.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        (al, at, ar, ab), (bl, bt, br, bb) = corners
        inside = max(min(ar, br) - max(al, bl), 0) * max(min(ab, bb) - max(at, bt), 0)
        union = (ar - al) * (ab - at) + (br - bl) * (bb - bt) - inside
        hull = (max(ar, br) - min(al, bl)) * (max(ab, bb) - min(at, bt))
        expected.append(1 - inside / union + (hull - union) / hull)
    assert min(expected) < 0.5 and max(expected) > 1.1
    got = regression.regression_loss(jnp.asarray(deltas), jnp.asarray(targets), jnp.ones(40), 'giou')
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    same = regression.giou(jnp.asarray(targets), jnp.asarray(targets))
    np.testing.assert_allclose(same, np.zeros(40), atol=1e-5)


def test_unknown_loss_is_refused():
    with pytest.raises(ValueError, match="got 'l3', accepted are smooth_l1, l1, giou"):
        regression.regression_loss(jnp.zeros((1, 4)), jnp.zeros((1, 4)), jnp.ones(1), 'l3')


@pytest.mark.parametrize('name', ['l1', 'giou'])
@pytest.mark.parametrize('value', [1e4, np.nan])
def test_other_losses_leave_other_anchors_out(name, value):
    deltas, targets = jnp.asarray([[0.1] * 4, [value] * 4]), jnp.asarray([[0.0] * 4, [value] * 4])
    loss, grad = jax.value_and_grad(lambda x: regression.regression_loss(x, targets, jnp.asarray([1, 0]), name).sum())(
        deltas
    )
    assert np.isfinite(loss) and np.isfinite(grad).all()
    assert (np.asarray(grad[0]) > 0).any() and not np.asarray(grad[1]).any()


@pytest.mark.parametrize('value', [1e4, -1e4, np.inf, np.nan])
def test_other_anchors_never_reach_value_or_gradient(value):
    deltas = jnp.asarray([[1.0, 0.0, 0.5, -2.0], [value] * 4])
    targets = jnp.asarray([[0.0] * 4, [value] * 4])
    labels = jnp.asarray([1, 0])
    loss, grad = jax.value_and_grad(lambda x: regression.regression_loss(x, targets, labels).sum())(deltas)
    np.testing.assert_allclose(loss, 0.5 + 0 + 0.125 + 1.5)
    np.testing.assert_allclose(grad, [[1, 0, 0.5, -1], [0] * 4])

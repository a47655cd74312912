"""Classification losses: shrinkage (Eq. 8-10) and the losses the paper compares it with, elementwise on logits.

All are written on the logit of the true class with softplus and sigmoid, so that values and gradients stay finite.
"""

import typing

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax import config

EASY = 0.01  # probability below which a negative is easy (Sec. 4.3)


def true_class_logit(logits: chex.Array, labels: chex.Array) -> chex.Array:
    """Logit of p_t, the probability given to the true class: p where the label is 1, 1 - p elsewhere.

    Args:
      logits: [...] logits of the target probability p.
      labels: [...] 1 positive, anything else negative.

    Returns:
      [...].
    """
    chex.assert_equal_shape([logits, labels])
    return jnp.where(labels == 1, logits, -logits)


def error(logits: chex.Array, labels: chex.Array) -> chex.Array:
    """1 - p_t, in 0..1: the `l` of Sec. 4.5 and Fig. 12b; shapes as in `true_class_logit`."""
    return jax.nn.sigmoid(-true_class_logit(logits, labels))


def modulating(loss: chex.Array, speed: float = 10.0, location: float = 0.2) -> chex.Array:
    """Modulating factor f(l) = 1 / (1 + exp(a (c - l))), Eq. 8 and Fig. 12a.

    Args:
      loss: [...] the `l` of a sample: -log p_t (Eq. 10) or 1 - p_t (Sec. 4.5).
      speed: shrinkage speed, a of Eq. 8.
      location: shrinkage location, c of Eq. 8.

    Returns:
      [...] in 0..1.
    """
    return jax.nn.sigmoid(speed * (loss - location))


def log_loss(logits: chex.Array, labels: chex.Array) -> chex.Array:
    """-log p_t (the classification loss of Eq. 1); shapes as in `true_class_logit`."""
    return jax.nn.softplus(-true_class_logit(logits, labels))


def square(logits: chex.Array, labels: chex.Array) -> chex.Array:
    """(1 - p_t)^2, the square loss L2 of Fig. 12b; shapes as in `true_class_logit`."""
    return error(logits, labels) ** 2


def cube(logits: chex.Array, labels: chex.Array) -> chex.Array:
    """(1 - p_t)^3, the focal loss in the form L3 of Fig. 12b; shapes as in `true_class_logit`."""
    return error(logits, labels) ** 3


def focal(logits: chex.Array, labels: chex.Array, gamma: float = 2.0) -> chex.Array:
    """(1 - p_t)^gamma * -log p_t, the focal loss on the log loss (Lin et al., ICCV 2017).

    Args:
      logits: [...] logits of the target probability.
      labels: [...] 1 positive, anything else negative.
      gamma: not negative; 0 is the log loss.

    Returns:
      [...].
    """
    logit = true_class_logit(logits, labels)
    # exp(-gamma softplus) = (1 - p_t)^gamma, whose gradient is finite at p_t = 1 for any gamma.
    return jnp.exp(-gamma * jax.nn.softplus(logit)) * jax.nn.softplus(-logit)


def shrinkage(logits: chex.Array, labels: chex.Array, speed: float = 10.0, location: float = 0.2) -> chex.Array:
    """-log p_t weighted by f (`modulating`), Eq. 9 and Eq. 10; shapes as in `true_class_logit`."""
    loss = log_loss(logits, labels)
    return loss * modulating(loss, speed, location)


def shrinkage_square(logits: chex.Array, labels: chex.Array, speed: float = 10.0, location: float = 0.2) -> chex.Array:
    """(1 - p_t)^2 weighted by f(1 - p_t): the form of Sec. 4.5 and Fig. 12b; arguments as in `shrinkage`."""
    loss = error(logits, labels)
    return loss**2 * modulating(loss, speed, location)


def hard_negative(logits: chex.Array, labels: chex.Array) -> chex.Array:
    """Log loss without the easy negatives: online hard-negative mining of Sec. 4.3.

    Args:
      logits: [...] logits of the target probability p; negatives with p below `EASY` get no loss and no gradient.
      labels: [...] 1 positive, anything else negative.

    Returns:
      [...].
    """
    easy = (labels != 1) & (jax.nn.sigmoid(logits) < EASY)
    return jnp.where(easy, 0.0, log_loss(logits, labels))


NAMES = typing.get_args(config.Classification)


def classification_loss(
    name: str,
    logits: chex.Array,
    labels: chex.Array,
    *,
    shrinkage_speed: float = 10.0,
    shrinkage_location: float = 0.2,
) -> chex.Array:
    """The loss of that name, elementwise.

    Args:
      name: one of `NAMES`.
      logits: [...] logits of the target probability.
      labels: [...] 1 positive, anything else negative.
      shrinkage_speed: a of Eq. 8, for the two shrinkage losses.
      shrinkage_location: c of Eq. 8, for the two shrinkage losses.

    Returns:
      [...], not negative.

    Raises:
      ValueError: a name that is none of these.
    """
    match name:
        case 'shrinkage':
            return shrinkage(logits, labels, shrinkage_speed, shrinkage_location)
        case 'shrinkage_square':
            return shrinkage_square(logits, labels, shrinkage_speed, shrinkage_location)
        case 'log':
            return log_loss(logits, labels)
        case 'square':
            return square(logits, labels)
        case 'focal':
            return focal(logits, labels)
        case 'cube':
            return cube(logits, labels)
        case 'hard_negative':
            return hard_negative(logits, labels)
    raise ValueError(f'unknown classification loss {name!r}; accepted are {", ".join(NAMES)}')

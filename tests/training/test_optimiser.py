"""The three phases, as printed and as read."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.training import optimiser


def train_config(**changes):
    c = config_lib.TrainConfig()
    c.batch_size, c.pairs_per_epoch = 32, 320
    for name, value in changes.items():
        setattr(c, name, value)
    return c


def test_papers_schedule():
    c = train_config()
    schedule, n = optimiser.make_schedule(c), optimiser.steps_per_epoch(c)
    assert n == 10 and optimiser.total_steps(c) == 400 and optimiser.backbone_start(c) == 250
    np.testing.assert_allclose([schedule(s) for s in (0, 49, 50, 249, 250)], 1e-3, rtol=1e-5)
    np.testing.assert_allclose(schedule(325), 1e-4, rtol=1e-3)
    np.testing.assert_allclose(schedule(400), 1e-5, rtol=1e-3)


def test_other_readings():
    ramp = optimiser.make_schedule(train_config(warmup_ramp=True))
    np.testing.assert_allclose([ramp(0), ramp(25), ramp(50)], [1e-4, 5.5e-4, 1e-3], rtol=1e-4)
    assert optimiser.backbone_start(train_config(end_to_end_after_warmup=True)) == 50
    decaying = optimiser.make_schedule(train_config(decay_frozen=True))
    np.testing.assert_allclose(decaying(225), 1e-4, rtol=1e-2)


@pytest.mark.parametrize('name, decays', [('kernel', True), ('bias', False), ('scale', False)])
def test_sgd_against_the_formula(name, decays):
    c = train_config(weight_decay=0.1, momentum=0.9)
    sgd = optimiser.make_optimiser(c, factor=2.0, first_step=325)
    value, velocity = 3.0, 0.0
    params = {name: jnp.asarray(value)}
    state = sgd.init(params)
    for step, gradient in enumerate((1.0, -2.0, 0.5)):
        velocity = 0.9 * velocity + gradient + (0.1 * value if decays else 0)
        value -= 2.0 * float(optimiser.make_schedule(c)(325 + step)) * velocity
        updates, state = sgd.update({name: jnp.asarray(gradient)}, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(params[name], value, rtol=1e-6)


@jax.numpy_dtype_promotion('standard')  # optax raises a float to a whole number
def test_adamw_against_the_formula():
    c = train_config(weight_decay=0.1, momentum=0.8, optimiser='adamw')
    made = optimiser.make_optimiser(c, factor=2.0)
    value, first, second = 3.0, 0.0, 0.0
    params = {'kernel': jnp.asarray(value)}
    state = made.init(params)
    for step, gradient in enumerate((1.0, -2.0, 0.5)):
        first, second = 0.8 * first + 0.2 * gradient, 0.999 * second + 0.001 * gradient**2
        move = first / (1 - 0.8 ** (step + 1)) / (np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8)
        value -= 2.0 * float(optimiser.make_schedule(c)(step)) * (move + 0.1 * value)
        updates, state = made.update({'kernel': jnp.asarray(gradient)}, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_allclose(params['kernel'], value, rtol=1e-6)

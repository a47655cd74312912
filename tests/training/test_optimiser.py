"""The phases as printed and as read, and the optimiser against the formulas, part by part."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.training import optimiser


def train_config(**changes):
    return config_lib.TrainConfig(batch_size=32, pairs_per_epoch=320, **changes)


def phase(epochs, start=1e-3, end=1e-3, **changes):
    return config_lib.Phase(epochs, start, end, **changes)


def test_papers_schedule():
    c = train_config()
    schedule = optimiser.make_schedule(c)
    assert [(span.first, span.end) for span in optimiser.spans(c)] == [(0, 50), (50, 250), (250, 400)]
    assert optimiser.total_steps(c) == 400
    np.testing.assert_allclose([schedule(s) for s in (0, 49, 50, 249, 250)], 1e-3, rtol=1e-5)
    np.testing.assert_allclose(schedule(325), 1e-4, rtol=1e-3)
    np.testing.assert_allclose(schedule(400), 1e-5, rtol=1e-3)


@pytest.mark.parametrize('step, layers', [(0, ()), (249, ()), (250, (1, 2, 3, 4, 5)), (399, (1, 2, 3, 4, 5))])
def test_papers_phases_train_the_backbone_last(step, layers):
    assert optimiser.phase_at(train_config(), step).layers == layers


def test_other_readings_are_other_phases():
    ramp = optimiser.make_schedule(train_config(phases=(phase(5, 1e-4, 1e-3, ramp='linear'), phase(35))))
    np.testing.assert_allclose([ramp(0), ramp(25), ramp(50)], [1e-4, 5.5e-4, 1e-3], rtol=1e-4)
    early = train_config(phases=(phase(5), phase(20, layers=(4, 5)), phase(15, 1e-3, 1e-5, layers=(3, 4, 5))))
    assert optimiser.phase_at(early, 50).layers == (4, 5)
    whole, conv3 = optimiser.make_schedule(early), optimiser.make_schedule(early, 'conv3')
    # conv3 is first trained at step 250, so its own count begins there.
    np.testing.assert_allclose([conv3(n) for n in (0, 75)], [whole(n) for n in (250, 325)], rtol=1e-6)


def test_a_phase_of_no_step_is_left_out():
    c = train_config(phases=(phase(0.01), phase(2), phase(1.1)))
    assert [(span.first, span.end) for span in optimiser.spans(c)] == [(0, 20), (20, 31)]


def parameters(value):
    """A kernel and a bias of the heads and of two backbone layers."""
    leaf = {'kernel': jnp.asarray(value), 'bias': jnp.asarray(value)}
    return {'backbone': {'conv4': dict(leaf), 'conv5': dict(leaf)}, 'stages_0': dict(leaf)}


PHASES = (phase(0.2, 0.1, 0.1), phase(0.4, 0.1, 0.01, layers=(5,)), phase(0.2, 0.2, 0.2))
RATES = [0.1, 0.1, 0.1, 0.1 * 0.1 ** (1 / 4), 0.1 * 0.1 ** (2 / 4), 0.1 * 0.1 ** (3 / 4), 0.2, 0.2]


@jax.numpy_dtype_promotion('standard')  # optax raises a float to a whole number
@pytest.mark.parametrize('kind', ['sgd', 'adamw'])
def test_each_part_follows_the_formula_in_the_steps_that_train_it(kind):
    """Ten steps per epoch: the heads train in all eight, conv5 in steps 2 to 5 at twice the rate, conv4 never."""
    c = train_config(phases=PHASES, optimiser=kind, backbone_rate=2.0)
    made = optimiser.make_optimiser(c)
    params = parameters(3.0)
    state = made.init(params)
    expected = {(part, name): _Plain(kind, 3.0) for part in ('heads', 'conv5') for name in ('kernel', 'bias')}
    gradients = np.random.default_rng(0).normal(size=8).astype(np.float32)
    for step, gradient in enumerate(gradients):
        updates, state = made.update(parameters(float(gradient)), state, params)
        params = optax.apply_updates(params, updates)
        for (part, name), plain in expected.items():
            if part == 'heads' or 2 <= step < 6:
                plain.step(gradient, RATES[step] * (2 if part == 'conv5' else 1), decays=name == 'kernel')
    for (part, name), plain in expected.items():
        found = params['stages_0'] if part == 'heads' else params['backbone'][part]
        np.testing.assert_allclose(found[name], plain.value, rtol=1e-5, err_msg=f'{part} {name}')
    assert params['backbone']['conv4'] == parameters(3.0)['backbone']['conv4']


def test_a_later_part_of_a_run_goes_on_with_its_rates():
    whole, later = (train_config(phases=PHASES, first_phase=n, start_from='run') for n in (0, 1))
    assert optimiser.spans(later) == optimiser.spans(whole)[1:] and optimiser.first_step(later) == 2
    assert optimiser.total_steps(later) == 8
    made, params = optimiser.make_optimiser(later), parameters(3.0)
    state = made.init(params)
    plain = {part: _Plain('sgd', 3.0) for part in ('heads', 'conv5')}
    for step in range(2, 8):
        updates, state = made.update(parameters(0.5), state, params)
        params = optax.apply_updates(params, updates)
        for part, each in plain.items():
            if part == 'heads' or step < 6:
                each.step(0.5, RATES[step], decays=True)
    np.testing.assert_allclose(params['stages_0']['kernel'], plain['heads'].value, rtol=1e-5)
    np.testing.assert_allclose(params['backbone']['conv5']['kernel'], plain['conv5'].value, rtol=1e-5)


class _Plain:
    """SGD with momentum and AdamW of one number, from their papers."""

    def __init__(self, kind, value):
        self.kind, self.value, self.count = kind, value, 0
        self.first = self.second = 0.0

    def step(self, gradient, rate, decays):
        decay = 1e-4 * self.value if decays else 0.0
        self.count += 1
        if self.kind == 'sgd':
            self.first = 0.9 * self.first + gradient + decay
            self.value -= rate * self.first
            return
        self.first, self.second = 0.9 * self.first + 0.1 * gradient, 0.999 * self.second + 0.001 * gradient**2
        mean, square = self.first / (1 - 0.9**self.count), self.second / (1 - 0.999**self.count)
        self.value -= rate * (mean / (np.sqrt(square) + 1e-8) + decay)


def test_all_gradients_are_clipped_together():
    c = train_config(phases=(phase(1, 1.0, 1.0, layers=(4, 5)),))
    made = optimiser.make_optimiser(c)
    params = parameters(0.0)
    updates, _ = made.update(parameters(100.0), made.init(params), params)
    norm = np.sqrt(sum(float(leaf) ** 2 for leaf in jax.tree.leaves(updates)))
    np.testing.assert_allclose(norm, optimiser.CLIP_NORM, rtol=1e-6)


def test_the_run_is_described_in_one_line():
    assert optimiser.describe(train_config(phases=PHASES)) == (
        '8 steps, 256 pairs; from step 0: heads alone; from step 2: conv5; from step 6: heads alone'
    )

"""A signal at any statement of the training loop: nothing is lost or trained twice, and the end is bit-equal."""

import functools
import importlib.util
import pathlib
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.system import interrupts
from sctrpn_jax.training import checkpoint, feeding, loop, metric_log, optimiser, train_state, train_step, validation

STEPS = 6


def tiny():
    spec = importlib.util.spec_from_file_location('tiny_config', pathlib.Path(__file__).parent / 'tiny_config.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config()


class Kept:
    """Stands in for orbax: what is saved is copied at once, so that a state that was given away cannot be saved."""

    def __init__(self, store, workdir, folder='checkpoints'):
        self._saved = store.setdefault((str(workdir), folder), {})

    def latest_step(self):
        return max(self._saved, default=None)

    def save(self, step, state, position, config):
        self._saved.setdefault(step, (jax.device_get(state), position))

    def restore(self, state):
        return self._saved[self.latest_step()]

    def wait(self):
        pass

    close = wait


@pytest.fixture
def train(monkeypatch):
    """train(workdir) with a cheap step that takes its state's memory; `saved` and `stepped` count steps."""

    @functools.partial(jax.jit, static_argnums=(2, 3), donate_argnums=0)
    def step(state, batch, layers, running_norms):
        params = {'w': state.params['w'] * 0.5 + batch}
        metrics = {'loss': batch.sum(), 'finite': jnp.bool_(True), 'gradient_norm': jnp.float32(1), 'rate': batch.sum()}
        return train_state.TrainState(state.step + 1, params, {}, ()), metrics

    stepped, store, config = [], {}, tiny()

    def counting(state, *arguments):
        result = step(state, *arguments)
        stepped.append(1)
        return result

    def fresh(_):
        return train_state.TrainState(jnp.zeros((), jnp.int32), {'w': jnp.ones(3)}, {}, ())

    def feed(_, first, *__):
        return feeding.Feeding((jnp.full(3, float(i)) for i in range(first, 100)), lambda batch: batch, lambda: None)

    def validate(variables):
        interrupts.check()
        return {'success_auc': float(variables['params']['w'][0]), 'precision': 0.5}

    monkeypatch.setattr(train_step, 'make_train_step', lambda *_: counting)
    monkeypatch.setattr(train_state, 'create_train_state', fresh)
    monkeypatch.setattr(feeding, 'make_feeding', feed)
    monkeypatch.setattr(validation, 'Validator', lambda _: validate)
    monkeypatch.setattr(checkpoint, 'Checkpoints', functools.partial(Kept, store))
    monkeypatch.setattr(loop.loading, 'read_run_config', lambda *_: config)
    config.train.validate_every = 3

    def run(workdir):
        state = loop.train_and_evaluate(config, workdir)
        newest = {folder: max(store[str(workdir), folder].items()) for folder in ('checkpoints', 'best')}
        lines = metric_log.read_metrics(workdir / 'metrics.jsonl')
        return jax.device_get(state), newest, [line | {'pairs_per_second': 0} for line in lines]

    run.stepped = stepped
    run.saved = lambda workdir: max(store.get((str(workdir), 'checkpoints'), {}), default=0)
    return run


@pytest.mark.parametrize(
    'number, code, every',
    [
        (signal.SIGTERM, 143, 4),
        (signal.SIGINT, 130, 12),
        pytest.param(signal.SIGTERM, 143, 1, marks=pytest.mark.all),
    ],
)
def test_a_signal_at_any_statement_loses_nothing(train, signal_at, tmp_path, number, code, every):
    assert optimiser.total_steps(tiny().train) == STEPS
    with signal_at(loop) as executed:
        whole = train(tmp_path / 'whole')
    body = sorted({line for line in executed if executed.count(line) >= STEPS})
    assert len(body) > 15
    # Each statement where it is met first, and those of the body in the middle of the run too.
    places = [(line, 1) for line in sorted(set(executed))] + [(line, STEPS // 2) for line in body]
    left_early = 0
    for line, hit in places[::every]:
        workdir = tmp_path / f'{line}-{hit}'
        train.stepped.clear()
        with signal_at(loop, line, hit, number), pytest.raises(KeyboardInterrupt) as raised:
            train(workdir)
        assert getattr(raised.value, 'exit_code', 130) == code, line
        assert train.saved(workdir) == len(train.stepped), f'line {line}: trained and not saved'
        left_early += len(train.stepped) < STEPS
        assert not interrupts.noted()
        resumed = train(workdir)
        assert len(train.stepped) == STEPS, f'line {line}: some steps were trained twice'
        jax.tree.map(np.testing.assert_array_equal, resumed, whole)
    assert left_early > len(places[::every]) * 0.8

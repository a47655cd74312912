"""Training learns: losses fall from a fixed seed, and the paper's own config takes real steps."""

import pathlib
import runpy

import jax
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.training import loop, metric_log

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / 'configs'


def losses(config, workdir):
    config.train.log_every, config.train.checkpoint_every, config.train.validate_every = 1, 10**6, 0
    loop.train_and_evaluate(config, workdir)
    return [line['loss'] for line in metric_log.read_metrics(workdir / 'metrics.jsonl')]


@pytest.mark.all
def test_the_loss_falls_below_80_percent_in_50_steps(tmp_path):
    """A narrow one-stage network on generated sequences; the means of the first and the last ten steps."""
    config = runpy.run_path(str(CONFIGS / 'quickstart.py'))['get_config']()
    config.model.backbone.widths, config.model.channels = (8, 8, 8, 8, 8), 8
    config.model.cascade.layers, config.model.search_size, config.augment.search_shift = (5,), 191, 32.0
    config.model.matching = False  # it starts where learning should lead
    config.train.batch_size, config.train.pairs_per_epoch = 8, 400
    config.train.phases = (config_lib.Phase(epochs=1, start_rate=0.02, end_rate=0.01, layers=(1, 2, 3, 4, 5)),)
    found = losses(config, tmp_path)
    assert len(found) == 50
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:10])


@pytest.mark.all
def test_the_papers_config_takes_a_step(tmp_path):
    """Only the places of data and weights, the batch and the length are changed."""
    config = runpy.run_path(str(CONFIGS / 'sctrpn_paper.py'))['get_config']()
    config.model.backbone.weights = config.data.root = ''
    config.train.batch_size, config.train.pairs_per_epoch = 2, 2
    config.train.log_every, config.train.validate_every = 1, 0
    config.train.phases = tuple(config_lib.Phase(1, p.start_rate, p.end_rate, layers=p.layers) for p in _paper())
    before = jax.device_get(loop.state_lib.create_train_state(config)).params
    state = loop.train_and_evaluate(config, tmp_path)
    assert int(state.step) == 3
    found = [line['loss'] for line in metric_log.read_metrics(tmp_path / 'metrics.jsonl')]
    assert np.isfinite(found).all()
    moved = jax.tree.map(lambda a, b: bool((np.asarray(a) != np.asarray(b)).any()), before, state.params)
    # The last phase reaches every kernel, the first convolution's too.
    assert all(layer['kernel'] for layer in moved['backbone'].values())


def _paper():
    return config_lib.TrainConfig().phases

"""A small network, a clip, and both exported with a fixed and an open batch; frames up to 240 x 180."""

import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated
from sctrpn_jax.export import writer
from sctrpn_jax.export.target import Target
from sctrpn_jax.models import sctrpn

LARGEST = (240, 180)


@pytest.fixture(scope='session')
def network():
    """(variables, config)."""
    config = config_lib.Config()
    config.model.backbone.widths, config.model.backbone.groups = (8, 8, 8, 8, 8), (1,) * 5
    config.model.backbone.norm, config.model.channels, config.model.matching = 'none', 8, True
    config.model.cascade.layers, config.track.voting = (5,), True
    config.track.rerank_exponents = (0.05, 0.1, 0.1)
    config.model.fem.stn_first = True  # a spatial transformer in a cascade of one
    return sctrpn.init_variables(sctrpn.SCTRPN(config.model), 0), config


@pytest.fixture(scope='session')
def clip():
    """(frames [6, 160, 200, 3], boxes [6, 4]): smaller than the largest frame on both sides."""
    return generated.make_sequence(5, 6, height=160, width=200)


@pytest.fixture(scope='session')
def single(network, tmp_path_factory):
    """Folder of an export with a batch of one, for both platforms."""
    folder = tmp_path_factory.mktemp('export') / 'single'
    writer.write(folder, *network, Target(LARGEST))
    return folder


@pytest.fixture(scope='session')
def any_batch(network, tmp_path_factory):
    """Folder of an export with an open batch."""
    folder = tmp_path_factory.mktemp('export') / 'any'
    writer.write(folder, *network, Target(LARGEST, batch='symbolic'))
    return folder

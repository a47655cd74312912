"""A narrow untrained network whose score is the plain match of its features, and a generated clip."""

import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated
from sctrpn_jax.models import sctrpn


def narrow_config() -> config_lib.Config:
    config = config_lib.Config()
    config.model.backbone.widths, config.model.backbone.groups = (8, 8, 8, 8, 8), (1, 1, 1, 1, 1)
    config.model.channels, config.model.matching = 16, True
    config.model.cascade.layers = (5, 4)
    config.track.rerank_exponents, config.track.voting = (0.05, 0.1, 0.1), True
    return config


@pytest.fixture(scope='session')
def narrow():
    """(variables, config)."""
    config = narrow_config()
    return sctrpn.init_variables(sctrpn.SCTRPN(config.model), 0), config


@pytest.fixture(scope='session')
def clip():
    """(frames [10, 160, 200, 3], boxes [10, 4])."""
    return generated.make_sequence(5, 10, height=160, width=200)

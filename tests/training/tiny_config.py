"""The smallest run that has every part: two stages, STN, both phases, generated data."""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """Six steps of two pairs; the backbone trains from step 4."""
    config = config_lib.Config()
    model = config.model
    model.backbone.widths, model.backbone.groups = (4, 4, 4, 4, 4), (1, 1, 1, 1, 1)
    model.backbone.norm = 'batch'
    model.channels = 4
    model.matching = True
    model.cascade.layers = (5, 4)
    train = config.train
    train.batch_size, train.pairs_per_epoch = 2, 4
    train.phases = (
        config_lib.Phase(epochs=2, start_rate=0.01, end_rate=0.01),
        config_lib.Phase(epochs=1, start_rate=0.01, end_rate=1e-5, layers=(1, 2, 3, 4, 5)),
    )
    train.log_every, train.checkpoint_every, train.validate_every = 1, 2, 0
    return config

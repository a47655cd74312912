"""Twenty steps of one stage in which everything learns: one program, soon compiled."""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """Steps of four pairs, a checkpoint after every fifth."""
    config = config_lib.Config()
    model = config.model
    model.backbone.widths, model.backbone.groups = (4, 4, 4, 4, 4), (1, 1, 1, 1, 1)
    model.backbone.norm = 'batch'
    model.channels = 4
    model.cascade.layers = (5,)
    train = config.train
    train.batch_size, train.pairs_per_epoch = 4, 80
    train.phases = (config_lib.Phase(epochs=1, start_rate=0.01, end_rate=0.001, layers=(1, 2, 3, 4, 5)),)
    train.log_every, train.checkpoint_every, train.validate_every = 1, 5, 0
    return config

"""The smallest run that has every part: three stages, STN, both phases, generated data."""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """Six steps of two pairs; the backbone trains from step 4."""
    config = config_lib.Config()
    model = config.model
    model.backbone.widths, model.backbone.groups = (4, 4, 4, 4, 4), (1, 1, 1, 1, 1)
    model.backbone.norm = 'batch'
    model.fem.channels = model.head.channels = 4
    train = config.train
    train.batch_size, train.pairs_per_epoch, train.epochs = 2, 4, 3
    train.warmup_epochs, train.final_epochs = 1.0, 1.0
    train.rate = train.warmup_rate = 0.01
    train.log_every, train.checkpoint_every, train.validate_every = 1, 2, 0
    return config

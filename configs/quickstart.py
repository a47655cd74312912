"""Minutes on a CPU, nothing to download: a narrow network from random weights on generated sequences.

bin/train --config configs/quickstart.py --workdir runs/quickstart
"""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """A narrow backbone without pretrained weights, trained end to end from the first step."""
    config = config_lib.Config()
    model = config.model
    model.backbone.widths = (16, 32, 48, 48, 32)
    model.backbone.groups = (1, 1, 1, 1, 1)
    model.backbone.norm = 'batch'
    model.fem.channels = model.head.channels = 32
    train = config.train
    train.batch_size, train.pairs_per_epoch, train.epochs = 8, 800, 4
    train.warmup_epochs, train.final_epochs = 0.0, 4.0
    train.rate, train.final_rate = 0.02, 1e-3
    train.log_every, train.checkpoint_every, train.validate_every = 20, 100, 200
    return config

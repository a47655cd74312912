"""Minutes on a CPU, nothing to download: a narrow network from random weights on generated sequences.

    bin/train --config configs/quickstart.py --workdir runs/quickstart

3,200 pairs. It shows that training works; the network is far from the pretrained ones.
"""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """A narrow backbone without pretrained weights, trained end to end from the first step."""
    config = config_lib.Config()

    model = config.model
    model.backbone.widths = (16, 32, 48, 48, 32)
    model.backbone.groups = (1, 1, 1, 1, 1)
    model.backbone.norm = 'batch'
    model.channels = 32
    model.matching = True

    train = config.train
    train.batch_size = 8
    train.pairs_per_epoch = 800
    train.phases = (config_lib.Phase(epochs=4, start_rate=0.02, end_rate=1e-3, layers=(1, 2, 3, 4, 5)),)
    train.log_every = 20
    train.checkpoint_every = 100
    train.validate_every = 200

    track = config.track
    track.rerank_exponents = (0.05, 0.1, 0.1)
    track.voting = True
    return config

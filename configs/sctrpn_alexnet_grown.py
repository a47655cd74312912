"""The full network from the trained lite one: two towers, stages of 256 channels, every layer trained end to end.

    bin/train --config configs/sctrpn_alexnet_grown.py --workdir runs/full --config.data.root=DIR

From ImageNet weights alone two CPU cores would need a day. The lite network's channels come first and keep what they
learned; the second ImageNet tower and as many new head channels join in (`training/growth.py`).
"""

import pathlib
import runpy

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """What is not set here is as in `sctrpn_lite_end_to_end.py`."""
    config = runpy.run_path(str(pathlib.Path(__file__).with_name('sctrpn_lite_end_to_end.py')))['get_config']()
    backbone = config.model.backbone
    backbone.widths, backbone.groups, backbone.one_tower = (96, 256, 384, 384, 256), (1, 2, 1, 2, 2), False
    config.model.fem.channels = config.model.head.channels = 256
    config.augment.low_resolution = 0.3
    train = config.train
    train.start_from = 'sctrpn_lite'
    train.pairs_per_epoch, train.epochs, train.final_epochs = 800, 21, 8.0
    train.rate = train.warmup_rate = 5e-4
    config.track.size_rate = 0.5  # chosen on DAVIS for the network that is shipped, whose sizes are worth less
    return config

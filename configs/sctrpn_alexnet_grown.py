"""The full network from the trained lite one: two towers, stages of 256 channels, every layer trained end to end.

    bin/train --config configs/sctrpn_alexnet_grown.py --workdir runs/full --config.data.root=DIR

From ImageNet weights alone two CPU cores would need a day. The lite network's channels come first and keep what they
learned; the second ImageNet tower and as many new head channels join in (`training/growth.py`).
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax import paths, pretrained


def get_config() -> config_lib.Config:
    """What is not set here is as the shipped lite network was trained and tuned."""
    _, config = pretrained.load_pretrained('sctrpn_lite')
    shared = paths.shared_dir()
    backbone = config.model.backbone
    backbone.widths, backbone.groups = (96, 256, 384, 384, 256), (1, 2, 1, 2, 2)
    backbone.weights, backbone.one_tower = str(shared / 'weights' / 'alexnet_imagenet.npz'), False
    config.model.fem.channels = config.model.head.channels = 256
    config.data.root = str(shared / 'data' / 'train')
    config.validation.root = str(shared / 'data' / 'sequences' / 'DAVIS')
    config.data.region_share, config.augment.search_scale = 0.2, 0.3
    config.augment.low_resolution = 0.3
    train = config.train
    train.start_from = 'sctrpn_lite'
    train.pairs_per_epoch, train.epochs, train.final_epochs = 800, 21, 8.0
    train.rate = train.warmup_rate = 5e-4
    train.final_rate, train.train_layers, train.backbone_rate = 2e-5, (1, 2, 3, 4, 5), 0.1
    return config

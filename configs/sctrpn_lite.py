"""A narrow SCTRPN for two CPU cores: one tower of the ImageNet AlexNet, 48-128-192-192-128, heads of 128 channels.

    bin/train --config configs/sctrpn_lite.py --workdir runs/lite --config.data.root=DIR
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax import paths


def get_config() -> config_lib.Config:
    """Larger rates than the paper's: 1e-3 under-trains in an hour."""
    config = config_lib.Config()
    shared = paths.shared_dir()
    backbone = config.model.backbone
    backbone.widths, backbone.groups = (48, 128, 192, 192, 128), (1, 1, 1, 1, 1)
    backbone.weights, backbone.one_tower = str(shared / 'weights' / 'alexnet_imagenet.npz'), True
    config.model.fem.channels = config.model.head.channels = 128
    config.data.root = str(shared / 'data' / 'train')
    config.validation.root = str(shared / 'data' / 'sequences' / 'DAVIS')
    return config

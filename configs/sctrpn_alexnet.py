"""The paper's run: two-tower AlexNet from ImageNet, three stages with STN, shrinkage loss, 40 epochs (Sec. 4.2).

bin/train --config configs/sctrpn_alexnet.py --workdir runs/alexnet --config.data.root=DIR
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax import paths


def get_config() -> config_lib.Config:
    """Every default is the paper's; only the places of data and weights are set."""
    config = config_lib.Config()
    shared = paths.shared_dir()
    config.model.backbone.weights = str(shared / 'weights' / 'alexnet_imagenet.npz')
    config.data.root = str(shared / 'data' / 'train')
    config.validation.root = str(shared / 'data' / 'sequences' / 'DAVIS')
    return config

"""The paper's run: two-tower AlexNet from ImageNet, three stages with STN, shrinkage loss, 40 epochs (Sec. 4.2).

    bin/train --config configs/sctrpn_paper.py --workdir runs/paper --config.data.root=DIR

2.56 million pairs: made for a GPU and days. It has not been run to its end here. The paper reports EAO 0.361 and 0.395
on VOT-2018 (Tables 1 and 3).
"""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """The defaults, which are the paper's as docs/paper_to_code.md reads it; only the places of files are set."""
    config = config_lib.Config()
    config.model.backbone.weights = 'data/alexnet_imagenet.npz'
    config.data.root = 'data/train'
    config.train.validation_root = 'data/DAVIS'
    return config

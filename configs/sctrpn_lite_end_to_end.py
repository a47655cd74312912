"""Second part of the lite network's training: every layer end to end, over a wider range of scales.

    bin/train --config configs/sctrpn_lite_end_to_end.py --workdir runs/lite_end_to_end --config.data.root=DIR

Goes on from the run of `configs/sctrpn_lite.py` (`--config.train.start_from=FOLDER` for another).
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax import paths, pretrained


def get_config() -> config_lib.Config:
    """What is not set here is as the shipped lite network was trained and tuned."""
    _, config = pretrained.load_pretrained('sctrpn_lite')
    shared = paths.shared_dir()
    config.model.backbone.weights = str(shared / 'weights' / 'alexnet_imagenet.npz')
    config.data.root = str(shared / 'data' / 'train')
    config.validation.root = str(shared / 'data' / 'sequences' / 'DAVIS')
    config.augment.search_scale = 0.25
    train = config.train
    train.start_from = 'runs/lite'
    train.pairs_per_epoch, train.epochs, train.final_epochs = 1600, 14, 14.0
    train.rate = train.warmup_rate = 4e-4
    train.final_rate, train.train_layers, train.backbone_rate = 2e-5, (1, 2, 3, 4, 5), 0.1
    config.seed = 1
    return config

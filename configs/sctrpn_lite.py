"""A narrow SCTRPN for two CPU cores: one tower of the ImageNet AlexNet, 48-128-192-192-128, heads of 128 channels.

    bin/train --config configs/sctrpn_lite.py --workdir runs/lite --config.data.root=DIR

Three quarters of an hour on two cores: 18,432 pairs, the backbone frozen throughout (a pair costs two and a half
times as much once it trains). With more time or a GPU, raise `train.pairs_per_epoch` and set `train.final_epochs`.
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax import paths


def get_config() -> config_lib.Config:
    """Larger rates than the paper's (1e-3 under-trains in an hour); video, rare in the data, is drawn often."""
    config = config_lib.Config()
    shared = paths.shared_dir()
    backbone = config.model.backbone
    backbone.widths, backbone.groups = (48, 128, 192, 192, 128), (1, 1, 1, 1, 1)
    backbone.weights, backbone.one_tower = str(shared / 'weights' / 'alexnet_imagenet.npz'), True
    config.model.fem.channels = config.model.head.channels = 128
    config.data.root = str(shared / 'data' / 'train')
    config.validation.root = str(shared / 'data' / 'sequences' / 'DAVIS')
    config.data.video_share, config.data.mirror_share = 0.4, 0.5
    train = config.train
    train.batch_size, train.pairs_per_epoch, train.epochs = 16, 1024, 18
    train.warmup_epochs, train.warmup_ramp, train.warmup_rate = 0.5, True, 0.02
    train.rate, train.final_rate, train.decay_frozen, train.final_epochs = 0.02, 5e-4, True, 0.0
    train.log_every, train.checkpoint_every, train.validate_every = 16, 192, 384
    config.validation.sequences = 5
    # Chosen on the twenty DAVIS validation sequences.
    track = config.track
    track.window, track.penalty, track.size_rate, track.nms_iou = 0.2, 0.6, 0.1, 0.5
    return config

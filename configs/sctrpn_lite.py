"""A narrow SCTRPN for two CPU cores: one tower of the ImageNet AlexNet, 48-128-192-192-128, heads of 128 channels.

    bin/train --config configs/sctrpn_lite.py --workdir runs/lite --config.data.root=DIR

An hour and a quarter on two cores: 67,584 pairs, conv3 to conv5 trained from the tenth thousand on. With more time or a
GPU, raise `train.pairs_per_epoch`.
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax import paths


def get_config() -> config_lib.Config:
    """Target-shaped anchors, GIoU and AdamW learn boxes in an hour; the paper's do not (docs/experiments.md)."""
    config = config_lib.Config()
    shared = paths.shared_dir()
    backbone = config.model.backbone
    backbone.widths, backbone.groups = (48, 128, 192, 192, 128), (1, 1, 1, 1, 1)
    backbone.weights, backbone.one_tower = str(shared / 'weights' / 'alexnet_imagenet.npz'), True
    config.model.fem.channels = config.model.head.channels = 128
    config.model.anchors.shape, config.model.anchors.ratios = 'target', (1.0,)
    config.model.cascade.theta = 1.0  # of 81 anchors none is dropped
    config.data.root = str(shared / 'data' / 'train')
    config.validation.root = str(shared / 'data' / 'sequences' / 'DAVIS')
    config.data.video_share, config.data.mirror_share = 0.5, 0.5  # video is rare in the data
    config.data.region_share = 0.25
    # Smaller crops than in tracking: half the work, the same scale of the target.
    config.model.search_size, config.augment.search_shift = 191, 32.0
    # These three make the network measure sizes; without them it gives the size it expects (docs/experiments.md).
    config.augment.search_zoom, config.loss.first_labels, config.loss.regression_mean = 0.4, 'place', 'pairs'
    loss = config.loss
    loss.regression, loss.xi, loss.balanced = 'giou', 2.0, True
    loss.positive_iou, loss.positive_iou_step, loss.negative_iou, loss.max_samples = 0.6, 0.05, 0.4, 512
    train = config.train
    train.batch_size, train.pairs_per_epoch, train.epochs = 16, 1408, 48
    train.optimiser, train.warmup_epochs, train.rate, train.final_rate = 'adamw', 0.0, 1e-3, 2e-5
    train.final_epochs, train.train_layers, train.backbone_rate = 41.0, (3, 4, 5), 0.1
    train.log_every, train.checkpoint_every, train.validate_every = 50, 200, 1000
    config.validation.sequences = 5
    # Chosen on the twenty DAVIS validation sequences, `lost_score` on generated clips too (docs/experiments.md).
    track = config.track
    track.search_size, track.window, track.penalty, track.size_rate, track.nms_iou = 191, 0.3, 0.3, 0.65, 0.5
    track.lost_score, track.lost_search_size, track.calibrate = 0.1, 351, 1.0
    return config

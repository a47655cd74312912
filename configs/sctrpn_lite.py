"""A narrow SCTRPN for two CPU cores: one tower of the ImageNet AlexNet, RPN branches of 128 channels.

    bin/train --config configs/sctrpn_lite.py --workdir runs/lite --config.data.root=DIR

90,000 pairs: an hour and a half on two CPU cores. It makes the network that comes with the package
(docs/model_card.md); with `--config.train.validation_root= --config.train.validate_every=0`, where no DAVIS is at hand.
"""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """Anchors of the target's shape, generalised IoU and AdamW learn boxes in hours; the paper's need days."""
    config = config_lib.Config()

    model = config.model
    model.backbone.widths = (48, 128, 192, 192, 128)
    model.backbone.groups = (1, 1, 1, 1, 1)
    model.backbone.weights = 'data/alexnet_imagenet.npz'
    model.channels = 128
    model.matching = True
    model.anchors.shape = 'target'
    model.anchors.ratios = (1.0,)
    model.cascade.theta = 1.0  # of 81 anchors none is dropped
    model.search_size = 191  # half the work of 255, at the same scale of the target

    loss = config.loss
    loss.regression = 'giou'
    loss.xi = 1.5
    loss.average = 'pairs'
    loss.positive_iou = 0.6
    loss.positive_iou_step = 0.05
    loss.negative_iou = 0.4
    loss.first_labels = 'place'
    loss.max_samples = 512

    data = config.data
    data.root = 'data/train'
    # Up: varied video. Down: many boxes of few kinds.
    data.sources = (
        '*',
        'davis2016_train:weight=2',
        'mot16_04:weight=0.5',
        'mot17_11:weight=0.5',
        'drone_detection_visible:weight=0.5',
        'fod_a:weight=0.5',
    )
    data.negative_share = 0.1
    data.mirror_share = 0.5
    data.video_share = 0.45
    data.region_share = 0.25

    augment = config.augment
    augment.search_shift = 32.0
    augment.search_scale = 0.12
    augment.zoom = 0.3  # without it the network gives the size it expects, not the one it sees
    augment.blur = 0.15
    augment.low_resolution = 0.1
    augment.gray = 0.15

    train = config.train
    train.batch_size = 16
    train.pairs_per_epoch = 10_000
    train.phases = (
        config_lib.Phase(epochs=1, start_rate=1e-3, end_rate=1e-3),
        config_lib.Phase(epochs=6, start_rate=1e-3, end_rate=1e-4, layers=(3, 4, 5)),
        config_lib.Phase(epochs=2, start_rate=2e-4, end_rate=1e-5, layers=(1, 2, 3, 4, 5), running_norms=True),
    )
    train.backbone_rate = 0.1
    train.optimiser = 'adamw'
    train.validation_root = 'data/DAVIS'
    train.checkpoint_every = 625  # an epoch, so that every phase ends with a checkpoint

    # Chosen on the twenty DAVIS validation sequences; recovery.score on generated clips too; stages, window and filter
    # on these two and on videos of crowds (docs/model_card.md).
    track = config.track
    track.search_size = 191
    track.stages = 1  # the others take time and find no more targets (docs/experiments.md)
    track.window = 0.05
    track.penalty = 0.3
    track.size_rate = 0.65
    track.rerank_exponents = (0.05, 0.1, 0.1)
    track.nms_iou = 0.5
    track.voting = True
    track.first_frame.correction = 1.0
    track.recovery.score = 0.12
    track.recovery.search_size = 351
    track.filter_exponent = 1.0
    return config

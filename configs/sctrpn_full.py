"""The full SCTRPN, grown from the lite one: both towers of AlexNet, RPN branches of 256 channels.

    bin/train --config configs/sctrpn_full.py --workdir runs/full --config.data.root=DIR

16,800 pairs, about an hour on two CPU cores. It begins with the lite network that comes with the package, whose
channels come first and keep what they learned; the second ImageNet tower and as many new channels join them. The full
network that comes with the package was made with other losses, before this file (docs/model_card.md): success 0.669 on
DAVIS. The file as it stands has not yet been run to its end.
"""

from sctrpn_jax import config as config_lib


def get_config() -> config_lib.Config:
    """The lite recipe's losses and data; a run from ImageNet weights alone would take two CPU cores a day."""
    config = config_lib.Config()

    model = config.model
    model.backbone.weights = 'data/alexnet_imagenet.npz'
    model.matching = True
    model.anchors.shape = 'target'
    model.anchors.ratios = (1.0,)
    model.cascade.theta = 1.0  # of 81 anchors none is dropped
    model.search_size = 191  # half the work of 255, at the same scale of the target

    loss = config.loss
    loss.regression = 'giou'
    loss.xi = 0.5
    loss.average = 'pairs'
    loss.positive_iou = 0.6
    loss.positive_iou_step = 0.05
    loss.negative_iou = 0.4
    loss.first_labels = 'place'
    loss.max_samples = 512

    data = config.data
    data.root = 'data/train'
    data.negative_share = 0.25
    data.mirror_share = 0.5
    data.video_share = 0.5  # video is rare in the data
    data.region_share = 0.25

    augment = config.augment
    augment.search_shift = 32.0
    augment.search_scale = 0.12
    augment.zoom = 0.3  # without it the network gives the size it expects, not the one it sees
    augment.blur = 0.1
    augment.low_resolution = 0.3
    augment.gray = 0.15

    train = config.train
    train.start_from = 'sctrpn_lite'
    train.batch_size = 16
    train.pairs_per_epoch = 800
    train.phases = (
        config_lib.Phase(epochs=13, start_rate=5e-4, end_rate=5e-4, running_norms=True),
        config_lib.Phase(epochs=8, start_rate=5e-4, end_rate=1e-5, layers=(1, 2, 3, 4, 5), running_norms=True),
    )
    train.backbone_rate = 0.1
    train.optimiser = 'adamw'
    train.validation_root = 'data/DAVIS'
    train.checkpoint_every = 200
    train.validate_every = 350

    # Chosen on the twenty DAVIS validation sequences, recovery.score on generated clips too (docs/model_card.md).
    track = config.track
    track.search_size = 191
    track.window = 0.05
    track.penalty = 0.3
    track.size_rate = 0.5  # its sizes are worth less than the lite network's
    track.rerank_exponents = (0.05, 0.1, 0.1)
    track.nms_iou = 0.5
    track.voting = True
    track.first_frame.correction = 1.0
    track.recovery.score = 0.12
    track.recovery.search_size = 351
    track.filter_exponent = 1.0
    config.seed = 1
    return config

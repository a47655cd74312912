"""Every setting a user may tune, as nested dataclasses: one concern a class, the paper's value as the default.

`configs/*.py` return a `Config` with some fields changed; `bin/train --config.section.field=value` changes one more.
Readings that depart from the printed text are named here and explained in docs/paper_to_code.md.
"""

import dataclasses
from dataclasses import dataclass, field


@dataclass
class BackboneConfig:
    """AlexNet conv1..conv5 (Sec. 4.2), stride 8, no padding."""

    widths: tuple[int, ...] = (96, 256, 384, 384, 256)
    groups: tuple[int, ...] = (1, 2, 1, 2, 2)  # the two-tower form of the ImageNet weights
    norm: str = 'lrn'  # lrn (as the ImageNet weights were trained) / batch / none
    mean: tuple[float, ...] = (122.226, 116.209, 103.565)  # RGB, subtracted from 0..255
    std: tuple[float, ...] = (1.0, 1.0, 1.0)  # RGB, divides after the mean is taken off
    weights: str = ''  # .npz of bin/import_backbone; empty: random
    one_tower: bool = False  # start from the first tower's slices of two-tower weights


@dataclass
class FEMConfig:
    """Feature extraction model, Eq. 2 and Sec. 3.2."""

    channels: int = 256
    transform: str = 'stn'  # stn / resize ("without STN")
    grid: str = 'aligned'  # aligned (crop pixels) / stretch (the printed rescale)
    stn_on: str = 'both'  # both / template / search: the branches whose features the STN warps
    stn_first: bool = False  # an STN on phi_1 too (Table 1 has one stage with STN)
    realign: bool = False  # undo the warp after fusion, so the map fits the anchor grid again
    max_angle: float = 10.0  # degrees (Sec. 3.2)
    max_scale: float = 0.1  # scale within 1 - max_scale .. 1 + max_scale
    max_shift: float = 1.0  # cells


@dataclass
class HeadConfig:
    """RPN branches (Eq. 3) and how the template conditions them."""

    channels: int = 256
    correlation: str = 'depthwise'  # depthwise / upchannel (SiamRPN) / none (Eq. 3 to the letter)
    norm: str = 'batch'  # batch / group
    skip: bool = True  # add the cosines of the backbone's maps with the target to the score; training starts from it


@dataclass
class AnchorConfig:
    """One anchor a ratio at each cell, search-crop pixels (SiamRPN)."""

    shape: str = 'fixed'  # fixed (the paper's) / target (the first frame's box, so that regression is relative to it)
    stride: int = 8
    scale: float = 8.0  # of fixed anchors
    ratios: tuple[float, ...] = (0.33, 0.5, 1.0, 2.0, 3.0)  # height over width; of target anchors: times the target's


@dataclass
class CascadeConfig:
    """How a stage hands its anchors to the next (Eq. 6 and the filter by theta)."""

    layers: tuple[int, ...] = (5, 4, 3)  # backbone layer of each stage; its length is L
    theta: float = 0.95  # an anchor whose negative confidence exceeds it is dropped (C-RPN)
    min_keep: int = 16  # never fewer anchors than this
    max_log_size: float = 1.5  # bound on |t_w|, |t_h| before exp


@dataclass
class ModelConfig:
    """The network."""

    template_size: int = 127
    search_size: int = 255
    precision: str = 'float32'  # of the convolutions: float32 / tf32 (NVIDIA GPUs; elsewhere float32) / bfloat16
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    fem: FEMConfig = field(default_factory=FEMConfig)
    head: HeadConfig = field(default_factory=HeadConfig)
    anchors: AnchorConfig = field(default_factory=AnchorConfig)
    cascade: CascadeConfig = field(default_factory=CascadeConfig)


@dataclass
class LossConfig:
    """Objectives (Eq. 1, 4, 7, 8-10) and labels."""

    classification: str = 'shrinkage'  # shrinkage / shrinkage_square / log / square / focal / cube / hard_negative
    a: float = 10.0  # shrinkage speed
    c: float = 0.2  # shrinkage location
    focal_gamma: float = 2.0
    hard_negative_threshold: float = 0.01  # negatives with p below it get no loss (Sec. 4.3)
    regression: str = 'smooth_l1'  # smooth_l1 (Eq. 1) / l1 / giou
    xi: float = 1.0  # weight of the regression term (Eq. 4; lambda of Eq. 1)
    normalize: bool = True  # divide each term by its own count (Sec. 4.5); False: Eq. 4's plain sums
    regression_mean: str = 'anchors'  # over all positives of a batch / pairs (each pair counts alike)
    balanced: bool = False  # positives and negatives averaged apart, half the loss each (pysot)
    positive_iou: float = 0.7
    first_labels: str = 'iou'  # of the first stage: iou / place (anchors count as if they had the target's size)
    positive_iou_step: float = 0.0  # added from stage to stage, so that later ones learn to tell good boxes from fair
    negative_iou: float = 0.3
    best_anchor: bool = True  # where none passes positive_iou the best one is the positive
    max_samples: int = 64
    max_positives: int = 16


@dataclass
class DataConfig:
    """Where pairs come from (docs/datasets.md)."""

    root: str = ''  # folder of sources: prepared sets and folders with a boxes.csv; empty: generated sequences alone
    # NAME[:weight=2][:interval=10-100][:split=train] under root (data/mixture.py); empty: all that are there
    sources: tuple[str, ...] = ()
    feeding: str = 'streaming'  # streaming: read and cut on the host / resident: all patches lie on the device
    resident_gib: float = 64.0  # most memory that resident patches may take
    source_weight_power: float = 0.5  # weight of a source = (number of its images) ** power
    video_share: float = 0.0  # share of pairs from sources with tracks of several frames; 0: no distinction
    generated_share: float = 0.0  # share of pairs from generated sequences where root is given
    region_share: float = 0.0  # share of the other pairs whose target is any region of an image (data/regions.py)
    generated_scenes: int = 65_536
    max_interval: int = 100  # frames between the rows of a pair, for sources that name no interval
    negative_share: float = 0.05
    # Of them, the share whose other target is of the same source, so that its style does not give it away.
    negatives_at_home: float = 0.0
    mirror_share: float = 0.0  # share of pairs whose two crops are mirrored alike
    num_workers: int = 0  # grain worker processes; 0: threads of the training process
    min_box_side: float = 4.0  # stored boxes smaller than this (pixels) are not used as targets


@dataclass
class AugmentConfig:
    """Device-side augmentation (pysot's values)."""

    template_shift: float = 4.0  # crop pixels, uniform in +-
    template_scale: float = 0.05
    search_shift: float = 64.0
    search_scale: float = 0.18
    search_zoom: float = 0.0  # both axes together by up to e^zoom, either way; without it sizes are not learned
    blur: float = 0.2  # probability, search crop
    low_resolution: float = 0.0  # probability that both crops are as coarse as those of a small target
    color: float = 1.0  # strength of brightness, contrast and PCA jitter; 0: none
    gray: float = 0.0  # probability that both crops lose their colour


@dataclass
class TrainConfig:
    """Optimisation, Sec. 4.2 as read in docs/paper_to_code.md."""

    batch_size: int = 32
    pairs_per_epoch: int = 64_000
    epochs: int = 40
    warmup_epochs: float = 5.0  # RPN branches and FEM only, at warmup_rate
    warmup_rate: float = 1e-3
    warmup_ramp: bool = False  # rise linearly to warmup_rate instead of the printed constant
    rate: float = 1e-3  # after the warm-up, backbone still frozen
    final_epochs: float = 15.0  # end to end, exponential decay
    final_rate: float = 1e-5
    end_to_end_after_warmup: bool = False  # the other reading: train the backbone from the warm-up's end
    backbone_rate: float = 1.0  # factor on the rate for the backbone
    train_layers: tuple[int, ...] = (1, 2, 3, 4, 5)  # backbone layers that the end-to-end phase trains
    running_norms: bool = False  # normalise by the running averages, as tracking does; for a last part of training
    decay_frozen: bool = False  # decay exponentially from the warm-up's end, not only in the last phase
    optimiser: str = 'sgd'  # sgd / adamw
    momentum: float = 0.9  # of SGD; AdamW's first moment
    weight_decay: float = 1e-4  # not on biases or norms
    clip_norm: float = 10.0
    log_every: int = 50
    checkpoint_every: int = 500
    validate_every: int = 1000
    # Run folder, weights file or pretrained name whose parameters a new run begins with; of a narrower network: grown
    start_from: str = ''
    max_minutes: float = 0.0  # stop with a saved state after this long; 0: no limit


@dataclass
class ValidationConfig:
    """Sequences tracked during training."""

    root: str = ''  # DAVIS root; empty: generated sequences
    sequences: int = 4
    frames: int = 45


@dataclass
class TrackConfig:
    """Selection at test time (Sec. 3.4, Algorithm 1)."""

    search_size: int = 255
    context: float = 0.5
    stages: int = 0  # of the network's that are used, the deepest first; 0: all
    stage_scores: str = 'mean'  # mean of the stages / last
    window: float = 0.35  # weight of the cosine window
    penalty: float = 0.1  # strength of the scale and ratio change penalty
    size_rate: float = 0.35  # linear interpolation of the size
    calibrate: float = 0.0  # share of the boxes' mean error in the first frame that is taken off all later ones
    proposals: int = 64  # kept for re-ranking and suppression
    rerank: bool = True
    rerank_each_stage: bool = False  # Algorithm 1 to the letter
    rerank_with_score: bool = True  # the box's own (penalised) probability multiplies Eq. 13
    shape_exponent: float = 0.05
    color_exponent: float = 0.1
    size_exponent: float = 0.1
    color_map: str = 'response'  # response (as printed) / histogram
    size_unit: str = 'relative'  # relative to the target / pixels (Eq. 12 as printed)
    size_target: str = 'previous'  # previous / first
    shape_target: str = 'first'  # first / previous
    edge_threshold: float = 100.0  # Sobel magnitude of a 0..255 grey image
    max_contours: int = 512
    nms_iou: float = 0.7
    voting: bool = True  # the box is the mean of the best proposal and those it suppresses; False: the best alone
    min_side: float = 4.0  # frame pixels
    lost_score: float = 0.0  # below it the target counts as lost: place and size stay as they were; 0: never
    lost_search_size: int = 0  # search crop of the frame after a lost one, at the same scale; 0: no larger


@dataclass
class Config:
    """A whole run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    track: TrackConfig = field(default_factory=TrackConfig)
    seed: int = 0


def to_dict(config) -> dict:
    """Plain nested dict (JSON-ready: tuples become lists) of a config."""
    return dataclasses.asdict(
        config, dict_factory=lambda items: {k: list(v) if isinstance(v, tuple) else v for k, v in items}
    )


def from_dict(values: dict, kind=Config, where: str = 'config'):
    """Config from `to_dict`'s form.

    Raises:
      ValueError: a name that is no field (the message lists the fields).
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f'{where}: no field {unknown[0]!r}; fields are {", ".join(fields)}')
    made = {}
    for name, value in values.items():
        default = getattr(kind(), name)
        if dataclasses.is_dataclass(default):
            value = from_dict(value, type(default), f'{where}.{name}')
        elif isinstance(default, tuple):
            value = tuple(value)
        made[name] = value
    return kind(**made)

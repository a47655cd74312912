"""Every setting a user may tune, as nested dataclasses. The defaults are the paper's run; every addition is off.

`configs/*.py` return a `Config` with some fields changed; `sctrpn train --config.section.field=value` changes one more.
Where the paper is silent or contradicts itself, docs/paper_to_code.md says how it was read. Fields marked "addition"
are not in the paper. What a field accepts stands in its type.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from sctrpn_jax.config_values import Count, NotNegative, Positive, Range, Share, WholeNumber
from sctrpn_jax.geometry import grid

Layer = Annotated[int, Range(1, 5)]
Channels = Annotated[int, Range(1, 8192)]
Side = Annotated[int, Range(1, 2047)]  # of a crop, pixels
Processes = Annotated[int, Range(0, 256)]
Classification = Literal['shrinkage', 'shrinkage_square', 'log', 'square', 'focal', 'cube', 'hard_negative']
Regression = Literal['smooth_l1', 'l1', 'giou']
Average = Literal['sum', 'anchors', 'pairs']


@dataclass
class BackboneConfig:
    """AlexNet conv1 to conv5 (Sec. 4.2), without padding."""

    widths: tuple[Channels, ...] = (96, 256, 384, 384, 256)
    groups: tuple[Channels, ...] = (1, 2, 1, 2, 2)  # the two-tower form of the ImageNet weights
    norm: Literal['lrn', 'batch', 'none'] = 'lrn'  # lrn: as the ImageNet weights were trained
    # .npz of `sctrpn weights import`; empty: random. A backbone with half its widths takes the first of its towers.
    weights: str = ''


@dataclass
class FEMConfig:
    """Feature extraction model, Eq. 2 and Sec. 3.2."""

    transform: Literal['stn', 'resize'] = 'stn'  # resize: the rows "without STN" of the tables
    grid: Literal['aligned', 'stretch'] = 'aligned'  # aligned: by place in the crop; stretch: the printed rescale
    stn_on: Literal['both', 'template', 'search'] = 'both'  # the branches whose features the STN warps
    stn_first: bool = False  # an STN on the first stage's own features (Table 1 has one stage with STN)
    max_angle: Annotated[float, Range(0, 180)] = 10.0  # degrees (Sec. 3.2)
    max_scale: Share = 0.1  # scale within 1 - max_scale .. 1 + max_scale
    max_shift: Annotated[float, Range(0, 100)] = 1.0  # cells


@dataclass
class AnchorConfig:
    """The boxes that the first stage refines: one per ratio at each cell (SiamRPN)."""

    shape: Literal['fixed', 'target'] = 'fixed'  # target (addition): the first frame's box, so that deltas are changes
    # Height over width; times the target's own with `target`.
    ratios: tuple[Annotated[float, Range(0.01, 100)], ...] = (0.33, 0.5, 1.0, 2.0, 3.0)


@dataclass
class CascadeConfig:
    """How a stage hands its anchors to the next (Eq. 6 and the filter by theta)."""

    layers: tuple[Annotated[int, Range(3, 5)], ...] = (5, 4, 3)  # backbone layer of each stage; its length is L
    theta: Share = 0.95  # an anchor whose negative confidence exceeds it is dropped (C-RPN)


@dataclass
class ModelConfig:
    """The network."""

    channels: Channels = 256  # of the fused features and of the RPN branches
    correlation: Literal['depthwise', 'upchannel', 'none'] = 'depthwise'  # upchannel: SiamRPN's; none: Eq. 3 as printed
    matching: bool = False  # addition: cosines between the backbone's maps and the target, added to the scores
    search_size: Side = 255  # of the search crop in training, pixels
    precision: Literal['float32', 'tf32', 'bfloat16'] = 'float32'  # of products; tf32: NVIDIA GPUs, elsewhere float32
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    fem: FEMConfig = field(default_factory=FEMConfig)
    anchors: AnchorConfig = field(default_factory=AnchorConfig)
    cascade: CascadeConfig = field(default_factory=CascadeConfig)


@dataclass
class LossConfig:
    """Objectives (Eq. 1, 4, 7, 8-10) and labels."""

    classification: Classification = 'shrinkage'
    shrinkage_speed: Annotated[float, Range(0, 80)] = 10.0  # a of Eq. 8
    shrinkage_location: Annotated[float, Range(-1, 2)] = 0.2  # c of Eq. 8
    regression: Regression = 'smooth_l1'  # smooth_l1: Eq. 1; the others are additions
    xi: NotNegative = 1.0  # weight of the regression term (Eq. 4; lambda of Eq. 1)
    # sum: Eq. 4 as printed; anchors: each term over its number of anchors (Sec. 4.5); pairs (addition): the box loss
    # of each pair first, then the mean over the pairs.
    average: Average = 'anchors'
    positive_iou: Share = 0.7  # an anchor that overlaps the target more is a positive
    negative_iou: Share = 0.3  # one that overlaps it less is a negative
    positive_iou_step: NotNegative = 0.0  # addition: what each later stage asks for on top
    first_labels: Literal['iou', 'place'] = 'iou'  # place (addition): stage 1 compares anchors by place, not by size
    max_samples: Annotated[int, Range(16, 10**6)] = 64  # anchors per image that have a loss; 16 at most are positive


@dataclass
class DataConfig:
    """Where training pairs come from (docs/datasets.md)."""

    root: str = ''  # folder of sources: prepared sets, and folders with a boxes.csv; empty: generated sequences
    # NAME[:weight=2][:interval=10-100][:split=train] under root, * for all that no other entry names; empty: all
    sources: tuple[str, ...] = ()
    feeding: Literal['streaming', 'resident'] = 'streaming'  # read and cut on the host / all patches on the device
    num_workers: Processes = 0  # processes that read; 0: threads of the training process
    max_interval: Count = 100  # frames between the two images of a pair, for sources that name no interval
    negative_share: Share = 0.05  # pairs whose search image shows another target
    mirror_share: Share = 0.0  # addition: pairs whose two crops are mirrored
    video_share: Share = 0.0  # addition: pairs from sources with video; 0: by the number of boxes of each source
    region_share: Share = 0.0  # addition: pairs whose target is any region of an image, not an annotated object


@dataclass
class AugmentConfig:
    """Random changes of the training crops, made on the device (pysot's values)."""

    search_shift: Annotated[float, Range(0, 1000)] = 64.0  # crop pixels, uniform to either side
    search_scale: Share = 0.18  # of each axis, uniform to either side of 1
    blur: Share = 0.2  # probability, search crop
    zoom: Share = 0.0  # addition: both axes of the search crop together, by up to e^zoom either way
    low_resolution: Share = 0.0  # addition: probability that both crops are as coarse as those of a small target
    gray: Share = 0.0  # addition: probability that both crops lose their colour


@dataclass
class Phase:
    """A stretch of training with one schedule and one set of layers (Sec. 4.2)."""

    epochs: Positive
    start_rate: Positive  # learning rate of the RPN branches and FEM at its start
    end_rate: Positive  # at its end
    ramp: Literal['exponential', 'linear'] = 'exponential'  # how the rate goes from start to end
    layers: tuple[Layer, ...] = ()  # backbone layers that are trained with them, without gaps up to the deepest
    running_norms: bool = False  # addition: normalise by the running averages, as tracking does


def _paper_phases() -> tuple[Phase, ...]:
    # 5 epochs of warm-up and 15 end to end are printed; the 20 between are read as the heads alone at the same rate.
    return (
        Phase(epochs=5.0, start_rate=1e-3, end_rate=1e-3),
        Phase(epochs=20.0, start_rate=1e-3, end_rate=1e-3),
        Phase(epochs=15.0, start_rate=1e-3, end_rate=1e-5, layers=(1, 2, 3, 4, 5)),
    )


@dataclass
class TrainConfig:
    """Optimisation, Sec. 4.2."""

    batch_size: Annotated[int, Range(1, 65536)] = 32
    pairs_per_epoch: Count = 64_000
    phases: tuple[Phase, ...] = field(default_factory=_paper_phases)
    optimiser: Literal['sgd', 'adamw'] = 'sgd'  # adamw: addition
    backbone_rate: NotNegative = 1.0  # addition: factor on the learning rate for the backbone
    start_from: str = ''  # addition: run folder, weights file or pretrained name that a new run begins with
    first_phase: WholeNumber = 0  # those before it are left out: `start_from` has been through them
    validation_root: str = ''  # folder of DAVIS sequences that are tracked during training; empty: generated ones
    log_every: Count = 50  # steps
    checkpoint_every: Count = 500  # steps
    validate_every: WholeNumber = 1000  # steps; 0: never


@dataclass
class FirstFrameConfig:
    """Addition: what the network gets wrong on the first frame, where the truth is known, is taken off later boxes."""

    correction: Share = 0.0  # share of the mean error that is taken off; 0: off


@dataclass
class RecoveryConfig:
    """Addition: a target whose score falls in a frame is hidden: its size stays, the next search looks farther away."""

    score: Share = 0.0  # below it the place stays too; 0: the whole of it is off
    # Search crop of the frame after, pixels at the same scale; 0: no larger.
    search_size: Annotated[int, Range(0, 4095)] = 0


@dataclass
class TrackConfig:
    """Selection of the box in tracking (Sec. 3.4, Algorithm 1)."""

    search_size: Side = 255  # of the search crop, pixels
    stages: WholeNumber = 0  # addition: use the first so many stages; 0: all
    stage_scores: Literal['mean', 'last'] = 'mean'  # the score of a proposal: mean of the stages, or the last one's
    window: Share = 0.35  # weight of the cosine window
    penalty: NotNegative = 0.1  # strength of the penalty on changes of scale and ratio
    size_rate: Share = 0.35  # linear interpolation of the size
    rerank: bool = True
    rerank_each_stage: bool = False  # Algorithm 1 as printed; else once, after the last stage
    rerank_with_score: bool = True  # the proposal's own (penalised) probability multiplies Eq. 13
    rerank_exponents: tuple[NotNegative, ...] = (1.0, 1.0, 1.0)  # of shape, color and size in Eq. 13
    color_map: Literal['response', 'histogram'] = 'response'  # response: as printed
    size_unit: Literal['relative', 'pixels'] = 'relative'  # of Eq. 12: relative to the target; pixels: as printed
    size_target: Literal['previous', 'first'] = 'previous'  # frame whose target Eq. 12 compares with
    shape_target: Literal['first', 'previous'] = 'first'  # frame whose target Eq. 11 compares with
    edge_threshold: NotNegative = 100.0  # Sobel magnitude of a 0..255 grey image
    nms_iou: Share = 0.7  # overlap from which a better proposal suppresses another
    voting: bool = False  # addition: the box is the mean of the best proposal and those it suppresses
    first_frame: FirstFrameConfig = field(default_factory=FirstFrameConfig)
    recovery: RecoveryConfig = field(default_factory=RecoveryConfig)
    # Addition: a correlation filter that learns from the video multiplies the scores, by its response to this power.
    filter_exponent: NotNegative = 0.0  # 0: off


@dataclass
class Config:
    """A whole run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    track: TrackConfig = field(default_factory=TrackConfig)
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0

    def check_together(self) -> None:
        """Refuses values that do not go together; each one alone is checked by `config_values.check`.

        Raises:
          ValueError: the first that does not. The message has the field, its value and what is accepted.
        """
        _check_model(self.model)
        _check_loss(self.loss, len(self.model.cascade.layers))
        _check_phases(self.train)
        _check_track(self.track, len(self.model.cascade.layers))


def _need(good: bool, name: str, value: object, accepted: str) -> None:
    if not good:
        raise ValueError(f'config.{name} is {value!r}; accepted: {accepted}')


def _need_search_size(name: str, size: int) -> None:
    least, step = grid.TEMPLATE_SIZE, grid.STRIDE
    _need(grid.fits_grid(size), name, size, f'{least}, {least + step}, .. 255, 263, 271, 279, 287, ..')


def _check_model(c: ModelConfig) -> None:
    for name in ('widths', 'groups'):
        value = getattr(c.backbone, name)
        _need(len(value) == len(grid.KERNELS), f'model.backbone.{name}', value, f'{len(grid.KERNELS)} values')
    _need(len(c.anchors.ratios) > 0, 'model.anchors.ratios', c.anchors.ratios, 'at least one ratio')
    layers = c.cascade.layers
    different = 1 <= len(layers) == len(set(layers))
    _need(different, 'model.cascade.layers', layers, 'one to three of the layers 5, 4, 3')
    _need(layers == tuple(sorted(layers, reverse=True)), 'model.cascade.layers', layers, 'the deepest layer first')
    _need_search_size('model.search_size', c.search_size)


def _check_loss(c: LossConfig, stages: int) -> None:
    _need(
        c.negative_iou <= c.positive_iou,
        'loss.positive_iou',
        c.positive_iou,
        f'{c.negative_iou} (negative_iou) or more',
    )
    last = c.positive_iou + c.positive_iou_step * (stages - 1)
    _need(last < 1, 'loss.positive_iou_step', c.positive_iou_step, 'a step with which every stage stays below 1')


def _check_phases(c: TrainConfig) -> None:
    _need(len(c.phases) > 0, 'train.phases', c.phases, 'at least one phase')
    _need(c.first_phase < len(c.phases), 'train.first_phase', c.first_phase, f'0 to {len(c.phases) - 1}')
    started = c.first_phase == 0 or bool(c.start_from)
    _need(started, 'train.first_phase', c.first_phase, '0 without train.start_from, the weights that it goes on with')
    for i, phase in enumerate(c.phases):
        deepest = len(grid.KERNELS)
        to_the_end = phase.layers == tuple(range(deepest + 1 - len(phase.layers), deepest + 1))
        accepted = f'(), or layers in order without gaps up to {deepest}: ({deepest},), ({deepest - 1}, {deepest}), ..'
        _need(to_the_end, f'train.phases[{i}].layers', phase.layers, accepted)
    epochs = sum(phase.epochs for phase in c.phases)
    steps = round(epochs * max(c.pairs_per_epoch // c.batch_size, 1))
    # Pairs are numbered in 32 bits.
    _need(
        1 <= steps < 2**32 // c.batch_size, 'train.phases', f'{steps:g} steps', 'one step to 2^32 pairs in all epochs'
    )


def _check_track(c: TrackConfig, stages: int) -> None:
    _need_search_size('track.search_size', c.search_size)
    _need(c.stages <= stages, 'track.stages', c.stages, f'0 (all) to {stages}')
    _need(len(c.rerank_exponents) == 3, 'track.rerank_exponents', c.rerank_exponents, 'three: shape, color, size')
    larger, step = c.recovery.search_size, 2 * grid.STRIDE
    fits = larger == 0 or (larger > c.search_size and (larger - c.search_size) % step == 0)
    accepted = (
        f'0, or track.search_size and a multiple of {step}: {c.search_size + step}, {c.search_size + 2 * step}, ..'
    )
    _need(fits, 'track.recovery.search_size', larger, accepted)

"""Whether a config's values can work: one clear line where they cannot."""

from sctrpn_jax import config as config_lib

_CHOICES = {
    'model.precision': ('float32', 'tf32', 'bfloat16'),
    'model.anchors.shape': ('fixed', 'target'),
    'model.backbone.norm': ('lrn', 'batch', 'none'),
    'model.fem.transform': ('stn', 'resize'),
    'model.fem.grid': ('aligned', 'stretch'),
    'model.fem.stn_on': ('both', 'template', 'search'),
    'model.head.correlation': ('depthwise', 'upchannel', 'none'),
    'model.head.norm': ('batch', 'group'),
    'loss.classification': ('shrinkage', 'shrinkage_square', 'log', 'square', 'focal', 'cube', 'hard_negative'),
    'loss.first_labels': ('iou', 'place'),
    'loss.regression_mean': ('anchors', 'pairs'),
    'loss.regression': ('smooth_l1', 'l1', 'giou'),
    'train.optimiser': ('sgd', 'adamw'),
    'data.feeding': ('streaming', 'resident'),
    'track.stage_scores': ('mean', 'last'),
    'track.color_map': ('response', 'histogram'),
    'track.size_unit': ('relative', 'pixels'),
    'track.size_target': ('previous', 'first'),
    'track.shape_target': ('first', 'previous'),
}


def check(config: config_lib.Config) -> config_lib.Config:
    """The config itself, if its values can work.

    Raises:
      ValueError: one that cannot; the message has its name, its value and what is accepted.
    """

    def get(name):
        value = config
        for part in name.split('.'):
            value = getattr(value, part)
        return value

    def need(name, good, accepted):
        if not good(get(name)):
            raise ValueError(f'config.{name} is {get(name)!r}; accepted: {accepted}')

    for name, choices in _CHOICES.items():
        need(name, choices.__contains__, ', '.join(choices))
    for name in (
        'train.batch_size',
        'train.pairs_per_epoch',
        'train.log_every',
        'train.checkpoint_every',
        'track.proposals',
        'data.generated_scenes',
        'data.max_interval',
    ):
        need(name, lambda v: isinstance(v, int) and v > 0, 'a positive whole number')
    need('seed', lambda v: isinstance(v, int) and 0 <= v < 2**32, '0 .. 2**32 - 1')
    for name in ('train.epochs', 'train.warmup_epochs', 'train.final_epochs', 'train.validate_every'):
        need(name, lambda v: v >= 0, '0 or more')
    for name in (
        'train.rate',
        'train.final_rate',
        'train.warmup_rate',
        'train.clip_norm',
        'track.min_side',
        'track.context',
    ):
        need(name, lambda v: v > 0, 'a number above 0')
    for name in (
        *(f'data.{share}_share' for share in ('generated', 'region', 'video', 'negative', 'mirror')),
        'data.negatives_at_home',
        'augment.search_zoom',
        'track.window',
        'track.size_rate',
        'track.calibrate',
        'track.nms_iou',
        'model.cascade.theta',
        'train.momentum',
    ):
        need(name, lambda v: 0 <= v <= 1, '0..1')
    for name in ('track.search_size', 'model.search_size'):
        need(name, lambda v: isinstance(v, int) and v >= 127 and v % 8 == 7, '127, 135, .. 255, 263, 271, 279, 287, ..')
    smallest = config.track.search_size
    need(
        'track.lost_search_size',
        lambda v: v == 0 or (isinstance(v, int) and v > smallest and (v - smallest) % 16 == 0),
        f'0, or track.search_size and a multiple of 16: {smallest + 16}, {smallest + 32}, ..',
    )
    last = config.loss.positive_iou + config.loss.positive_iou_step * (len(config.model.cascade.layers) - 1)
    need(
        'loss.positive_iou_step',
        lambda _: config.loss.negative_iou <= min(config.loss.positive_iou, last) and last < 1,
        'such that every stage has its positive_iou between negative_iou and 1',
    )
    need('model.template_size', lambda v: v == 127, '127')
    need(
        'model.cascade.layers', lambda v: 1 <= len(v) <= 3 and set(v) <= {3, 4, 5}, 'one to three of the layers 5, 4, 3'
    )
    stages = len(config.model.cascade.layers)
    need('track.stages', lambda v: isinstance(v, int) and 0 <= v <= stages, f'0 (all) .. {stages}')
    deepest = config.model.cascade.layers[0]
    need('model.cascade.layers', lambda v: deepest == max(v), 'the deepest layer first')
    return config

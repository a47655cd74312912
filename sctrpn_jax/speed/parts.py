"""Where a tracking step's time goes: each part compiled and timed by itself, on what the step would hand it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.models import cascade, sctrpn
from sctrpn_jax.speed import machine, timing
from sctrpn_jax.tracking import contours, correlation_filter, look, nms, proposals
from sctrpn_jax.tracking import track_state as state_lib


def measure(
    variables: dict, state: state_lib.TrackState, frame: np.ndarray, config: config_lib.Config, seconds: float
) -> dict[str, dict]:
    """Times of the parts of `track_step`.

    Args:
      variables: of `SCTRPN`.
      state: of a tracker under way.
      frame: [H, W, 3] uint8 RGB, the next one.
      config: the run's.
      seconds: for each part.

    Returns:
      By part: `crop`, `backbone`, `fem` (with the resampling onto common cells), `heads`, `refinement` (decoding and
      the filter by theta), `filter` (where `track.filter_exponent` is set: its response, and what it learns),
      `contours`, `selection` (window, penalty, best K), `rerank`, `nms` (and voting); each with the compiler's FLOPs
      and `timing.summary`. Parts that are fused in the step cost a little more alone.
    """
    model, c = look.network(config), config.track
    layers, ratios = model.config.cascade.layers, len(config.model.anchors.ratios)
    side = look.search_side(state.size, c.search_size)
    variables, state, frame = jax.device_put((variables, state, frame))
    size = state.size * c.search_size / side

    def cut(frame, state):
        return crop_lib.extract(frame, state.centre, side, c.search_size, state.fill, state.extent)

    # Weights are arguments, as in the step: what the compiler could do to constants is not measured.
    def backbone(variables, crop):
        return model.apply(variables, crop[None], method=lambda m, x: m.backbone(x))

    def fem(variables, maps):
        fused, plain, _ = model.apply(variables, [maps[layer] for layer in layers], 'search', method='fuse_maps')
        return fused, plain

    def heads(variables, template, fused, plain, target):
        return model.apply(variables, template, fused, plain, target, method='score')

    def refinement(anchors, logits, deltas):
        mask = jnp.ones(anchors.shape[:2], bool)
        for stage in range(len(layers)):
            anchors = cascade.refine_anchors(anchors, deltas[:, stage])
            mask = cascade.filter_anchors(mask, logits[:, stage], config.model.cascade.theta)
        return anchors, mask

    def components(crop):
        labels = contours.label_components(contours.edge_map(crop, c.edge_threshold))
        return contours.component_boxes(labels)

    def choose(scores, boxes, mask):
        return proposals.select(scores, boxes, mask, size, c, ratios)

    def rerank(crop, scores, chosen, found):
        target = proposals.Target(state.cues, size, size)
        return proposals.rerank_chosen(chosen, scores, crop, found, target, c, ratios)

    def follow(known, features, box):
        sample = correlation_filter.transform(features)
        response = correlation_filter.respond(known, sample)
        peak, _ = correlation_filter.peak_near(response, box, c.search_size)
        seen = correlation_filter.Seen(sample, peak - c.search_size / 2)
        return response, correlation_filter.update(known, seen, box[2:])

    def suppress(boxes, values, valid):
        return nms.nms(boxes, values, valid, c.nms_iou), proposals.vote(boxes, values, c.nms_iou)

    run = {}

    def part(name, function, *arguments):
        with sctrpn.products(config.model.precision):
            compiled = jax.jit(function).lower(*arguments).compile()
        times = timing.seconds_of(lambda _: jax.block_until_ready(compiled(*arguments)), seconds)
        run[name] = timing.summary(times) | {
            k: v for k, v in machine.cost(compiled).items() if k in ('gflops', 'gigabytes')
        }
        return compiled(*arguments)

    crop = part('crop', cut, frame, state)
    maps = part('backbone', backbone, variables, crop)
    fused, plain = part('fem', fem, variables, maps)
    target = look.template_target(state.first_size)[None]
    scored = part('heads', heads, variables, state.template, fused, plain, target)
    looked = functools.partial(look.run_network, config=config, search_size=c.search_size)
    _, outputs, first_map, _ = jax.jit(looked)(variables, state, frame)
    np.testing.assert_allclose(scored[0][0], outputs.logits[:, 0], atol=1e-3)  # the parts are those of the step
    _, mask = part('refinement', refinement, outputs.anchors[:, 0], outputs.logits, outputs.deltas)
    scores, boxes = jax.nn.sigmoid(outputs.logits[0]).mean(0), outputs.boxes[0, -1]
    if state.filter is not None:
        part('filter', follow, state.filter, first_map, boxes[0])
    chosen = part('selection', choose, scores, boxes, mask[0])
    if c.rerank:
        found = part('contours', components, crop)
        chosen = part('rerank', rerank, crop, scores, chosen, found)
    part('nms', suppress, chosen.boxes, chosen.values, chosen.valid)
    return run


# What comes beside the network.
AFTER_THE_NETWORK = ('refinement', 'filter', 'selection', 'contours', 'rerank', 'nms')

"""From the cascade's outputs to one box: selection strategies, multi-cue re-ranking, suppression (Sec. 3.4)."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import boxes as boxes_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.tracking import color, contours, nms, rerank

KEPT = 64  # proposals that are re-ranked and suppressed: recall of the targets' boxes is level from there (Table 2)
# Colour varies slowly over a target; every fourth pixel of the crop tells as much.
_LIKELIHOOD_STRIDE = 4


@struct.dataclass
class Cues:
    """What the target looked like, for Eq. 11-13.

    Attributes:
      rho_first, rho_previous: [] contours enclosed by the target, on its own search-size crop.
      histogram: colour model of the first frame's target against its surroundings.
    """

    rho_first: chex.Array
    rho_previous: chex.Array
    histogram: chex.Array


@struct.dataclass
class Target:
    """What proposals are compared with, in one frame's search crop.

    Attributes:
      cues: of the target.
      first_size: [2] (w, h) of the target in the first frame, search-crop pixels.
      previous_size: [2] (w, h) of the target in the previous frame, search-crop pixels.
    """

    cues: Cues
    first_size: chex.Array
    previous_size: chex.Array


@struct.dataclass
class Proposals:
    """The K best proposals, best first; boxes in search-crop pixels.

    Attributes:
      best: [4] centre form: the first, or the mean of those that agree with it (`track.voting`).
      boxes: [K, 4] centre form.
      scores: [K] target probability, 0..1.
      values: [K] what they are ranked by: Eq. 13, times the windowed, penalised probability where the config says so.
      kept: [K] bool: not suppressed by a better one.
      rate: [K] weight of each proposal's size against the old size, before `track.size_rate`, 0..1.
      rho: [K] contours enclosed.
    """

    best: chex.Array
    boxes: chex.Array
    scores: chex.Array
    values: chex.Array
    kept: chex.Array
    rate: chex.Array
    rho: chex.Array


@struct.dataclass
class Chosen:
    """The K proposals that are ranked, best first.

    Attributes:
      index: [K] among all N.
      boxes: [K, 4] centre form, search-crop pixels.
      values: [K] that they are ranked by, not negative.
      valid: [K] bool: a proposal that was not dropped.
      penalty: [K] of `change_penalty`.
      rho: [K] contours enclosed; 0 where none were counted.
    """

    index: chex.Array
    boxes: chex.Array
    values: chex.Array
    valid: chex.Array
    penalty: chex.Array
    rho: chex.Array


def cosine_window(map_size: int, ratios: int) -> np.ndarray:
    """[map_size * map_size * ratios] Hann window over the response map in the anchors' order, 0..1."""
    hann = np.hanning(map_size + 2)[1:-1]
    return np.repeat(np.outer(hann, hann).reshape(-1), ratios).astype(np.float32)


def change_penalty(sizes: chex.Array, target: chex.Array, strength: float) -> chex.Array:
    """SiamRPN's penalty exp(-strength (r s - 1)) on changes of ratio r and padded size s.

    Args:
      sizes: [K, 2] (w, h).
      target: [2] (w, h), the same unit.
      strength: 0 for none.

    Returns:
      [K] in 0..1; 1 where nothing changes.
    """

    def padded(size):
        pad = size.sum(-1) / 2
        return jnp.sqrt((size[..., 0] + pad) * (size[..., 1] + pad))

    def change(a, b):
        return jnp.maximum(a / b, b / a)

    scale = change(padded(sizes), padded(target)[None])
    ratio = change(sizes[:, 0] / sizes[:, 1], (target[0] / target[1])[None])
    return jnp.exp(-strength * (scale * ratio - 1))


def select(
    scores: chex.Array,
    boxes: chex.Array,
    mask: chex.Array,
    previous_size: chex.Array,
    c: config_lib.TrackConfig,
    ratios: int = 5,
    keep: int = KEPT,
) -> Chosen:
    """The K proposals of highest windowed and penalised probability.

    Args:
      scores: [N] target probability.
      boxes: [N, 4] centre form, search-crop pixels.
      mask: [N] bool, proposals that were not dropped.
      previous_size: [2] (w, h) of the target in the previous frame, search-crop pixels.
      c: `TrackConfig`.
      ratios: anchors per cell.
      keep: K, but never more than N.

    Returns:
      `Chosen`, without contours.
    """
    keep = min(keep, scores.shape[0])
    window = jnp.asarray(cosine_window(round((scores.shape[0] // ratios) ** 0.5), ratios))
    penalty = change_penalty(boxes[:, 2:], previous_size, c.penalty)
    windowed = penalty * scores * (1 - c.window) + window * c.window
    # Below every value, so that what is out of play stands last.
    values, index = jax.lax.top_k(jnp.where(mask, windowed, -1.0), keep)
    return Chosen(index, boxes[index], jnp.maximum(values, 0), mask[index], penalty[index], jnp.zeros(keep, jnp.int32))


def rerank_chosen(
    chosen: Chosen,
    scores: chex.Array,
    crop: chex.Array,
    components: tuple[chex.Array, chex.Array],
    target: Target,
    c: config_lib.TrackConfig,
    ratios: int = 5,
) -> Chosen:
    """Orders the chosen proposals by Eq. 11-13.

    Args:
      chosen: of `select`.
      scores: [N] target probability of all proposals, the colour cue's response map.
      crop: [S, S, 3] RGB 0..255.
      components: of `contours.component_boxes` on the crop.
      target: what it is compared with.
      c: `TrackConfig`.
      ratios: anchors per cell.

    Returns:
      `Chosen`, best first.
    """
    if c.color_map == 'histogram':
        values, pixels = color.histogram_likelihood(target.cues.histogram, crop, _LIKELIHOOD_STRIDE), _LIKELIHOOD_STRIDE
    else:
        size = round((scores.shape[0] // ratios) ** 0.5)
        values, pixels = scores.reshape(size, size, ratios).max(-1), grid.STRIDE
    likeness = color.box_means(values, color.crop_to_cells(chosen.boxes, values.shape[0], pixels, crop.shape[0]))
    rho = contours.count_enclosed(*components, chosen.boxes)
    rho_target = target.cues.rho_first if c.shape_target == 'first' else target.cues.rho_previous
    size_target = target.first_size if c.size_target == 'first' else target.previous_size
    product = rerank.multi_cue(
        rerank.shape_cue(rho, rho_target),
        likeness,
        rerank.size_cue(chosen.boxes[:, 2:], size_target, c.size_unit),
        c.rerank_exponents,
        chosen.values if c.rerank_with_score else None,
    )
    product = jnp.where(chosen.valid, product, 0)
    order, valid = rerank.rank(product, chosen.valid, product.shape[0])
    return Chosen(
        chosen.index[order],
        chosen.boxes[order],
        product[order],
        valid,
        chosen.penalty[order],
        rho[order],
    )


def propose(
    stage_scores: chex.Array,
    stage_boxes: chex.Array,
    mask: chex.Array,
    crop: chex.Array,
    target: Target,
    c: config_lib.TrackConfig,
    keep: int = KEPT,
    evidence: chex.Array | None = None,
) -> Proposals:
    """Scores, re-ranks and suppresses the cascade's proposals for one frame.

    Args:
      stage_scores: [L, N] target probability of each stage.
      stage_boxes: [L, N, 4] refined anchors of each stage, centre form, search-crop pixels.
      mask: [N] bool, anchors that the filter by theta left.
      crop: [S, S, 3] RGB 0..255.
      target: what they are compared with.
      c: `TrackConfig`.
      keep: proposals that are ranked, K, but never more than N.
      evidence: [N] of `correlation_filter.evidence`, or None.

    Returns:
      `Proposals`.
    """
    stages, anchors = stage_scores.shape
    ratios = anchors // grid.map_size(crop.shape[0]) ** 2
    # An untrained or hostile network may ask for boxes far larger than the crop: the cues need sane sizes.
    stage_boxes = jnp.concatenate(
        [stage_boxes[..., :2], jnp.clip(stage_boxes[..., 2:], 1.0, 2.0 * crop.shape[0])], axis=-1
    )
    if c.rerank:
        components = contours.component_boxes(contours.label_components(contours.edge_map(crop, c.edge_threshold)))

    def rank(scores, boxes, mask, keep):
        chosen = select(scores, boxes, mask, target.previous_size, c, ratios, keep)
        if not c.rerank:
            return chosen
        return rerank_chosen(chosen, scores, crop, components, target, c, ratios)

    if c.rerank_each_stage:
        # Algorithm 1 as printed: what a stage ranks low is out of play for the next.
        for stage in range(stages - 1):
            chosen = rank(stage_scores[stage], stage_boxes[stage], mask, 2 * keep)
            mask = mask & jnp.zeros_like(mask).at[chosen.index].set(chosen.valid)
    scores = stage_scores[-1] if c.stage_scores == 'last' else stage_scores.mean(axis=0)
    ranked = scores if evidence is None else scores * evidence**c.filter_exponent
    chosen = rank(ranked, stage_boxes[-1], mask, keep)
    kept = nms.nms(chosen.boxes, chosen.values, chosen.valid, c.nms_iou)
    best = vote(chosen.boxes, jnp.where(chosen.valid, chosen.values, 0), c.nms_iou) if c.voting else chosen.boxes[0]
    found = scores[chosen.index]
    return Proposals(best, chosen.boxes, found, chosen.values, kept, rate=chosen.penalty * found, rho=chosen.rho)


def vote(boxes: chex.Array, values: chex.Array, iou_threshold: float) -> chex.Array:
    """Mean of the best box and those it suppresses, weighted by value (box voting, Gidaris & Komodakis 2015).

    Args:
      boxes: [K, 4] centre form, best first.
      values: [K], not negative.
      iou_threshold: overlap with the best from which a box has a vote.

    Returns:
      [4] centre form.
    """
    weight = jnp.where(boxes_lib.iou(boxes, boxes[:1]) > iou_threshold, values, 0)
    weight = weight.at[0].max(1e-6)  # the best one always votes, even where every value is 0
    return (weight[:, None] * boxes).sum(0) / weight.sum()


def first_cues(crop: chex.Array, size: chex.Array, c: config_lib.TrackConfig) -> Cues:
    """The target's cues on the first frame.

    Args:
      crop: [S, S, 3] RGB 0..255, search-size crop with the target in the middle.
      size: [2] (w, h) of the target, crop pixels.
      c: `TrackConfig`.

    Returns:
      `Cues`.
    """
    box = jnp.concatenate([jnp.full(2, crop.shape[0] / 2), size])
    rho = jnp.zeros((), jnp.int32)
    if c.rerank:
        labels = contours.label_components(contours.edge_map(crop, c.edge_threshold))
        rho = contours.count_enclosed(*contours.component_boxes(labels), box[None])[0]
    histogram = color.histogram_model(crop, box) if c.color_map == 'histogram' else jnp.zeros(0)
    return Cues(rho_first=rho, rho_previous=rho, histogram=histogram)

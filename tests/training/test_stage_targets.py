"""Each stage labels its own anchors, by its own threshold."""

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config
from sctrpn_jax.geometry import boxes
from sctrpn_jax.models import sctrpn
from sctrpn_jax.training import train_step as step


def test_thresholds_rise_from_stage_to_stage():
    rng = np.random.default_rng(0)
    box = np.float32([[70, 70, 40, 30]])
    near = box[:, None] + rng.normal(size=(1, 200, 4)) * [4, 4, 4, 4]
    anchors = jnp.asarray(np.repeat(near[:, None], 3, axis=1), jnp.float32)  # the same at all three stages
    outputs = sctrpn.StageOutputs(anchors[..., 0], None, anchors, None, jnp.ones(anchors.shape[:3], bool), None)
    c = config.LossConfig(positive_iou=0.5, positive_iou_step=0.1, negative_iou=0.4, max_samples=400)
    made = step.stage_targets(outputs, {'box': jnp.asarray(box), 'positive': jnp.array([True])}, jax.random.key(0), c)
    overlap = np.asarray(boxes.iou(anchors[0, 0], box))
    for stage, threshold in enumerate((0.5, 0.6, 0.7)):
        # At most 16 of them have a loss (SiamRPN); which, is drawn.
        drawn = np.asarray(made.labels[0, stage] == 1)
        assert (overlap[drawn] > threshold).all() and drawn.sum() == min((overlap > threshold).sum(), 16)
        assert made.positives[0, stage] == (overlap > threshold).sum()
        np.testing.assert_array_equal(made.labels[0, stage] == 0, overlap < 0.4)
    assert len(set(np.asarray(made.positives)[0].tolist())) == 3


def test_the_first_stage_alone_is_labelled_by_place():
    box = np.float32([[70, 70, 80, 60]])
    near = np.float32([[70, 70, 40, 30], [80, 70, 40, 30], [110, 70, 40, 30]])  # half the target's size
    anchors = jnp.asarray(np.tile(near, (1, 2, 1, 1)))
    outputs = sctrpn.StageOutputs(anchors[..., 0], None, anchors, None, jnp.ones(anchors.shape[:3], bool), None)
    batch = {'box': jnp.asarray(box), 'positive': jnp.array([True])}
    for first, labels in (('place', [1, 1, 0]), ('iou', [1, 0, 0])):  # none passes by overlap: the best one is it
        c = config.LossConfig(positive_iou=0.6, negative_iou=0.4, first_labels=first)
        made = step.stage_targets(outputs, batch, jax.random.key(0), c)
        np.testing.assert_array_equal(made.labels[0], [labels, [1, 0, 0]])

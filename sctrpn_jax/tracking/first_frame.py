"""What the first frame tells, where the truth is known: the network's bias, and its score (additions).

A box around a part of an object, or with a margin, is found as the object that the network was trained on. So the
network is run on the first frame as well, and the mean error of its boxes there is taken off all later ones
(`track.first_frame`). The mean of their scores is the first of those that are usual for the target (`recovery`).
"""

import dataclasses

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import boxes as boxes_lib
from sctrpn_jax.tracking import look as look_lib
from sctrpn_jax.tracking import track_state as state_lib

# How the first frame is looked at, as if the target had moved or changed: shift in target sizes, and size expected over
# true size. They come in opposite pairs, so that a response to changes that is too weak cancels out.
VIEWS = ((0, 0, 1), (-0.2, -0.2, 1.1), (0.2, 0.2, 1.1), (-0.2, 0.2, 0.91), (0.2, -0.2, 0.91))
# A correction beyond this (half a target, or a factor of 1.65) is more likely a failure than a bias.
MOST = 0.5
HELD = 0.3  # overlap with the truth below which another thing was found


def measure(
    variables: dict, state: state_lib.TrackState, frame: chex.Array, config: config_lib.Config
) -> tuple[chex.Array, chex.Array]:
    """Mean error of the boxes found in the first frame, times `track.first_frame.correction`, and their score.

    Args:
      variables: of `SCTRPN`.
      state: of the first frame.
      frame: [H, W, 3] uint8 RGB, the first.
      config: the run's.

    Returns:
      [4] error of the centre in target sizes (x, y) and of the logarithm of the size (w, h); [] their mean score,
      0..1.
    """
    truth = jnp.concatenate([state.centre, state.size])

    def error_of(view):
        centre, size = state.centre + view[:2] * state.size, state.size * view[2]
        there = dataclasses.replace(state, centre=centre, size=size)
        found = look_lib.look(variables, there, frame, config, config.track.search_size)
        best = found.best
        error = jnp.concatenate([(best[:2] - truth[:2]) / truth[2:], jnp.log(best[2:] / truth[2:])])
        return error, boxes_lib.iou(best[None], truth[None])[0] > HELD, found.score

    errors, held, scores = jax.lax.map(error_of, jnp.array(VIEWS))
    mean = jnp.where(held[:, None], errors, 0).sum(0) / jnp.maximum(held.sum(), 1).astype(jnp.float32)
    return jnp.clip(config.track.first_frame.correction * mean, -MOST, MOST), scores.mean()

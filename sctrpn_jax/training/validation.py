"""Tracks a few sequences with the current weights, so that the loss never has to stand for tracking."""

import logging

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated, images, sequences
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import compiled

_log = logging.getLogger(__name__)

# Five sequences of 45 frames take a minute on two CPU cores, and their mean moves with the weights, not with luck.
SEQUENCES, FRAMES = 5, 45


class Validator:
    """Sequences held in memory; called with variables, it gives mean success AUC and precision at 20 px."""

    def __init__(self, config: config_lib.Config):
        self._config, self._sequences = config, _load(config.train.validation_root, config.seed)

    def __call__(self, variables: dict) -> dict[str, float]:
        """One-pass results: `success_auc`, `precision` (means over the sequences), `auc/<sequence>`.

        Args:
          variables: of `SCTRPN`.

        Returns:
          Each in 0..1.

        Raises:
          Interrupted: a signal came in the sequence before.
        """
        tracker = compiled.CompiledTracker(variables, self._config)
        scores, precisions = {}, []
        for name, frames, truth in self._sequences:
            interrupts.check()
            state = tracker.init(frames[0], truth[0].astype(np.float32))
            _, outputs = tracker.chunk(state, frames[1:])
            tracked = np.concatenate([truth[:1], np.asarray(jax.device_get(outputs.box), np.float64)])
            scores[name] = one_pass.success_auc(tracked, truth)
            precisions.append(one_pass.precision(tracked, truth))
        result = {'success_auc': float(np.mean(list(scores.values()))), 'precision': float(np.mean(precisions))}
        return result | {f'auc/{name}': float(value) for name, value in scores.items()}


def _load(root: str, seed: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, frames [T, H, W, 3] uint8, boxes [T, 4] xywh) of each sequence."""
    if not root:
        # Far from the keys that training draws.
        made = [generated.make_sequence(10**9 + seed * 1000 + i, FRAMES) for i in range(SEQUENCES)]
        return [(f'generated{i}', frames, boxes.astype(np.float64)) for i, (frames, boxes) in enumerate(made)]
    try:
        found = sequences.read_sequences('davis', root)
    except ValueError as error:
        raise ValueError(f'config.train.validation_root: {error}') from None
    # Evenly spread over the names, so that a few stand for all.
    chosen = [found[i * len(found) // SEQUENCES] for i in range(min(SEQUENCES, len(found)))]
    loaded = []
    for sequence in chosen:
        frames = np.stack([images.read_image(path) for path in sequence.frames[:FRAMES]])
        loaded.append((sequence.name, frames, np.asarray(sequence.boxes[: len(frames)])))
    _log.info('validation: %s', ', '.join(name for name, _, _ in loaded))
    return loaded

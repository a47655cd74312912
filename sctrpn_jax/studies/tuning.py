"""Search for the selection settings (window, penalty, rates, cue weights) on a validation set, by Optuna.

The settings are arguments of one compiled program, so a trial costs the tracking alone.
"""

import copy
import dataclasses
import json
import os
import pathlib
from collections.abc import Callable, Sequence

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import track_step as step_lib
from sctrpn_jax.tracking import tracker as tracker_lib

# Name of the field -> the range that is searched.
RANGES = {
    'track.window': (0.0, 0.6),
    'track.penalty': (0.0, 1.2),
    'track.size_rate': (0.02, 1.0),
    'track.nms_iou': (0.3, 0.9),
    'track.shape_exponent': (0.0, 0.3),
    'track.color_exponent': (0.0, 0.5),
    'track.size_exponent': (0.0, 0.5),
    'model.cascade.theta': (0.6, 1.0),
}
# What trackers are compared on must not choose their settings. DAVIS and GOT-10k's validation split are free for it.
TEST_BENCHMARKS = ('otb', 'vot', 'lasot', 'trackingnet', 'uav123')


@dataclasses.dataclass(frozen=True)
class Trial:
    """One set of values and its mean success AUC."""

    values: dict[str, float]
    success: float


def check_benchmark(benchmark: str, force: bool) -> None:
    """Raises ValueError for a test benchmark, unless forced."""
    if benchmark in TEST_BENCHMARKS and not force:
        raise ValueError(
            f'{benchmark} is a test benchmark: settings chosen on it would make its results worthless; tune on '
            f'davis or got10k (validation), or give --force and say so wherever the results are shown'
        )


def get_fields(config: config_lib.Config) -> dict[str, float]:
    """Present values of the searched fields."""
    return {name: float(getattr(*_holder(config, name))) for name in RANGES}


def set_fields(config: config_lib.Config, values: dict) -> config_lib.Config:
    """A copy of the config with other values in the searched fields."""
    changed = copy.deepcopy(config)
    for name, value in values.items():
        holder, field = _holder(changed, name)
        setattr(holder, field, value)
    return changed


def _holder(config: config_lib.Config, name: str):
    *path, field = name.split('.')
    for part in path:
        config = getattr(config, part)
    return config, field


class Objective:
    """Mean success AUC over sequences held in memory, as a function of the searched fields.

    Args:
      variables: of `SCTRPN`.
      config: the run's.
      sequences: to track, one pass.
      frames: at most so many of each.
    """

    def __init__(
        self,
        variables: dict,
        config: config_lib.Config,
        sequences: Sequence[sequences_lib.Sequence],
        frames: int | None = None,
    ):
        self._config = config
        self._variables = tracker_lib.functions(config).prepare(variables)
        self._clips = [
            (np.stack([images.read_image(path) for path in s.frames[:frames]]), np.asarray(s.boxes[:frames]))
            for s in sequences
        ]

        def track(variables, values, frames, box):
            changed = set_fields(config, values)
            state = step_lib.init_state(variables, frames[0], box, changed)

            def step(state, frame):
                return step_lib.track_step(variables, state, frame, changed)

            return jax.lax.scan(step, state, frames[1:])[1].box

        self._track = jax.jit(track)

    def __call__(self, values: dict[str, float]) -> float:
        """Mean success AUC, 0..1, with these values."""
        values = {name: np.float32(value) for name, value in values.items()}
        scores = []
        for frames, truth in self._clips:
            boxes = self._track(self._variables, values, frames, truth[0].astype(np.float32))
            scores.append(one_pass.success_auc(np.concatenate([truth[:1], np.asarray(boxes, np.float64)]), truth))
        return float(np.mean(scores))


def search(
    objective: Callable[[dict[str, float]], float],
    start: dict[str, float],
    trials: int,
    output: str | os.PathLike,
    seed: int = 0,
) -> list[Trial]:
    """Tries values until there are so many trials in all; an interrupted search goes on.

    Args:
      objective: to be made large.
      start: tried first.
      trials: number of them, those of earlier calls counted.
      output: folder; keeps the study (`study.journal`).
      seed: of the sampler.

    Returns:
      Every complete trial, the best first.

    Raises:
      ValueError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ValueError("tuning needs Optuna: pip install 'sctrpn_jax[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = pathlib.Path(output)
    path.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.journal.JournalFileBackend(os.fspath(path / 'study.journal'))
    study = optuna.create_study(
        study_name='tuning',
        storage=optuna.storages.JournalStorage(backend),
        sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True),
        direction='maximize',
        load_if_exists=True,
    )
    if not study.trials:
        study.enqueue_trial({name: float(np.clip(start[name], *RANGES[name])) for name in start})

    def complete():
        return [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]

    while len(complete()) < trials:
        trial = study.ask()
        values = {name: trial.suggest_float(name, *RANGES[name]) for name in start}
        study.tell(trial, objective(values))
    return sorted(
        (Trial(dict(trial.params), float(trial.value)) for trial in complete()), key=lambda trial: -trial.success
    )


def write_report(
    output: str | os.PathLike, trials: list[Trial], start: dict[str, float], tuned_on: dict, seed: int
) -> dict:
    """Writes tuning.json and returns what it says: what was tuned on, the start, the best, and every trial."""
    first = next((trial for trial in trials if all(abs(trial.values[n] - start[n]) < 1e-9 for n in start)), None)
    made = {
        'tuned_on': tuned_on,
        'seed': seed,
        'start': {'values': start, 'success': first.success if first else None},
        'best': dataclasses.asdict(trials[0]),
        'trials': [dataclasses.asdict(trial) for trial in trials],
    }
    path = pathlib.Path(output) / 'tuning.json'
    partial = path.with_name(f'{path.name}.part')
    partial.write_text(json.dumps(made, indent=1) + '\n', encoding='utf-8')
    os.replace(partial, path)
    return made

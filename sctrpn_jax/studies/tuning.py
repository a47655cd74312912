"""Search for the selection settings (window, penalty, rates, cue weights) on a validation set, by Optuna.

The settings are arguments of one compiled program, so a trial costs the tracking alone.
"""

import copy
import dataclasses
import json
import os
import pathlib
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.system import files
from sctrpn_jax.tracking import compiled
from sctrpn_jax.tracking import track_step as step_lib

# Name of the field -> the range that is searched.
RANGES = {
    'track.window': (0.0, 0.6),
    'track.penalty': (0.0, 1.2),
    'track.size_rate': (0.02, 1.0),
    'track.nms_iou': (0.3, 0.9),
    'track.rerank_exponents[0]': (0.0, 0.3),  # shape
    'track.rerank_exponents[1]': (0.0, 0.5),  # color
    'track.rerank_exponents[2]': (0.0, 0.5),  # size
    'model.cascade.theta': (0.6, 1.0),
}


@dataclasses.dataclass(frozen=True)
class Trial:
    """One set of values and its mean success AUC."""

    values: dict[str, float]
    success: float


@dataclasses.dataclass(frozen=True)
class Job:
    """What is searched, and on what.

    Attributes:
      benchmark: name of it.
      sequences: of it, each tracked once per trial.
      output: folder for the study (`study.journal`) and `tuning.json`.
      trials: number of them, those of earlier runs included.
      frames: use the first N of each sequence; None: all.
      fields: to search, some of `RANGES`.
      seed: of the sampler.
    """

    benchmark: str
    sequences: Sequence[sequences_lib.Sequence]
    output: str | os.PathLike
    trials: int = 100
    frames: int | None = None
    fields: tuple[str, ...] = tuple(RANGES)
    seed: int = 0


def check(benchmark: str, root: str | os.PathLike, fields: Iterable[str], force: bool) -> None:
    """Refuses what must not or cannot be tuned, before any sequence is read.

    Args:
      benchmark: name of it.
      root: its folder.
      fields: to search.
      force: allow a split that trackers are compared on.

    Raises:
      ValueError: a field without a range, or a split that must not choose settings.
    """
    if unknown := [name for name in fields if name not in RANGES]:
        raise ValueError(f'no field {unknown[0]!r} to search; accepted are {", ".join(RANGES)}')
    known = registry.get(benchmark)
    split = known.split(known.default_split(root))
    if not split.for_tuning and not force:
        free = [name for name, each in registry.every().items() if next(iter(each.splits.values())).for_tuning]
        raise ValueError(
            f'{split.title} is a test benchmark: settings chosen on it would make its results worthless; tune on a '
            f'validation set ({", ".join(free)}), or give --force and say so wherever the results are shown'
        )


def get_fields(config: config_lib.Config) -> dict[str, float]:
    """Present values of the searched fields."""
    found = {}
    for name in RANGES:
        holder, field, place = _holder(config, name)
        value = getattr(holder, field)
        found[name] = float(value if place is None else value[place])
    return found


def set_fields(config: config_lib.Config, values: Mapping[str, typing.Any]) -> config_lib.Config:
    """A copy of the config with other values, numbers or traced arrays, in the searched fields."""
    changed = copy.deepcopy(config)
    for name, value in values.items():
        holder, field, place = _holder(changed, name)
        old = getattr(holder, field)
        setattr(holder, field, value if place is None else (*old[:place], value, *old[place + 1 :]))
    return changed


def _holder(config: config_lib.Config, name: str) -> tuple[typing.Any, str, int | None]:
    """The section that holds a field, the field's name, and the place in its tuple."""
    *path, field = name.split('.')
    for part in path:
        config = getattr(config, part)
    field, bracket, place = field.partition('[')
    return config, field, int(place.removesuffix(']')) if bracket else None


class Objective:
    """Mean success AUC over sequences held in memory, as a function of the searched fields.

    Args:
      variables: of `SCTRPN`.
      config: the run's.
      sequences: to track, one pass.
      frames: use the first N of each; None: all.
    """

    def __init__(
        self,
        variables: dict,
        config: config_lib.Config,
        sequences: Sequence[sequences_lib.Sequence],
        frames: int | None = None,
    ):
        self._config = config
        self._variables = compiled.jitted(config).prepare(variables)
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
    """Tries values until there are `trials` trials in all; an interrupted search goes on.

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
    files.write_text(pathlib.Path(output) / 'tuning.json', json.dumps(made, indent=1) + '\n')
    return made


def run(job: Job, variables: dict, config: config_lib.Config) -> str:
    """Searches, and writes `tuning.json`.

    Args:
      job: what is searched, and on what; `check` has let it pass.
      variables: of `SCTRPN`.
      config: the run's; its present values are tried first.

    Returns:
      What was found, in three lines.

    Raises:
      ValueError: sequences that cannot be read, or Optuna is not installed.
    """
    present = get_fields(config)
    start = {name: present[name] for name in job.fields}
    objective = Objective(variables, config, job.sequences, job.frames)
    trials = search(objective, start, job.trials, job.output, job.seed)
    tuned_on = {'benchmark': job.benchmark, 'sequences': [s.name for s in job.sequences], 'frames': job.frames}
    before = write_report(job.output, trials, start, tuned_on, job.seed)['start']['success']
    best = trials[0]
    return '\n'.join(
        [
            f'{len(trials)} trials on {len(job.sequences)} sequences of {job.benchmark}: success AUC {best.success:.4f}'
            + (f', {before:.4f} before' if before is not None else ''),
            ' '.join(f'--config.{name}={value:.4g}' for name, value in best.values.items()),
            f'all trials: {job.output}/tuning.json',
        ]
    )

"""Runs an ablation: trains each variant with each seed, tracks a benchmark, writes the tables; goes on after a stop."""

import dataclasses
import hashlib
import json
import logging
import os
import pathlib
from collections.abc import Callable, Sequence

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation.run import runner
from sctrpn_jax.evaluation.run import trackers as trackers_lib
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.models import sctrpn
from sctrpn_jax.studies import ablation as ablation_lib
from sctrpn_jax.studies import ablation_report
from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.training import checkpoint as checkpoint_lib
from sctrpn_jax.training import loop, metric_log, optimiser
from sctrpn_jax.weights import loading

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Job:
    """What is trained and tracked.

    Attributes:
      ablation: which.
      base: config that its changes are made on.
      benchmark: name of it.
      sequences: of the benchmark, tracked from their first boxes.
      workdir: gets `<name>.json`, `.md`, `.csv` and the runs.
      variants: some of them; None: all. The tables have these.
      seeds: None: those of the ablation.
      pairs: training pairs of each variant; None: as the ablation says.
      checkpoint: a network (`loading.load_network`) to track with, so that nothing is trained. Its own config is the
        base, and its boxes lie in `<workdir>/<variant>/checkpoint/results`. For variants that share one training.
    """

    ablation: ablation_lib.Ablation
    base: config_lib.Config
    benchmark: str
    sequences: Sequence[sequences_lib.Sequence]
    workdir: str | os.PathLike
    variants: Sequence[str] | None = None
    seeds: Sequence[int] | None = None
    pairs: int | None = None
    checkpoint: str | None = None


def run(
    job: Job,
    train: Callable[[config_lib.Config, pathlib.Path], object] = loop.train_and_evaluate,
    open_tracker: Callable[[pathlib.Path | str, config_lib.Config], trackers_lib.OnlineTracker] | None = None,
) -> dict:
    """Everything from an ablation to its tables.

    Seed by seed, so that all variants can be compared early; the tables are renewed after each. Trainings lie in
    `<workdir>/<variant>/seed<N>`, their boxes in `results` there; what is finished is not done again. A training that
    diverges is noted and left out.

    Args:
      job: what is trained and tracked.
      train: called with config and folder of a training that is not complete.
      open_tracker: makes a tracker of a training's folder (or the checkpoint) and a variant's config; None: `Tracker`.

    Returns:
      The report of `ablation_report.summarise`.

    Raises:
      ValueError: settings, data or an earlier run in `workdir` that do not fit.
    """
    ablation, sequences, checkpoint = job.ablation, job.sequences, job.checkpoint
    workdir, open_tracker = pathlib.Path(job.workdir), open_tracker or load_tracker
    names = _choose(ablation, job.variants, checkpoint)
    base = loading.load_network(checkpoint)[1] if checkpoint else job.base
    seeds = ['checkpoint'] if checkpoint else list(job.seeds or ablation.seeds)

    def config_of(name, seed):
        if checkpoint:
            return ablation_lib.changed(base, ablation.changes(name))
        return ablation_lib.variant_config(ablation, base, name, seed, job.pairs)

    for name in names:  # a typo shows now, not after hours
        config_of(name, seeds[0])
    measured: dict[str, dict] = {name: {} for name in names}
    diverged: dict[str, dict] = {name: {} for name in names}
    about = {
        'benchmark': job.benchmark,
        'sequences': [sequence.name for sequence in sequences],
        'checkpoint': checkpoint,
    }
    for seed in seeds:
        label = seed if checkpoint else f'seed{seed}'
        broken: dict[str, str] = {}  # variant whose training diverged with this seed -> why
        for name in names:
            trained, config = ablation.trained(name), config_of(name, seed)
            source = checkpoint or workdir / trained / label
            if not checkpoint and trained not in broken:
                try:
                    ensure_trained(config_of(trained, seed), source, train)
                except loop.TrainingDivergedError as error:
                    broken[trained] = str(error)
            if trained in broken:
                diverged[name][label] = broken[trained]
            else:
                _log.info('%s, %s: tracks %d sequences', name, label, len(sequences))
                description = {'variant': name, 'benchmark': job.benchmark, **_settings(source, config)}
                tracker, output = open_tracker(source, config), workdir / name / label / 'results'
                measured[name][label] = ablation_report.Replicate(
                    scores=_scores(sequences, runner.run_one_pass(tracker, sequences, output, description)),
                    pairs=None if checkpoint else last_step(source) * config.train.batch_size,
                    courses={} if checkpoint or trained != name else courses(source),
                )
            report = ablation_report.summarise(ablation, measured, about, diverged)
            ablation_report.write(report, workdir)
    return report


def _choose(ablation: ablation_lib.Ablation, names: Sequence[str] | None, checkpoint: str | None) -> list[str]:
    """The variants to run, in the table's order."""
    for name in names or ():
        if name not in ablation.variants:
            raise ValueError(f'no variant {name!r} in {ablation.name}; there are {", ".join(ablation.variants)}')
    chosen = [name for name in ablation.variants if not names or name in names]
    if checkpoint and len({ablation.trained(name) for name in chosen}) > 1:
        raise ValueError(
            f'a checkpoint is one training, and {", ".join(chosen)} have several; choose variants that share one'
        )
    return chosen


def ensure_trained(config: config_lib.Config, folder: pathlib.Path, train: Callable) -> None:
    """Trains, or goes on training, in a folder; nothing where the last step is saved there.

    Raises:
      ValueError: the folder holds a training of another config.
    """
    done = last_step(folder)
    if done < optimiser.total_steps(config.train):
        _log.info('%s: trains to %d pairs', folder, optimiser.total_steps(config.train) * config.train.batch_size)
        train(config, folder)
        return
    saved, wanted = map(_trained_settings, (loading.read_run_config(folder / 'checkpoints', done), config))
    if found := checkpoint_lib.disagreement(saved, wanted):
        raise ValueError(f'{folder}: {found}; give the same config, or another --workdir')


def _trained_settings(config: config_lib.Config) -> dict:
    """The fields that a training depends on when nothing is validated on the way."""
    made = config_values.to_dict(config)
    del made['track'], made['train']['validation_root']
    return made


def last_step(folder: pathlib.Path) -> int:
    """Newest complete checkpoint of a training, 0 where there is none."""
    return max((int(path.name) for path in (folder / 'checkpoints').glob('*') if path.name.isdigit()), default=0)


def load_tracker(source: pathlib.Path | str, config: config_lib.Config) -> tracker_lib.Tracker:
    """A tracker with a training's weights and another config.

    Raises:
      ValueError: weights that are not of that config's network.
    """
    variables, _ = loading.load_network(source)
    wanted = jax.eval_shape(lambda: sctrpn.init_variables(sctrpn.SCTRPN(config.model), 0))
    shapes, wanted = ({jax.tree_util.keystr(k): v.shape for k, v in _leaves(each)} for each in (variables, wanted))
    if shapes != wanted:
        name = min(key for key in shapes.keys() | wanted.keys() if shapes.get(key) != wanted.get(key))
        raise ValueError(
            f'{source}: its weights are of another network ({name} is {shapes.get(name, "missing")}, expected '
            f'{wanted.get(name, "none")}); a variant with another network needs its own training'
        )
    return tracker_lib.Tracker(variables, config)


def _leaves(tree):
    return jax.tree_util.tree_flatten_with_path(tree)[0]


def _settings(source: pathlib.Path | str, config: config_lib.Config) -> dict:
    """What boxes depend on, short enough for one line."""
    made = config_values.to_dict(config)
    weights = source if isinstance(source, str) else f'step {last_step(source)} of seed {config.seed}'
    text = json.dumps({name: made[name] for name in ('model', 'track')}, sort_keys=True)
    return {'weights': weights, 'settings': hashlib.sha256(text.encode()).hexdigest()[:12], 'seed': config.seed}


def _scores(sequences: Sequence[sequences_lib.Sequence], results: dict[str, runner.Result]) -> dict[str, np.ndarray]:
    """Each of `ablation.METRICS`, [S]."""
    rows = []
    for sequence in sequences:
        result = results[sequence.name]
        scores = one_pass.score_sequence(result.boxes, sequence.boxes)
        seconds = result.seconds[1:].sum()
        fps = (len(result.seconds) - 1) / seconds if seconds > 0 else np.nan
        rows.append((scores.success, scores.precision, scores.normalized_precision, fps))
    return dict(zip(ablation_lib.METRICS, np.array(rows).T, strict=True))


def courses(folder: pathlib.Path) -> dict[str, dict[str, np.ndarray]]:
    """How a training went, in quarters, from its metrics.jsonl.

    Args:
      folder: of the training.

    Returns:
      Of `ablation_report.COURSES` -> stage -> [4] means, NaN where nothing was logged; {} where there is no such file.
    """
    lines = metric_log.read_metrics(folder / 'metrics.jsonl')
    last = max((line['step'] for line in lines), default=0)
    made: dict[str, dict] = {}
    for course in ablation_report.COURSES:
        for name in sorted({name for line in lines for name in line if name.endswith(f'/{course}')}):
            values: list[list[float]] = [[] for _ in range(ablation_report.QUARTERS)]
            for line in lines:
                if name in line:
                    values[(line['step'] - 1) * len(values) // last].append(line[name])
            means = np.array([np.mean(each) if each else np.nan for each in values])
            made.setdefault(course, {})[name.split('/')[0]] = means
    return made

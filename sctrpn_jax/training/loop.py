"""The training run: data, steps, validation, checkpoints, restart (Sec. 4.2)."""

import contextlib
import logging
import math
import pathlib
import time
from collections.abc import Callable

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.system import interrupts, locks
from sctrpn_jax.training import checkpoint, feeding, metric_log, optimiser, processes, validation
from sctrpn_jax.training import train_state as state_lib
from sctrpn_jax.training import train_step as step_lib
from sctrpn_jax.weights import loading

_log = logging.getLogger(__name__)

# Fields that do not change what a run computes, so a restart may change them. (The two ways of feeding give the same
# pairs, to rounding.)
_FREE_FIELDS = {
    'train': ('log_every', 'checkpoint_every', 'validate_every', 'validation_root'),
    'data': ('feeding', 'num_workers'),
}


class TrainingDivergedError(ArithmeticError):
    """The loss or its gradient is no longer finite."""


def train_and_evaluate(config: config_lib.Config, workdir: str | pathlib.Path) -> state_lib.TrainState:
    """Trains, or goes on from the last checkpoint in `workdir`.

    Ctrl-C and SIGTERM act between two steps: what was trained is saved, and the same call goes on.

    Args:
      config: the run's.
      workdir: gets `checkpoints/`, `best/` (highest validation success AUC) and `metrics.jsonl`.

    Returns:
      The last state.

    Raises:
      ValueError: settings or data that do not fit; a checkpoint of another config; another process trains there.
      TrainingDivergedError: with the last sound state saved.
      Interrupted: by a signal, with the state saved.
    """
    c = config_values.check(config).train
    devices = processes.devices()
    if c.batch_size % len(devices):
        raise ValueError(f'train.batch_size is {c.batch_size}; it must be a multiple of {len(devices)} devices')
    # Auto: batch-sharded gathers and concatenations are refused under jax's default, Explicit axes.
    mesh = jax.sharding.Mesh(np.array(devices), ('data',), axis_types=(jax.sharding.AxisType.Auto,))
    replicated = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    by_batch = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec('data'))

    # Whatever ends the run, threads and files are closed: Python 3.12 cannot exit past an open checkpointer.
    with contextlib.ExitStack() as opened:
        if jax.process_index() == 0:
            opened.enter_context(locks.hold(workdir))
        processes.check_same('configs', config_values.to_dict(config))
        return _train(config, pathlib.Path(workdir), opened, by_batch, replicated)


def _train(
    config: config_lib.Config,
    workdir: pathlib.Path,
    opened: contextlib.ExitStack,
    by_batch: jax.sharding.Sharding,
    replicated: jax.sharding.Sharding,
) -> state_lib.TrainState:
    c = config.train
    last = opened.enter_context(contextlib.closing(checkpoint.Checkpoints(workdir)))
    best = opened.enter_context(contextlib.closing(checkpoint.Checkpoints(workdir, 'best')))
    saved, best_auc = int(processes.of_first(last.latest_step() or 0, 'saved step')), -1.0
    first = saved or optimiser.first_step(c)
    if saved:
        _check_same_run(loading.read_run_config(workdir / 'checkpoints', first), config)
    state = processes.put(processes.of_first(state_lib.create_train_state(config), 'first state'), replicated)
    if saved:
        state, position = last.restore(state)
        best_auc = position['best_auc']
    _log.info(
        '%s; %d process(es), %d device(s); %s',
        optimiser.describe(c),
        jax.process_count(),
        jax.device_count(),
        f'goes on from step {first}' if saved else 'new run',
    )

    feed = feeding.make_feeding(config, first, by_batch, replicated)
    opened.callback(feed.close)
    train_step = step_lib.make_train_step(config, feed.expand)
    validate = validation.Validator(config) if c.validate_every else None
    # One statement: a signal between two would leave the files open.
    writer = opened.enter_context(
        contextlib.closing(metric_log.MetricWriter(workdir, first, writes=jax.process_index() == 0))
    )
    total = optimiser.total_steps(c)
    progress = _Progress(first, total, c.batch_size)
    step, compiled = first, set()

    def save(checkpoints=last):
        # The data position is the step's: a checkpoint always holds a consistent (state, data) pair.
        checkpoints.save(step, state, {'pairs': step * c.batch_size, 'best_auc': best_auc}, config)

    def check_finite():
        if progress.newest is not None and not progress.newest['finite']:
            _stop(progress.newest, step, save, last)

    # From here signals wait for the places that look for them: the step takes the state's memory, so that there is
    # nothing to save while it is called. Closing, which waits for the disk, is inside too.
    with processes.deferred(), opened.pop_all():
        try:
            while True:
                over = step >= total
                if validate and step > writer.validated and (step % c.validate_every == 0 or over):
                    # Every process tracks, since all would wait for one that does; the first one's numbers count.
                    result = processes.of_first(validate(processes.local(state.variables)), f'validation {step}')
                    result = {name: float(value) for name, value in result.items()}
                    writer.write(step, {f'validation/{name}': value for name, value in result.items()})
                    _log.info(
                        'step %d: validation AUC %.3f, precision %.3f', step, result['success_auc'], result['precision']
                    )
                    if result['success_auc'] > best_auc:
                        best_auc = result['success_auc']
                        save(best)
                        best.wait()  # or a kill could leave its score alone, in the checkpoint that follows
                    progress.pause()
                if step > first and (step % c.checkpoint_every == 0 or over):
                    save()
                if over:
                    break
                processes.check_interrupts(step)
                try:
                    batch = next(feed.batches)
                except RuntimeError:
                    interrupts.check()  # a signal to the whole process group has ended the worker that reads
                    raise
                check_finite()
                phase = optimiser.phase_at(c, step)
                program = phase.layers, phase.running_norms
                if jax.process_count() > 1 and program not in compiled:
                    train_step.lower(state, batch, *program).compile()  # the call below uses it
                    compiled.add(program)
                    processes.meet(f'compiled for step {step}')
                state, values = train_step(state, batch, *program)
                step += 1
                progress.add(values)
                if step % c.log_every == 0 or step == total:
                    line = progress.flush(step)
                    if not math.isfinite(line['loss']):
                        _stop(values, step, save, last)
                    writer.write(step, line)
        except interrupts.Interrupted:
            check_finite()
            if step > first:
                _log.info('interrupted at step %d; saving', step)
                save()
            raise
    return state


def _check_same_run(saved: config_lib.Config, wanted: config_lib.Config) -> None:
    old, new = config_values.to_dict(saved), config_values.to_dict(wanted)
    for side in (old, new):
        side.pop('track')
        for section, names in _FREE_FIELDS.items():
            for name in names:
                side[section].pop(name, None)
    if found := checkpoint.disagreement(old, new):
        raise checkpoint.CheckpointError(f'{found}; give the same config, or another --workdir')


def _stop(values: dict, step: int, save: Callable[[], None], checkpoints: checkpoint.Checkpoints) -> None:
    """Saves the state, which a step that is not finite left as it was, and says what broke."""
    save()
    checkpoints.wait()
    broken = [
        f'{term} of {stage} is {float(values[f"{stage}/{term}"])}'
        for stage in sorted({name.split('/')[0] for name in values if '/' in name})
        for term in ('classification', 'regression')
        if not np.isfinite(values[f'{stage}/{term}'])
    ]
    what = '; '.join(broken) or f'the gradient (norm {float(values["gradient_norm"])}) while every loss term is finite'
    raise TrainingDivergedError(
        f'step {step}: not finite: {what}. The state before that step is saved; lower rates in train.phases may help'
    )


class _Progress:
    """Sums metrics between two progress lines and times them, validation and compilation left out."""

    def __init__(self, step: int, total: int, batch_size: int):
        self._step, self._total, self._batch_size = step, total, batch_size
        self._values: list[dict] = []
        self._since: float | None = None
        self.newest: dict | None = None

    def add(self, values: dict) -> None:
        if self._since is None:
            # The first step after a start or a pause holds compilation or waiting: the clock begins after it.
            jax.block_until_ready(values)
            self._since, self._counted = time.monotonic(), -1
        self._counted += 1
        self.newest = values
        self._values.append(values)

    def pause(self) -> None:
        self._since = None

    def flush(self, step: int) -> dict[str, float]:
        values = jax.device_get(self._values)
        line = {name: float(np.mean([v[name] for v in values])) for name in values[0] if name != 'finite'}
        if self._since is not None and self._counted > 0:
            line['pairs_per_second'] = self._counted * self._batch_size / (time.monotonic() - self._since)
            left = (self._total - step) * self._batch_size / line['pairs_per_second']
            eta = time.strftime('%H:%M:%S', time.gmtime(left)) if left < 86400 else f'{left / 86400:.1f} days'
        else:
            eta = 'unknown'
        stages = sorted({name.split('/')[0] for name in line if name.startswith('stage')})
        terms = '  '.join(
            f'{s}: cls {line[f"{s}/classification"]:.4f} reg {line[f"{s}/regression"]:.4f}' for s in stages
        )
        _log.info(
            'step %d/%d  %.1f pairs/s  ETA %s  rate %.2g  loss %.4f  %s',
            step,
            self._total,
            line.get('pairs_per_second', float('nan')),
            eta,
            line['rate'],
            line['loss'],
            terms,
        )
        self._values, self._since = [], time.monotonic() if self._since is not None else None
        self._counted = 0
        return line

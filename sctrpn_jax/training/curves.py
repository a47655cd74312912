"""Training curves of a run from its metrics.jsonl: losses and peak distance by stage, validation success."""

import os
import pathlib
import typing

import numpy as np

from sctrpn_jax.training import metric_log

_PANELS = (
    ('classification', 'classification loss'),
    ('regression', 'regression loss'),
    ('peak_distance', 'response peak to target centre, px'),
)
_COLORS = ('#0072B2', '#E69F00', '#009E73', '#CC79A7')  # Okabe-Ito: told apart by every reader


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Running mean over the last `width` values (fewer at the start): [T] to [T]."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - width, 0)
    return (total[stop] - total[start]) / (stop - start)


def plot_run(workdir: str | os.PathLike, output: str | os.PathLike) -> None:
    """Draws a run's curves; needs matplotlib.

    Args:
      workdir: of `bin/train`.
      output: picture to write (.png, .svg).

    Raises:
      ValueError: the folder has no metrics.jsonl with training lines.
    """
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    lines = metric_log.read_metrics(pathlib.Path(workdir) / 'metrics.jsonl')
    training = [line for line in lines if 'loss' in line]
    if not training:
        raise ValueError(f'{workdir}: no metrics.jsonl with training lines; give the --workdir of a run')
    stages = sorted({name.split('/')[0] for name in training[0] if name.startswith('stage')})
    steps = np.array([line['step'] for line in training])
    checked = [line for line in lines if 'validation/success_auc' in line]
    panels = len(_PANELS) + bool(checked)
    figure, axes = plt.subplots(1, panels, figsize=(4 * panels, 3.6), layout='constrained')
    width = max(len(training) // 20, 1)
    for axis, (term, title) in zip(axes, _PANELS, strict=False):
        for stage, color in zip(stages, _COLORS, strict=False):
            values = np.array([line.get(f'{stage}/{term}', np.nan) for line in training])
            axis.plot(steps, values, color=color, alpha=0.2)
            axis.plot(steps, smooth(values, width), color=color, label=f'stage {stage[5:]}')
        axis.set(title=title, xlabel='step', ylim=(0, None))
        axis.legend()
    if checked:
        _draw_validation(axes[-1], checked)
    figure.savefig(output, dpi=110)
    plt.close(figure)


def _draw_validation(axis: typing.Any, checked: list[dict]) -> None:
    for name, color in (('success_auc', _COLORS[0]), ('precision', _COLORS[1])):
        values = [line.get(f'validation/{name}', np.nan) for line in checked]
        axis.plot([line['step'] for line in checked], values, 'o-', color=color, label=name.replace('_', ' '))
    axis.set(title='validation sequences', xlabel='step', ylim=(0, 1))
    axis.legend()

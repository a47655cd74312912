"""Curves are drawn from a run's metrics."""

import json

import cv2
import numpy as np
import pytest

from sctrpn_jax.training import curves


def test_smooth_against_a_loop():
    values = np.random.default_rng(0).normal(size=20)
    wanted = [values[max(i - 4, 0) : i + 1].mean() for i in range(20)]
    np.testing.assert_allclose(curves.smooth(values, 5), wanted)


@pytest.mark.filterwarnings('default::DeprecationWarning')
def test_draws_a_run(tmp_path):
    lines = [{'step': 10, 'validation/success_auc': 0.5, 'validation/precision': 0.4}]
    for step in range(20):
        terms = {
            f'stage{s}/{t}': 1 / (step + s)
            for s in (1, 2, 3)
            for t in ('classification', 'regression', 'peak_distance')
        }
        lines.append({'step': step, 'loss': 3.0} | terms)
    (tmp_path / 'metrics.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))
    curves.plot_run(tmp_path, tmp_path / 'curves.png')
    picture = cv2.imread(str(tmp_path / 'curves.png'))
    whole = picture.shape[1]
    assert whole > 1000 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    # A run without validation has no empty panel for it.
    (tmp_path / 'metrics.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines[1:]))
    curves.plot_run(tmp_path, tmp_path / 'curves.png')
    assert cv2.imread(str(tmp_path / 'curves.png')).shape[1] == whole * 3 // 4


def test_no_run_says_so(tmp_path):
    with pytest.raises(ValueError, match='no metrics.jsonl'):
        curves.plot_run(tmp_path, tmp_path / 'curves.png')

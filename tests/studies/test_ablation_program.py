"""`sctrpn studies ablation`: one real tiny run, trained and tracked."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from sctrpn_jax import config_files
from sctrpn_jax.data import sequences
from sctrpn_jax.studies import ablation, ablation_run
from sctrpn_jax.weights import loading

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TINY = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'

ABLATION = """
from sctrpn_jax.studies import ablation

def get_ablation():
    off = ablation.Variant({'track.voting': False}, weights_of='plain')
    return ablation.Ablation('small', 'Small', {'plain': ablation.Variant(), 'off': off}, 'plain', 4)
"""
BASE = f"""
import runpy
from sctrpn_jax import config as config_lib
import pytest

def get_config():
    config = runpy.run_path({str(TINY)!r})['get_config']()
    config.model.cascade.layers = (5,)
    config.train.phases = (config_lib.Phase(epochs=1, start_rate=0.01, end_rate=0.01, layers=(1, 2, 3, 4, 5)),)
    config.track.rerank = False  # most of what compiling a tracker takes
    config.track.voting = True
    return config
"""


@pytest.mark.all
def test_a_real_run(tmp_path, write_clip):
    (tmp_path / 'otb' / 'clip' / 'img').mkdir(parents=True)
    _, clip = write_clip(tmp_path / 'otb' / 'clip' / 'img', 3, 4)
    (tmp_path / 'otb' / 'clip' / 'groundtruth_rect.txt').write_text(
        ''.join(','.join(f'{value:.3f}' for value in row) + '\n' for row in clip.boxes + [1, 1, 0, 0])
    )
    file, base, work = tmp_path / 'small.py', tmp_path / 'base.py', tmp_path / 'work'
    file.write_text(ABLATION)
    base.write_text(BASE)
    places = [
        f'--config={file}',
        f'--base={base}',
        f'--workdir={work}',
        '--benchmark=otb',
        f'--root={tmp_path / "otb"}',
    ]
    command = [sys.executable, str(REPOSITORY / 'bin' / 'studies'), 'ablation', *places]
    done = subprocess.run(
        [*command, '--seeds=3', '--pairs=4', '--config.loss.xi=2'],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads((work / 'small.json').read_text())
    assert done.stdout.strip() == (work / 'small.md').read_text().strip()
    for name in ('plain', 'off'):
        row = report['variants'][name]
        assert row['pairs'] == {'seed3': 4} and 0 <= row['scores']['success']['mean'] <= 1
    assert np.isfinite(
        [v for v in report['variants']['plain']['courses']['peak_distance']['stage1'] if v is not None]
    ).all()
    assert report['variants']['plain']['courses']['iou'] and not report['variants']['off']['courses']
    saved = loading.read_run_config(work / 'plain' / 'seed3' / 'checkpoints', 2)
    assert (saved.seed, saved.loss.xi, saved.train.validate_every) == (3, 2.0, 0)

    # The same again from Python: nothing is trained, nothing tracked, the same numbers.
    trainings = []
    job = ablation_run.Job(
        ablation=ablation.read(file),
        base=config_files.load(str(base), [('loss.xi', '2')]),
        benchmark='otb',
        sequences=sequences.read_sequences('otb', tmp_path / 'otb'),
        workdir=work,
        seeds=[3],
        pairs=4,
    )
    again = ablation_run.run(job, train=lambda *call: trainings.append(call))
    assert trainings == [] and again == report

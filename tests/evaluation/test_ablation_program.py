"""bin/ablate: one real tiny run, trained and tracked; mistakes are one line."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.studies import ablation, ablation_run
from sctrpn_jax.training import checkpoint

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TINY = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'

TINY_ABLATION = """
import runpy
from sctrpn_jax.evaluation import ablation

def get_config():
    config = runpy.run_path({path!r})['get_config']()
    config.model.cascade.layers = (5,)
    config.train.epochs, config.train.warmup_epochs, config.train.final_epochs = 1, 0.0, 0.0
    config.track.rerank = False  # most of what compiling a tracker takes
    return config

def get_ablation():
    off = ablation.Variant({{'track.voting': False}}, weights_of='plain')
    return ablation.Ablation('small', 'Small', {{'plain': ablation.Variant(), 'off': off}}, 'plain', 4)
"""


def program(*arguments):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'ablate'), *arguments]
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)


def test_a_real_run(tmp_path, write_clip):
    (tmp_path / 'otb' / 'clip' / 'img').mkdir(parents=True)
    _, clip = write_clip(tmp_path / 'otb' / 'clip' / 'img', 3, 4)
    (tmp_path / 'otb' / 'clip' / 'groundtruth_rect.txt').write_text(
        ''.join(','.join(f'{value:.3f}' for value in row) + '\n' for row in clip.boxes + [1, 1, 0, 0])
    )
    file, work = tmp_path / 'small.py', tmp_path / 'work'
    file.write_text(TINY_ABLATION.format(path=str(TINY)))
    done = program(
        f'--config={file}',
        f'--workdir={work}',
        '--benchmark=otb',
        f'--root={tmp_path / "otb"}',
        '--seeds=3',
        '--pairs=4',
        '--config.loss.xi=2',
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
    saved = checkpoint.read_config(work / 'plain' / 'seed3' / 'checkpoints', 2)
    assert (saved.seed, saved.loss.xi, saved.train.validate_every) == (3, 2.0, 0)

    # The same again from Python: nothing is trained, nothing tracked, the same numbers.
    trainings = []
    base = ablation.changed(ablation._load(file).get_config(), {'loss.xi': 2})
    found = sequences.read_sequences('otb', tmp_path / 'otb')
    again = ablation_run.run(
        ablation.read(file), base, 'otb', found, work, seeds=[3], pairs=4, train=lambda *call: trainings.append(call)
    )
    assert trainings == [] and again == report


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--benchmark=davis'], 'give --workdir, --root, --config'),
        (
            [
                f'--config={REPOSITORY / "configs" / "ablations" / "xi.py"}',
                '--workdir=w',
                '--benchmark=davis',
                '--root=x',
                '--config.loss.xl=1',
            ],
            "config.loss has no field 'xl'",
        ),
        (['--table2', '--workdir=w', '--benchmark=davis', '--root=nowhere'], 'no DAVIS sequences'),
    ],
)
def test_the_program_refuses_in_one_line(arguments, message):
    done = program(*arguments)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert message in done.stderr

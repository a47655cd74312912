"""A mistake on the command line of a program is one line and exit code 2, never a traceback."""

import os
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parent.parent

TRAIN = ['train', '--config', str(REPOSITORY / 'configs' / 'quickstart.py'), '--workdir', 'run']
CASES = {
    'nothing given': (['train'], 'give --config, --workdir'),
    'config missing': (['train', '--config', 'nope.py', '--workdir', 'run'], "--config: no file 'nope.py'; give"),
    'config fails': ([*TRAIN[:2], f'{TRAIN[2]}:large', *TRAIN[3:]], 'get_config() takes 0 positional arguments'),
    'nothing to compare': (
        ['compare', '--benchmark=otb', '--root=nowhere', '--results=nowhere'],
        'no results; expected a folder nowhere',
    ),
    'no word': (['benchmark'], "got 'no word'; accepted is one of track, train, data"),
    'unknown dataset': (
        ['prepare_data', '--dataset=x', '--source=.', '--data_dir=.'],
        "dataset 'x' is not known; accepted are coco",
    ),
    'no source': (['prepare_data', '--dataset=coco', '--data_dir=.'], 'give --source'),
    'nothing to verify': (['prepare_data', '--dataset=coco', '--data_dir=.', '--verify'], 'no prepared set in'),
    'typo in a field': ([*TRAIN, '--config.train.rat=1'], "config.train has no field 'rat'; its fields are batch_size"),
    'wrong type': ([*TRAIN, '--config.train.rate=fast'], 'could not convert'),
    'impossible value': ([*TRAIN, '--config.model.fem.grid=bent'], 'accepted: aligned, stretch'),
    'data missing': ([*TRAIN, '--config.data.root=nowhere'], "data.root 'nowhere' is no folder"),
    'no metrics': (['plot_curves', '--workdir', 'nowhere', '--output', 'x.png'], 'no metrics.jsonl'),
    'nothing to warp': (
        ['warps', '--benchmark=davis', '--root=nowhere', '--output=x.md'],
        'no DAVIS sequences; expected',
    ),
    'nothing to play': (
        ['stress', '--benchmark=davis', '--root=nowhere', '--output=x.md'],
        'no DAVIS sequences; expected',
    ),
    'impossible shake': (['stress', '--shake=-1'], 'flag --shake=-1: -1.0 is not a non-negative number'),
    'no checkpoint': (['export_weights', '--checkpoint', 'nowhere', '--output', 'x.npz'], 'no checkpoint here'),
}


@pytest.mark.parametrize('arguments, message', CASES.values(), ids=CASES)
def test_one_line_and_exit_code_two(arguments, message, tmp_path):
    program = subprocess.run(
        [sys.executable, str(REPOSITORY / 'bin' / arguments[0]), *arguments[1:]],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
    )
    assert program.returncode == 2, program.stderr
    lines = [line for line in program.stderr.splitlines() if not line.startswith(('I', 'W'))]
    assert message in lines[-1] and lines[-1].startswith(f'{arguments[0]}: ')
    assert 'Traceback' not in program.stderr

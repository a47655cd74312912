"""A mistake on the command line of any program is one line and exit code 2, never a traceback."""

import pathlib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TRAIN = ['train', '--config', 'quickstart', '--workdir', 'run']
DAVIS = ['--benchmark=davis', '--root=nowhere']
CASES = {
    'nothing given': (['train'], 'give --config, --workdir'),
    'config missing': (['train', '--config', 'nope.py', '--workdir', 'run'], "--config: no file 'nope.py', and no"),
    'config misspelled': (['train', '--config', 'quikstart', '--workdir', 'run'], 'did you mean quickstart?'),
    'config fails': (['train', '--config', 'fails.py', '--workdir', 'run'], 'fails.py: ZeroDivisionError: division'),
    'no word': (['benchmark'], "got 'no word'; accepted is one of track, parts, train, data"),
    'changes of nothing': (['benchmark', 'data', '--config.seed=1'], 'goes with --config; give one'),
    'nothing to compare': (
        ['reports', 'compare', *DAVIS, '--results=nowhere'],
        'no results; expected a folder nowhere',
    ),
    'nothing to draw': (['reports', 'curves', '--workdir', 'nowhere', '--output', 'x.png'], 'no metrics.jsonl'),
    'no report': (['reports', 'pool', '--reports=nowhere'], 'nowhere'),
    'unknown dataset': (
        ['prepare_data', '--dataset=x', '--source=.', '--data_dir=.'],
        "--dataset: got 'x'; accepted are coco",
    ),
    'no source': (['prepare_data', '--dataset=coco', '--data_dir=.'], 'give --source'),
    'nothing to verify': (['prepare_data', '--dataset=coco', '--data_dir=.', '--verify'], 'no prepared set in'),
    'typo in a field': ([*TRAIN, '--config.train.rat=1'], "config.train has no field 'rat'; its fields are batch_size"),
    'wrong type': ([*TRAIN, '--config.train.batch_size=fast'], 'config.train.batch_size'),
    'impossible value': ([*TRAIN, '--config.model.fem.grid=bent'], 'accepted: aligned, stretch'),
    'data missing': ([*TRAIN, '--config.data.root=nowhere'], "data.root 'nowhere' is no folder"),
    'nothing to warp': (['studies', 'warps', *DAVIS, '--output=x.md'], 'no DAVIS sequences; expected'),
    'nothing to play': (['studies', 'stress', *DAVIS, '--output=x.md'], 'no DAVIS sequences; expected'),
    'nothing to recall': (['studies', 'recall', *DAVIS, '--output=x'], 'no DAVIS sequences; expected'),
    'nothing to vary': (['studies', 'ablation', *DAVIS, '--workdir=x', '--config=stagse'], 'did you mean stages?'),
    'a field that is not there': (
        ['studies', 'ablation', *DAVIS, '--workdir=x', '--config=xi', '--config.loss.xl=1'],
        "config.loss has no field 'xl'",
    ),
    'a test benchmark': (
        ['studies', 'tuning', '--benchmark=otb', '--root=nowhere', '--output=x'],
        'is a test benchmark: settings chosen on it would make its results worthless',
    ),
    'a field without a range': (
        ['studies', 'tuning', *DAVIS, '--output=x', '--fields=track.windw'],
        "no field 'track.windw' to search; accepted are track.window",
    ),
    'impossible shake': (['studies', 'stress', *DAVIS, '--shake=-1'], "--shake: got '-1'; accepted is a number"),
    'no checkpoint': (['weights', 'export', '--checkpoint', 'nowhere', '--output', 'x.npz'], 'no checkpoint at'),
    'another ending': (['weights', 'import', '--source', 'x.pth', '--output', 'x.pt'], 'a name that ends in .npz'),
    'no weights': (['weights', 'import', '--source', 'x.pth', '--output', 'x.npz'], 'x.pth: no such file'),
    'platform': (['export', '--frame_size=64x48', '--output=out', '--platforms=tpu'], "got 'tpu'; accepted are cpu"),
    'batch': (['export', '--frame_size=64x48', '--output=out', '--batch=many'], "batch: got 'many'; accepted are"),
    'folder in use': (['export', '--frame_size=64x48', '--output=.'], 'is there already; give a new or an empty'),
    'neither output nor results': (['evaluate', *DAVIS], 'either --output, to track, or --results'),
    'protocol of another': (
        ['evaluate', '--benchmark=vot', '--root=x', '--output=y', '--protocol=tre'],
        'vot has no protocol tre; it has',
    ),
    'split of another': (['evaluate', *DAVIS, '--output=y', '--split=2013'], 'davis has no split 2013; it has val'),
}


@pytest.mark.parametrize(('arguments', 'message'), CASES.values(), ids=CASES)
def test_one_line_and_exit_code_two(arguments, message, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'fails.py').write_text('def get_config():\n    return 1 / 0\n')
    done = call(*arguments)
    assert done.code == 2, done
    # A training run may have told of its start before its data is looked for.
    lines = [line for line in done.err.splitlines() if ' INFO ' not in line]
    assert message in lines[-1] and lines[-1].startswith(arguments[0]), done.err
    assert 'Traceback' not in done.err and [path.name for path in tmp_path.iterdir()] in (
        ['fails.py'],
        ['fails.py', 'run'],
    )

"""The program benchmark prints and writes its figures."""

import json

import pytest

from sctrpn_jax.speed import data

NARROW = """from sctrpn_jax import config

def get_config():
    c = config.Config()
    c.model.backbone.widths, c.model.backbone.groups, c.model.backbone.norm = (4,) * 5, (1,) * 5, 'none'
    c.model.channels, c.model.cascade.layers = 16, (5, 4)
    return c
"""


@pytest.mark.all
def test_tracking(call, tmp_path, monkeypatch):
    from sctrpn_jax.programs import benchmark

    monkeypatch.setattr(benchmark, '_FRAMES', 4)
    (tmp_path / 'narrow.py').write_text(NARROW)
    flags = ['--seconds=0.1', '--frame=200x160', '--batches=1', '--targets=2', '--peers=mil']
    files = [f'--config={tmp_path / "narrow.py"}', f'--json={tmp_path / "made" / "figures.json"}']
    done = call('benchmark', 'track', *flags, *files, '--config.seed=3')
    assert done.code == 0, done.err
    figures = json.loads((tmp_path / 'made' / 'figures.json').read_text())
    assert figures['frame'] == '200 x 160' and 'share_after_the_network' in done.out
    assert figures['targets']['2']['frames_per_second'] > 0 and figures['targets']['2']['cpu_ms_per_frame'] > 0
    assert figures['peers']['mil']['frames_per_second'] > 0


@pytest.mark.all
def test_data(call, tmp_path):
    data.make_set(tmp_path / 'kept', frames=4, size=(160, 200))
    path = tmp_path / 'figures.json'
    limits = ['--seconds=0.1', '--streaming_seconds=0.1']
    done = call('benchmark', 'data', f'--data_dir={tmp_path / "kept"}', f'--json={path}', *limits)
    assert done.code == 0, done.err
    figures = json.loads(path.read_text())
    assert figures['random_access']['frames'] == 4 and 'host_one_core' in done.out


@pytest.mark.all
def test_parts(call, tmp_path):
    (tmp_path / 'narrow.py').write_text(NARROW)
    path = tmp_path / 'figures.json'
    done = call('benchmark', 'parts', f'--config={tmp_path / "narrow.py"}', '--seconds=0.1', f'--json={path}')
    assert done.code == 0, done.err
    layers = json.loads(path.read_text())['layers']
    for name, row in layers.items():
        line = next(line for line in done.out.splitlines() if line.startswith(f'{name} '))
        assert f'{row["track"]["ms"]:.2f}' in line

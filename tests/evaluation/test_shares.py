"""Processes that share an evaluation by index: one report, and nobody writes what another one writes."""

import concurrent.futures
import json

import pytest

from sctrpn_jax.evaluation import evaluate, job
from sctrpn_jax.evaluation.report import environments
from sctrpn_jax.evaluation.results import run_description
from sctrpn_jax.programs import main, startup
from sctrpn_jax.system import locks


@pytest.fixture
def share(monkeypatch, tmp_path, write_otb, capsys):
    """share(*flags) -> (exit code, stdout, stderr) of an evaluation of five sequences with MIL."""
    monkeypatch.setattr(startup, 'begin', lambda network: None)
    write_otb(tmp_path / 'data', [f's{i}' for i in range(5)])
    fixed = ['--benchmark=otb', f'--root={tmp_path / "data"}', f'--output={tmp_path / "out"}', '--tracker=mil']

    def run(*flags):
        code = main.run('evaluate', [*fixed, *flags])
        return code, *capsys.readouterr()

    return run


def tracked(tmp_path):
    return sorted(path.stem for path in (tmp_path / 'out').glob('s?.csv'))


def test_every_process_tracks_its_part_and_the_last_one_reports(share, tmp_path):
    code, out, _ = share('--processes=2', '--process=0')
    assert code == 0 and tracked(tmp_path) == ['s0', 's2', 's4']
    assert 'process 0 of 2: its sequences are tracked, 2 of the others are not yet' in out
    assert not (tmp_path / 'out' / 'report').exists()
    code, out, _ = share('--processes=2', '--process=1')
    assert code == 0 and tracked(tmp_path) == ['s0', 's1', 's2', 's3', 's4']
    assert f'report: {tmp_path}/out/report/report.html' in out
    assert len(json.loads((tmp_path / 'out' / 'report' / 'report.json').read_text())['sequences']) == 5
    assert not list((tmp_path / 'out').glob('.*'))  # no lock is left


@pytest.mark.all
def test_more_processes_than_sequences_and_shifted_starts(share, tmp_path):
    for index in range(3):
        code, out, err = share('--processes=3', f'--process={index}', '--protocol=sre', '--sequences=s0,s1')
        assert code == 0, err
        assert ('makes the report; so' in out) == (index == 0)
        assert len(list((tmp_path / 'out' / 'sre').iterdir())) == min(index + 1, 2)


def test_one_that_would_write_the_same_files_is_refused(share, tmp_path):
    def refused(*flags):
        code, _, err = share(*flags)
        assert code in (0, 2)
        if code:
            assert len(err.splitlines()) == 1 and f'{tmp_path / "out"} is in use by process' in err
        return code == 2

    with locks.hold(tmp_path / 'out'):
        assert refused()
        assert refused('--processes=2', '--process=0')
    with locks.hold(tmp_path / 'out', '.lock-0-of-2'):
        assert refused()
        assert refused('--processes=2', '--process=0')
        assert refused('--processes=3', '--process=1')
        assert tracked(tmp_path) == []
        assert not refused('--processes=2', '--process=1')
    assert not refused()


def test_a_share_is_to_be_tracked(tmp_path, write_otb):
    write_otb(tmp_path / 'data', ['a'])
    for settings in ({'output': 'out', 'process': 2}, {'results': str(tmp_path), 'process': 0}):
        with pytest.raises(ValueError, match=r'process \d of 2; accepted are 0 to 1, and an output'):
            job.check(job.Job('otb', str(tmp_path / 'data'), processes=2, **settings))
    batched = job.Job('otb', str(tmp_path / 'data'), 'out', processes=2, process=1, batch=4)
    job.check(batched)  # each process may track several sequences at once
    assert batched.pool == 1 and list(range(5))[batched.share] == [1, 3]
    assert evaluate.unfinished(job.Job('otb', 'data', str(tmp_path)), write_otb(tmp_path / 'more', ['b'])) == ['b']


def test_machines_that_begin_at_once_are_all_noted(tmp_path, monkeypatch):
    names = [f'machine {i}' for i in range(12)]
    waiting = iter(names)
    found = environments.describe_environment()
    monkeypatch.setattr(
        environments, 'describe_environment', lambda: found.__class__(**vars(found) | {'hardware': next(waiting)})
    )
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        for each in [pool.submit(run_description.begin, tmp_path, {'tracker': 'x'}) for _ in names]:
            each.result()
    assert sorted(run_description.read(tmp_path)['hardware']) == sorted(names)

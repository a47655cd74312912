"""What made results is kept beside them: old files, other trackers, other machines, damage."""

import json

import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.report import data, environments
from sctrpn_jax.evaluation.results import run_description

OTB, UAV123 = registry.get('otb'), registry.get('uav123')

OURS = {'tracker': 'sctrpn', 'sides': (1, 2), 'seed': 3}


@pytest.fixture
def machine(monkeypatch):
    """machine(name): the tests run there from now on."""

    def move(name):
        monkeypatch.setattr(environments, 'describe_environment', lambda: data.Environment({}, name))

    move('one')
    return move


def written(folder):
    return json.loads((folder / run_description.FILE).read_text())


def test_what_was_written_is_read(tmp_path, machine):
    folder = tmp_path / 'a' / 'b'
    run_description.begin(folder, OURS)
    assert run_description.read(folder) == written(folder) == {**OURS, 'sides': [1, 2], 'hardware': ['one']}
    assert [path.name for path in folder.iterdir()] == [run_description.FILE]
    assert run_description.read(tmp_path) is None and run_description.read(tmp_path / 'nowhere') is None


def test_this_machine_is_described(tmp_path):
    run_description.begin(tmp_path, {})
    assert written(tmp_path) == {'hardware': [environments.describe_environment().hardware]}


def test_a_machine_that_tracks_nothing_is_not_named(tmp_path, machine):
    run_description.begin(tmp_path, OURS, tracks=False)
    assert 'hardware' not in written(tmp_path)
    run_description.begin(tmp_path, OURS | {'seed': 3}, tracks=True)
    machine('two')
    run_description.begin(tmp_path, OURS, tracks=False)
    assert written(tmp_path)['hardware'] == [run_description.UNKNOWN, 'one']
    for _ in range(2):
        run_description.begin(tmp_path, OURS)
    machine('one')
    run_description.begin(tmp_path, OURS)
    assert written(tmp_path)['hardware'] == [run_description.UNKNOWN, 'one', 'two']


def test_files_from_before_seeds_and_machines_go_on(tmp_path, machine):
    old = {'tracker': 'sctrpn', 'sides': [1, 2]}
    (tmp_path / run_description.FILE).write_text(json.dumps(old))
    assert run_description.read(tmp_path) == old
    run_description.begin(tmp_path, OURS, tracks=False)
    assert written(tmp_path) == old
    run_description.begin(tmp_path, OURS)
    assert written(tmp_path) == {**old, 'hardware': [run_description.UNKNOWN, 'one']}
    with pytest.raises(ValueError, match='another folder'):
        run_description.check(tmp_path, {'tracker': 'mil'})


@pytest.mark.parametrize('change', [{'seed': 4}, {'sides': (1,)}, {'tracker': 'mil', 'more': None}])
def test_results_of_two_never_mix(tmp_path, machine, change):
    run_description.begin(tmp_path, OURS)
    before = written(tmp_path)
    with pytest.raises(ValueError, match=r"holds results of \{'tracker': 'sctrpn'.*give another folder"):
        run_description.begin(tmp_path, OURS | change)
    assert written(tmp_path) == before


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{', 'not what made these results, in JSON'),
        ('[' * 10_000, 'not what made these results, in JSON'),
        ('[1]', r'got \[1\], expected an object'),
        ('{"hardware": "one"}', '.*its hardware a list of words'),
        ('{"hardware": [1]}', '.*its hardware a list of words'),
        ('{"seed": "one"}', "got seed 'one', expected a whole number"),
        ('{"seed": true}', 'got seed True'),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    (tmp_path / run_description.FILE).write_text(content)
    for call in (run_description.read, lambda folder: run_description.origin(folder, OTB)):
        with pytest.raises(ValueError, match=rf'tracker\.json: {message}'):
            call(tmp_path)


def test_ours_count_from_zero_and_others_as_their_benchmark_or_as_said(tmp_path):
    assert [run_description.origin(tmp_path, each) for each in (OTB, UAV123)] == [1, 0]
    assert run_description.origin(tmp_path, OTB, 0) == 0 and run_description.origin(tmp_path, UAV123, 1) == 1
    (tmp_path / run_description.FILE).write_text('{}')
    assert run_description.origin(tmp_path, OTB) == run_description.origin(tmp_path, OTB, 1) == 0

"""Flags and Slurm's variables that say which of several processes a program is."""

import argparse
import re

import pytest

from sctrpn_jax.programs import several

SLURM = {'SLURM_STEP_NODELIST': 'node[01-02]', 'SLURM_NTASKS': '4', 'SLURM_PROCID': '3'}


def flags(coordinator=None, processes=None, process=None):
    return argparse.Namespace(coordinator=coordinator, processes=processes, process=process)


@pytest.fixture
def slurm(monkeypatch):
    """slurm(NAME=value, ...): the variables of a task of srun, some of them changed or (None) away."""

    def set_variables(**changes):
        for name, value in (SLURM | changes).items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    set_variables(**dict.fromkeys(SLURM))
    return set_variables


def test_training_takes_its_place_from_flags_or_from_slurm(slurm):
    assert several.of_training(flags()) is None
    assert several.of_training(flags('a:1', 2, 1)) == several.Place('a:1', 2, 1)
    assert several.of_training(flags('auto')) == several.Place(None, None, None)
    assert several.of_training(flags('a:1', 1, 0)) is None  # what is left of a larger run
    slurm()
    assert several.of_training(flags()) == several.Place(None, 4, 3)
    assert several.of_training(flags('a:1', 2, 1)) == several.Place('a:1', 2, 1)


@pytest.mark.parametrize(
    'given', [('a:1',), ('a:1', 2), (None, 2, 0), (None, 2), (None, None, 0), ('auto', 2, 0), ('a:1', None, 0)]
)
def test_flags_of_training_that_do_not_go_together(given, slurm):
    with pytest.raises(ValueError, match='give --coordinator=HOST:PORT, --processes=N and --process=I'):
        several.of_training(flags(*given))


def test_evaluation_takes_its_share_from_flags_or_from_slurm(slurm):
    assert several.of_shares(flags()) == (1, None)
    assert several.of_shares(flags(processes=3)) == (3, None)
    assert several.of_shares(flags(processes=3, process=2)) == (3, 2)
    with pytest.raises(ValueError, match='give --processes too'):
        several.of_shares(flags(process=2))
    slurm()
    assert several.of_shares(flags()) == (4, 3)
    assert several.of_shares(flags(processes=3, process=2)) == (3, 2)
    with pytest.raises(ValueError, match='srun has started 4 processes'):
        several.of_shares(flags(processes=3))


@pytest.mark.parametrize('index', [3, 4])
def test_there_are_as_many_processes_as_said(index, slurm):
    message = re.escape(f'--process: got {index} of 3 processes; accepted are 0 to 2')
    with pytest.raises(ValueError, match=message):
        several.of_training(flags('a:1', 3, index))
    with pytest.raises(ValueError, match=message):
        several.of_shares(flags(processes=3, process=index))


def test_a_batch_script_and_a_single_task_are_alone(slurm):
    slurm(SLURM_STEP_NODELIST=None)
    assert several.slurm() is None
    slurm(SLURM_NTASKS='1', SLURM_PROCID='0')
    assert several.slurm() is None
    slurm(SLURM_NTASKS='4(x2)')
    with pytest.raises(ValueError, match=r'SLURM_NTASKS and SLURM_PROCID are 4\(x2\) and 3; expected numbers'):
        several.slurm()


@pytest.mark.parametrize('address', ['host', 'host:', ':80', 'host:0', 'host:65536', 'host:eighty', 'host:-1', ''])
def test_an_address_that_is_none_is_one_line(address, call, tmp_path):
    done = call('train', '--config=quickstart', f'--workdir={tmp_path / "run"}', f'--coordinator={address}')
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert f'--coordinator: got {address!r}; accepted is HOST:PORT' in done.err


def test_flags_are_checked_before_anything_is_made(call, tmp_path):
    done = call('train', '--config=quickstart', f'--workdir={tmp_path / "run"}', '--processes=2', '--process=0')
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert not (tmp_path / 'run').exists()

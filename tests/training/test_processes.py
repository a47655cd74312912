"""Two real processes on this machine meet, agree and stop together; tests/programs/test_watched.py trains."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import types

import jax
import pytest

from sctrpn_jax.training import processes

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CHILD = """
import itertools, json, os, signal, sys, time
import jax, numpy as np
from sctrpn_jax.system import interrupts
from sctrpn_jax.training import processes

processes.join(sys.argv[1], 2, int(sys.argv[2]))
me, said = jax.process_index(), {}
processes.check_same('configs', {'rate': 0.5})
try:
    processes.check_same('seeds', {'seed': me})
except ValueError as error:
    said['refused'] = str(error)
said['first'] = jax.tree.map(float, processes.of_first({'a': me + 5, 'b': np.float32(me)}, 'numbers'))
mesh = jax.sharding.Mesh(np.array(processes.devices()), ('data',))
parts, whole = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes)) for axes in (['data'], []))
values = processes.put({'x': np.arange(1, 3, dtype=np.float32) + 2 * me}, parts)['x']
total = jax.jit(lambda x: x @ (10.0 ** np.arange(4, dtype=np.float32)), out_shardings=whole)(values)
said['whole'] = float(processes.local(total))
said['copy'] = processes.local(processes.put(np.arange(3), whole)).tolist()
time.sleep(1.5 * me)
start = time.monotonic()
processes.meet('late')
said['waited'] = time.monotonic() - start
try:
    for step in itertools.count():
        processes.check_interrupts(step)
        if (me, step) == (1, 3):
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        processes.meet(f'step {step}')
except interrupts.Interrupted as interrupt:
    said['stopped'] = step, interrupt.exit_code
processes.leave()
print('said', json.dumps(said), flush=True)
"""


def test_two_processes_meet_agree_and_stop_together():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        address = f'127.0.0.1:{probe.getsockname()[1]}'
    started = [
        subprocess.Popen(
            [sys.executable, '-c', CHILD, address, str(index)],
            env=os.environ | {'PYTHONPATH': str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in (0, 1)
    ]
    said = []
    try:
        for each in started:
            out, err = each.communicate(timeout=120)
            assert each.returncode == 0, err[-2000:]
            said.append(json.loads(out.splitlines()[-1].removeprefix('said ')))
    finally:
        for each in started:
            each.kill()
    first, second = said
    assert first['refused'] == second['refused'] == 'the processes have different seeds; give all of them the same'
    assert first['first'] == second['first'] == {'a': 5, 'b': 0}
    assert first['whole'] == second['whole'] == 4321  # the parts in the order of the processes
    assert first['copy'] == [0, 1, 2]
    assert first['waited'] > 1 > second['waited']
    assert first['stopped'] == second['stopped'] and first['stopped'][0] > 3 and first['stopped'][1] == 143


def test_one_process_waits_for_nobody():
    processes.meet('alone')
    processes.check_same('configs', {'rate': 0.5})
    assert processes.of_first({'a': 1.5}, 'alone') == {'a': 1.5}
    processes.check_interrupts(0)
    assert processes.devices() == jax.devices()


def test_devices_are_ordered_by_process_and_as_many_in_each(monkeypatch):
    def device(process_index, id):
        return types.SimpleNamespace(process_index=process_index, id=id)

    found = [device(1, 7), device(0, 9), device(1, 2), device(0, 3)]
    monkeypatch.setattr(jax, 'devices', lambda: found)
    assert [(each.process_index, each.id) for each in processes.devices()] == [(0, 3), (0, 9), (1, 2), (1, 7)]
    monkeypatch.setattr(jax, 'devices', lambda: [*found, device(2, 0)])
    with pytest.raises(ValueError, match='the processes have 2, 2, 1 devices; all must have as many'):
        processes.devices()


def test_an_address_that_cannot_be_used_is_one_line(monkeypatch):
    def initialize(*_, **__):
        raise ValueError('Process id must be defined')

    monkeypatch.setattr(jax.distributed, 'initialize', initialize)
    with socket.create_server(('', 0)) as other:
        address = f'localhost:{other.getsockname()[1]}'
        with pytest.raises(ValueError, match=f'cannot join the other processes at {address}: .*in use'):
            processes.join(address, 2, 0)
    with pytest.raises(ValueError, match='at an address from the environment: Process id must be defined'):
        processes.join(None, None, None)

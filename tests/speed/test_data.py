"""The data benchmark measures what it says, on a sequence of a few frames."""

import os
import pathlib
import time

import numpy as np

from sctrpn_jax import config
from sctrpn_jax.data import resident
from sctrpn_jax.speed import data, timing


def test_seconds_are_those_of_the_calls():
    calls = []

    def wait(i):
        calls.append(i)
        time.sleep(0.01 if i < 5 else 0.001)

    seconds = timing.seconds_of(wait, 0.04, warm_up=2)
    assert calls == list(range(2 + len(seconds))) and seconds.sum() >= 0.04
    assert (seconds[:3] >= 0.01).all()
    made = timing.summary(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert made == {'p25_ms': 2000, 'median_ms': 3000, 'p75_ms': 4000, 'p95_ms': 4800, 'p99_ms': 4960}


def test_memory_is_what_the_system_counts():
    pages = int(pathlib.Path('/proc/self/statm').read_text().split()[1])
    expected = pages * os.sysconf('SC_PAGE_SIZE') / 2**20
    assert abs(timing.resident_mib() - expected) < 0.05 * expected + 5  # it moves between two looks


def test_the_whole_measurement(tmp_path, monkeypatch):
    name = data.make_set(tmp_path, frames=6, size=(160, 200))
    assert data.make_set(tmp_path) == name  # kept
    access = data.random_access(tmp_path / name / '1.0.0', 'train', 0.01)
    assert access['frames'] == 6 and 0 < access['encoded']['median_ms'] < access['decoded']['median_ms']
    settings = config.Config(data=config.DataConfig(root=str(tmp_path), sources=(name,)))
    settings.train.batch_size = 2
    result = data.measure(settings, 0.05, 0.05)
    assert result['pair_bytes'] == 3 * (145**2 + 455**2)
    for part in (result['streaming'], result['augmentation'], result['resident']['sampling_and_augmentation']):
        np.testing.assert_allclose(part['bytes_per_second'], part['pairs_per_second'] * result['pair_bytes'])
    assert result['streaming']['rss_mib_end'] > 100
    monkeypatch.setattr(resident, 'bytes_allowed', lambda device: 1000)
    assert 'needs 0.0 GiB' in data.measure(settings, 0.01, 0.01)['resident']['not measured']

"""The tracking and training benchmarks measure what they say, on a narrow network and a few small frames."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.data import generated
from sctrpn_jax.models import sctrpn
from sctrpn_jax.speed import machine, parts, timing, track, train


def narrow():
    settings = config.Config()
    model = settings.model
    model.backbone.widths, model.backbone.groups, model.backbone.norm = (4,) * 5, (1,) * 5, 'none'
    model.channels = 16
    model.cascade.layers = (5, 4)
    return settings


@pytest.fixture(scope='module')
def clip():
    return generated.make_sequence(0, 4, height=160, width=200)


def test_a_line_is_fitted_through_measurements():
    assert machine.line(np.array([1, 2, 4]), np.array([0.012, 0.022, 0.042])) == pytest.approx(
        {'slope_ms': 10, 'offset_ms': 2, 'r_squared': 1}
    )
    assert machine.line(np.array([1, 2, 3]), np.array([0.0, 1.0, 0.0]))['r_squared'] == pytest.approx(0, abs=1e-9)


def test_cost_is_the_compilers_count_of_a_known_product():
    compiled = jax.jit(lambda a, b: a @ b).lower(jnp.ones((64, 128)), jnp.ones((128, 32))).compile()
    assert machine.cost(compiled)['gflops'] == pytest.approx(2 * 64 * 128 * 32 / 1e9, rel=0.05)
    assert machine.cost(compiled)['arguments_mib'] == pytest.approx(4 * (64 * 128 + 128 * 32) / 2**20)


def test_peaks_are_operations_and_bytes_over_the_best_time(monkeypatch):
    ran = []

    def two_and_four_seconds(call, seconds):
        ran.append(call(0))
        return np.array([4.0, 2.0])

    monkeypatch.setattr(timing, 'seconds_of', two_and_four_seconds)
    monkeypatch.setattr(machine, '_SIDE', {'cpu': 128})
    monkeypatch.setattr(machine, '_COPIED', {'cpu': 4096})
    peaks = machine.peaks(0.3)
    assert peaks['matmul_gflops'] == pytest.approx({'float32': 2 * 128**3 / 2e9, 'bfloat16': 2 * 128**3 / 2e9})
    assert peaks['copy_gb_per_second'] == pytest.approx(2 * 4096 / 2e9)
    assert [values.dtype for values in ran] == [jnp.float32, jnp.bfloat16, jnp.float32] and (ran[2] == 1).all()


@pytest.mark.all
def test_the_whole_tracking_measurement(clip):
    settings = narrow()
    settings.track.recovery.search_size, settings.track.filter_exponent = settings.track.search_size + 96, 1.0
    variables = sctrpn.init_variables(sctrpn.SCTRPN(settings.model), 0)
    frames, boxes = clip
    result = track.measure(variables, settings, frames, boxes[0], 0.05, (1, 2))
    named = {'crop', 'backbone', 'fem', 'heads', *parts.AFTER_THE_NETWORK}
    assert set(result['parts']) == named | {'share_after_the_network'}
    assert 0 < result['parts']['share_after_the_network'] < 1
    flops = {name: result['parts'][name].get('gflops', 0) for name in named}
    # Neither the template branch nor the wider search is in the step: what it counts is what its parts count.
    assert sum(flops.values()) == pytest.approx(result['step']['gflops'], rel=0.3)
    assert max(flops, key=flops.get) == 'backbone' and result['step']['share_of_peak'] < 1
    assert set(result['batched']) == {'1', '2'} and result['growth']['frames'] % (len(frames) - 1) == 0
    assert result['growth']['time_over_frames']['slope_ms'] > 0
    for name in ('live', 'lost'):
        assert result[name]['frames_per_second'] == pytest.approx(1e3 / result[name]['median_ms'])


def test_peers_are_measured_or_the_reason_is_given(clip):
    frames, boxes = clip
    result = track.peers(['mil', 'nano'], frames, boxes[0], 0.05, None, 10.0)
    assert result['mil']['ours_over_it'] == pytest.approx(10 / result['mil']['frames_per_second'])
    assert 'give the folder' in result['nano']['not measured']


@pytest.mark.all
def test_the_whole_training_measurement():
    settings = narrow()
    settings.model.cascade.layers = (5,)  # its two programs are compiled
    settings.train.batch_size = 2
    result = train.measure(settings, 0.05)
    for name in ('frozen', 'end_to_end'):
        assert result[name]['pairs_per_second'] == pytest.approx(2e3 / result[name]['median_ms'])
        assert 0 < result[name]['fed_pairs_per_second'] and result[name]['compile_s'] > 0
    assert result['end_to_end']['gflops'] > result['frozen']['gflops']

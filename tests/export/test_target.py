"""What a tracker can be exported for."""

import pytest

from sctrpn_jax.export import target


@pytest.mark.parametrize(
    'settings, message',
    [
        ({'frame_size': (0, 10)}, 'got 0x10; width and height must be positive'),
        ({'platforms': ()}, 'got none; accepted are cpu, cuda'),
        ({'platforms': ('tpu',)}, 'got tpu; accepted are cpu, cuda'),
        ({'platforms': ('cpu', 'cpu')}, 'got cpu,cpu'),
        ({'batch': 0}, 'got 0; accepted are a positive whole number'),
        ({'batch': 'many'}, "got 'many'; accepted are a positive whole number and 'symbolic'"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        target.Target(**{'frame_size': (64, 48)} | settings)
    assert target.Target((64, 48), batch='symbolic').platforms == ('cpu', 'cuda')

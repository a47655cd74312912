"""DAVIS 2016: one target per sequence, all that its mask does not call background, as the tight box around it."""

from sctrpn_jax.data.benchmarks import record

BENCHMARK = record.Benchmark(
    name='davis',
    layout='davis',
    layout_options={'objects': False},
    splits={
        'val': record.Split('DAVIS', for_tuning=True),
        'train': record.Split('DAVIS, training split', for_tuning=True),
    },
    origin=0,
)

"""GOT-10k: average overlap by its toolkit's rules; only its server has the boxes of the test split."""

from sctrpn_jax.data.benchmarks import published, record

BENCHMARK = record.Benchmark(
    name='got10k',
    layout='got10k',
    splits={
        'val': record.Split('GOT-10k, validation split', 180, for_tuning=True),
        'test': record.Split(
            'GOT-10k', 180, published=(published.Published('ATOM', {'ao': 0.556}, published.PYTRACKING),)
        ),
        'train': record.Split('GOT-10k, training split', 9335, for_tuning=True),
    },
    origin=1,
    metrics='got10k',
    convention='got10k',
    protocols=('one_pass',),
    absence_flags=True,
    # got-10k/toolkit, experiments/got10k.py.
    submission=record.Submission('test', '{name}/{name}_001.txt', '%.3f', '{name}/{name}_time.txt'),
)

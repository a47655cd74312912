"""TrackingNet: three areas by its devkit's rules; only its server has the boxes of the test split."""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import PYTRACKING, SCTRPN, overlap_results

_TABLE_4 = f'{SCTRPN}, Table 4'

BENCHMARK = record.Benchmark(
    name='trackingnet',
    layout='trackingnet',
    splits={
        'test': record.Split(
            'TrackingNet',
            511,
            published=(
                # The text of 4.4 prints 76.4 for SCTRPN's last.
                overlap_results('SCTRPN', _TABLE_4, 0.697, 0.664, 0.763),
                overlap_results('SCTRPN without STN', _TABLE_4, 0.627, 0.594, 0.739),
                overlap_results('ECO', _TABLE_4, 0.554, 0.493, 0.621),
                overlap_results('MDNet', _TABLE_4, 0.606, 0.568, 0.712),
                overlap_results('SiamFC', _TABLE_4, 0.572, 0.536, 0.666),
                overlap_results('SiamRPN', _TABLE_4, 0.624, 0.584, 0.741),
                overlap_results('DaSiamRPN', _TABLE_4, 0.638, 0.592, 0.732),
                overlap_results('ATOM', PYTRACKING, 0.703),
            ),
        ),
        'train': record.Split('TrackingNet, training split', 30132, for_tuning=True),
    },
    origin=0,
    metrics='trackingnet',
    convention='trackingnet',
    protocols=('one_pass',),
    # visionml/pytracking, pack_trackingnet_results.py.
    submission=record.Submission('test', '{name}.txt', '%.2f'),
)

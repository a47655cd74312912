"""Need for Speed: a hundred videos at 240 frames per second, and the same at 30 (Galoogahi et al., ICCV 2017)."""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import PYTRACKING, overlap_results

BENCHMARK = record.Benchmark(
    name='nfs',
    layout='nfs',
    splits={
        '30': record.Split(
            'NfS, 30 frames per second',
            100,
            published=(
                overlap_results('ATOM', PYTRACKING, 0.584),
                overlap_results('DiMP-50', PYTRACKING, 0.619),
                overlap_results('PrDiMP-50', PYTRACKING, 0.635),
                overlap_results('KeepTrack', PYTRACKING, 0.664),
                overlap_results('ToMP-50', PYTRACKING, 0.669),
            ),
        ),
        '240': record.Split('NfS, 240 frames per second', 100),
    },
    origin=0,
)

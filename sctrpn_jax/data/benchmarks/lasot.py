"""LaSOT: the test split of the CVPR 2019 paper, and the extension of the IJCV 2021 paper (15 more classes)."""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import PYTRACKING, SCTRPN, overlap_results

BENCHMARK = record.Benchmark(
    name='lasot',
    layout='lasot',
    splits={
        'test': record.Split(
            'LaSOT',
            280,
            published=(
                overlap_results('SCTRPN', f'{SCTRPN}, 4.4', 0.487, normalized_precision=0.559),
                overlap_results('ATOM', PYTRACKING, 0.515),
            ),
        ),
        'extension': record.Split('LaSOT extension', 150),
    },
    origin=1,
    convention='lasot',
    absence_flags=True,
    # In the order of the flags: HengLan/LaSOT_Evaluation_Toolkit, run_tracker_performance_evaluation.m.
    attributes={
        'IV': 'Illumination Variation',
        'POC': 'Partial Occlusion',
        'DEF': 'Deformation',
        'MB': 'Motion Blur',
        'CM': 'Camera Motion',
        'ROT': 'Rotation',
        'BC': 'Background Clutter',
        'VC': 'Viewpoint Change',
        'SV': 'Scale Variation',
        'FOC': 'Full Occlusion',
        'FM': 'Fast Motion',
        'OV': 'Out-of-View',
        'LR': 'Low Resolution',
        'ARC': 'Aspect Ratio Change',
    },
    attribute_flags=True,
)

"""UAV123 at 30 and at 10 frames per second, and UAV20L, its twenty long videos."""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import DASIAMRPN, PYTRACKING, SCTRPN, overlap_results

_SECTION_4_4 = f'{SCTRPN}, 4.4'

BENCHMARK = record.Benchmark(
    name='uav123',
    layout='uav123',
    splits={
        'UAV123': record.Split(
            'UAV123',
            123,
            published=(
                overlap_results('SCTRPN', _SECTION_4_4, 0.613, 0.797),
                overlap_results('SiamRPN', DASIAMRPN, 0.527, 0.748),
                overlap_results('DaSiamRPN', DASIAMRPN, 0.586, 0.796),
                overlap_results('DaSiamRPN', _SECTION_4_4, 0.584, 0.794),
                overlap_results('ATOM', PYTRACKING, 0.642),
            ),
        ),
        'UAV123_10fps': record.Split('UAV123, 10 frames per second', 123),
        'UAV20L': record.Split('UAV20L', 20),
    },
    origin=0,
    # In the order of the flags: the benchmark's perfPlot.m. Counted over the 123 sequences they are those of its paper.
    attributes={
        'SV': 'Scale Variation',
        'ARC': 'Aspect Ratio Change',
        'LR': 'Low Resolution',
        'FM': 'Fast Motion',
        'FOC': 'Full Occlusion',
        'POC': 'Partial Occlusion',
        'OV': 'Out-of-View',
        'BC': 'Background Clutter',
        'IV': 'Illumination Variation',
        'VC': 'Viewpoint Change',
        'CM': 'Camera Motion',
        'SOB': 'Similar Object',
    },
    attribute_flags=True,
)

"""VOT's long-term challenges: 35 sequences in 2018 (LTB35), 50 in 2019 to 2021 (LTB50); targets leave and come back.

The layout is that of the short-term sets. 2022 has 50 other sequences; a folder of those is read under its own name.
"""

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.data.benchmarks.published import GTX, PYSOT, Published

_LTB35 = tuple(
    """
    ballet bicycle bike1 bird1 car1 car3 car6 car8 car9 car16 carchase cat1 cat2 dragon following freestyle group1
    group2 group3 liverRun longboard nissan person2 person4 person5 person7 person14 person17 person19 person20
    rollerman skiing tightrope uav1 yamaha
    """.split()
)
_ADDED_2019 = tuple(
    """
    boat bull deer dog f1 freesbiedog helicopter horseride kitesurfing parachute sitcom sup volkswagen warmup wingsuit
    """.split()
)

BENCHMARK = record.Benchmark(
    name='votlt',
    layout='vot2018',
    splits={
        '2018': record.Split(
            'VOT-LT2018',
            35,
            _LTB35,
            'test',
            published=(Published('SiamRPN++ (ResNet-50), long-term', {'f_score': 0.629}, PYSOT, 20.0, GTX),),
        ),
        '2019': record.Split('VOT-LT2019', 50, _LTB35 + _ADDED_2019, 'test'),
    },
    origin=0,
    metrics='long_term',
    convention='vot-lt',
    protocols=('one_pass',),
)

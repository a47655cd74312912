"""Table 1: one, two and three stages, each with the STN and without.

sctrpn studies ablation --config stages --workdir runs/ablations/stages --benchmark davis --root DAVIS
"""

from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs


def get_ablation() -> ablation.Ablation:
    """Six trainings per seed. One stage has nothing to transfer, so its STN acts on that stage's own features."""
    layers, transform, first = 'model.cascade.layers', 'model.fem.transform', 'model.fem.stn_first'
    return ablation.Ablation(
        name='stages',
        title='Table 1: stages and STN',
        variants={
            'stn_1': ablation.Variant({layers: (5,), transform: 'stn', first: True}),
            'stn_2': ablation.Variant({layers: (5, 4), transform: 'stn'}),
            'stn_3': ablation.Variant({layers: (5, 4, 3), transform: 'stn'}),
            'resize_1': ablation.Variant({layers: (5,), transform: 'resize'}),
            'resize_2': ablation.Variant({layers: (5, 4), transform: 'resize'}),
            'resize_3': ablation.Variant({layers: (5, 4, 3), transform: 'resize'}),
        },
        reference='stn_3',
        pairs=PAIRS,
        metrics=('success', 'precision', 'normalized_precision', 'fps'),
        printed={
            'stn_1': {'EAO': 0.321, 'accuracy': 0.523, 'failures': 1.23, 'fps': 45},
            'stn_2': {'EAO': 0.352, 'accuracy': 0.565, 'failures': 1.02, 'fps': 30},
            'stn_3': {'EAO': 0.361, 'accuracy': 0.577, 'failures': 0.97, 'fps': 22},
            'resize_1': {'EAO': 0.314, 'accuracy': 0.508, 'failures': 1.34, 'fps': 54},
            'resize_2': {'EAO': 0.342, 'accuracy': 0.538, 'failures': 1.19, 'fps': 36},
            'resize_3': {'EAO': 0.349, 'accuracy': 0.566, 'failures': 1.04, 'fps': 25},
        },
        printed_source='Table 1, VOT-2018, GTX 1080 Ti',
        note='The printed robustness is read as failures per sequence. Frames per second are of this machine, as '
        'loaded as '
        'it was.',
    )

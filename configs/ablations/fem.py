"""Eq. 2: grids of the FEM, the branches whose features the STN warps, and whether the fused map is brought back.

sctrpn studies ablation --config fem --workdir runs/ablations/fem --benchmark davis --root DAVIS
"""

from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs


def get_ablation() -> ablation.Ablation:
    """Five trainings per seed; `.._at_test` changes the trained `aligned` network."""
    grid, stn_on, realign = 'model.fem.grid', 'model.fem.stn_on', 'model.fem.realign'
    return ablation.Ablation(
        name='fem',
        title='Eq. 2: feature extraction model',
        variants={
            'aligned': ablation.Variant({grid: 'aligned', stn_on: 'both', realign: False}),
            'stretch': ablation.Variant({grid: 'stretch'}),
            'template': ablation.Variant({stn_on: 'template'}),
            'search': ablation.Variant({stn_on: 'search'}),
            'realign': ablation.Variant({realign: True}),
            'realign_at_test': ablation.Variant({realign: True}, weights_of='aligned'),
            'template_at_test': ablation.Variant({stn_on: 'template'}, weights_of='aligned'),
        },
        reference='aligned',
        pairs=PAIRS,
        note='stretch is the printed grid; the paper has no such comparison.',
    )

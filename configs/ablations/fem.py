"""Eq. 2: grids of the FEM, and the branches whose features the STN warps.

sctrpn studies ablation --config fem --workdir runs/ablations/fem --benchmark davis --root DAVIS
"""

from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs


def get_ablation() -> ablation.Ablation:
    """Four trainings per seed; `.._at_test` changes the trained `aligned` network."""
    grid, stn_on = 'model.fem.grid', 'model.fem.stn_on'
    return ablation.Ablation(
        name='fem',
        title='Eq. 2: feature extraction model',
        variants={
            'aligned': ablation.Variant({grid: 'aligned', stn_on: 'both'}),
            'stretch': ablation.Variant({grid: 'stretch'}),
            'template': ablation.Variant({stn_on: 'template'}),
            'search': ablation.Variant({stn_on: 'search'}),
            'template_at_test': ablation.Variant({stn_on: 'template'}, weights_of='aligned'),
        },
        reference='aligned',
        pairs=PAIRS,
        note='stretch is the printed grid; the paper has no such comparison.',
    )

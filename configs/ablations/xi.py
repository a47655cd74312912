"""Table 5: the weight xi of the regression term (Eq. 4).

sctrpn studies ablation --config xi --workdir runs/ablations/xi --benchmark davis --root DAVIS
"""

from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs
PRINTED = {0.1: 0.389, 1: 0.395, 10: 0.392, 100: 0.387}


def get_ablation() -> ablation.Ablation:
    """Four trainings per seed."""
    return ablation.Ablation(
        name='xi',
        title='Table 5: xi',
        variants={f'xi_{xi}': ablation.Variant({'loss.xi': xi}) for xi in PRINTED},
        reference='xi_1',
        pairs=PAIRS,
        printed={f'xi_{xi}': {'EAO': value} for xi, value in PRINTED.items()},
        printed_source='Table 5, VOT-2018',
        note='Gradients are clipped by their norm (`optimiser.CLIP_NORM`), which bounds what a large xi can do.',
    )

"""Sec. 4.3 and 4.5: the classification losses, with everything else the same.

sctrpn studies ablation --config losses --workdir runs/ablations/losses --benchmark davis --root DAVIS
"""

from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs
LOSSES = ('shrinkage', 'shrinkage_square', 'log', 'focal', 'hard_negative', 'square')


def get_ablation() -> ablation.Ablation:
    """Six trainings per seed. Losses have no common scale: how quickly they learn shows in the response peaks."""
    return ablation.Ablation(
        name='losses',
        title='Sec. 4.3: classification losses',
        variants={name: ablation.Variant({'loss.classification': name}) for name in LOSSES},
        reference='shrinkage',
        pairs=PAIRS,
        printed={'shrinkage': {'EAO': 0.361}},
        printed_source='Sec. 4.3, VOT-2018',
        note='The paper has shrinkage "5.1 % higher than log loss", without saying whether of the value or in points, '
        'and ahead of hard negative mining by an amount it does not give.',
    )

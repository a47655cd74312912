"""Sec. 4.5, Fig. 12a: speed a and location c of the shrinkage loss, one at a time around the paper's 10 and 0.2.

sctrpn studies ablation --config shrinkage --workdir runs/ablations/shrinkage --benchmark davis --root DAVIS
"""

from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs
VALUES = ((10, 0.2), (2, 0.2), (5, 0.2), (20, 0.2), (10, 0.0), (10, 0.4), (10, 0.8))


def get_ablation() -> ablation.Ablation:
    """Seven trainings per seed."""
    return ablation.Ablation(
        name='shrinkage',
        title='Sec. 4.5: a and c of the shrinkage loss',
        variants={
            f'a{a}_c{c}': ablation.Variant({'loss.shrinkage_speed': a, 'loss.shrinkage_location': c}) for a, c in VALUES
        },
        reference='a10_c0.2',
        pairs=PAIRS,
        note='The paper gives shapes of the factor (Fig. 12a), no results.',
    )

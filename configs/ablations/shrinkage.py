"""Sec. 4.5, Fig. 12a: speed a and location c of the shrinkage loss, one at a time around the paper's 10 and 0.2.

bin/ablate --config configs/ablations/shrinkage.py --workdir runs/ablations/shrinkage --benchmark davis --root DAVIS
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of each training; --pairs
VALUES = ((10, 0.2), (2, 0.2), (5, 0.2), (20, 0.2), (10, 0.0), (10, 0.4), (10, 0.8))


def get_config(base: str = 'sctrpn_lite') -> config_lib.Config:
    """The config that is varied; `--config FILE:BASE` takes another of `configs/`."""
    return ablation.base_config(__file__, base)


def get_ablation() -> ablation.Ablation:
    """Seven trainings a seed."""
    return ablation.Ablation(
        name='shrinkage',
        title='Sec. 4.5: a and c of the shrinkage loss',
        variants={f'a{a}_c{c}': ablation.Variant({'loss.a': a, 'loss.c': c}) for a, c in VALUES},
        reference='a10_c0.2',
        pairs=PAIRS,
        note='The paper gives shapes of the factor (Fig. 12a), no results.',
    )

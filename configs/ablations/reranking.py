"""Sec. 3.4: re-ranking off, each cue alone, and the readings of Eq. 11-13 and Algorithm 1. One training a seed.

bin/ablate --config configs/ablations/reranking.py --workdir runs/ablations/reranking --benchmark davis --root DAVIS

With --checkpoint sctrpn_lite nothing is trained.
"""

from sctrpn_jax import config as config_lib
from sctrpn_jax.studies import ablation

PAIRS = 9_216  # of the training; --pairs
CUES = ('shape', 'color', 'size')


def get_config(base: str = 'sctrpn_lite') -> config_lib.Config:
    """The config that is varied; `--config FILE:BASE` takes another of `configs/`."""
    return ablation.base_config(__file__, base)


def get_ablation() -> ablation.Ablation:
    """Eleven ways to track with the same weights."""
    printed = {f'track.{cue}_exponent': 1.0 for cue in CUES}
    changes = {'off': {'track.rerank': False}}
    for cue in CUES:
        changes[f'{cue}_alone'] = {f'track.{other}_exponent': 0.0 for other in CUES if other != cue}
    changes |= {
        'printed_exponents': printed,
        'printed_product': {**printed, 'track.rerank_with_score': False, 'track.size_unit': 'pixels'},
        'each_stage': {'track.rerank_each_stage': True},
        'color_histogram': {'track.color_map': 'histogram'},
        'last_stage_score': {'track.stage_scores': 'last'},
        'no_voting': {'track.voting': False},
    }
    shared = {name: ablation.Variant(each, weights_of='configured') for name, each in changes.items()}
    return ablation.Ablation(
        name='reranking',
        title='Sec. 3.4: multi-cue re-ranking',
        variants={'configured': ablation.Variant(), **shared},
        reference='configured',
        pairs=PAIRS,
        metrics=('success', 'precision', 'normalized_precision', 'fps'),
        note='The paper gives recall of proposals (Table 2) and no result without re-ranking. Window, penalty, size '
        'rate and suppression were chosen on DAVIS with re-ranking as configured: the reference gains by it.',
    )

"""What the additions to tracking give: each left out of the settings of a trained network, or all stages used.

sctrpn studies ablation --config=additions --checkpoint=sctrpn_lite --workdir=DIR --benchmark=davis --root DIR
"""

from sctrpn_jax.studies import ablation


def get_ablation() -> ablation.Ablation:
    """Six ways to track with the same weights."""
    changes = {
        'no_filter': {'track.filter_exponent': 0.0, 'track.window': 0.3},  # the window that is best without it
        'no_first_frame': {'track.first_frame.correction': 0.0},
        'no_recovery': {'track.recovery.score': 0.0, 'track.recovery.search_size': 0},
        'no_voting': {'track.voting': False},
        'all_stages': {'track.stages': 0},
    }
    shared = {name: ablation.Variant(each, weights_of='configured') for name, each in changes.items()}
    return ablation.Ablation(
        name='additions',
        title='Additions to tracking',
        variants={'configured': ablation.Variant(), **shared},
        reference='configured',
        pairs=9_216,
        metrics=('success', 'precision', 'normalized_precision', 'fps'),
        note='The settings were chosen on DAVIS with every addition on: the reference gains by it.',
    )

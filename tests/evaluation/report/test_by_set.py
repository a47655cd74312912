"""Settings beside a base on several sets, against means and counts taken by hand."""

import numpy as np
import pytest
import scipy.stats

from sctrpn_jax.evaluation.report import by_set


def write(folder, scores):
    folder.mkdir()
    lines = ['tracker,sequence,success,precision']
    lines += [f'{tracker},s{i},{value},0.5' for tracker, values in scores.items() for i, value in enumerate(values)]
    (folder / 'sequences.csv').write_text('\n'.join(lines) + '\n')
    return folder


def test_a_set_with_many_sequences_counts_as_much_as_one_with_few():
    word, (mean, low, high) = by_set.verdict([np.full(100, 0.1), np.full(2, -0.3)])
    np.testing.assert_allclose([mean, low, high], [-0.1, -0.1, -0.1])
    assert word == 'undecided'  # the first set is better without any doubt


@pytest.mark.parametrize(
    ('first', 'second', 'word'),
    [
        ([0.1, 0.2, 0.1], [0.3, -0.2, 0.1], 'better'),
        ([0.1, 0.2, 0.1], [-0.01, -0.02, -0.01], 'undecided'),  # one set is surely hurt
        ([-0.1, -0.2, 0.1], [-0.3, 0.2, -0.1], 'worse'),
        ([0.0, 0.0], [0.0, 0.0], 'undecided'),
    ],
)
def test_a_setting_must_not_hurt_any_set(first, second, word):
    assert by_set.verdict([np.array(first), np.array(second)])[0] == word


def test_the_interval_of_the_mean_over_sets_is_the_bootstrap_of_another_library():
    generator = np.random.default_rng(5)
    sets = [generator.normal(0.02, 0.1, 20), generator.normal(0.0, 0.2, 15)]
    _, (_, low, high) = by_set.verdict(sets)
    other = scipy.stats.bootstrap(
        sets, lambda a, b, axis=-1: (a.mean(axis) + b.mean(axis)) / 2, method='percentile', n_resamples=20_000, rng=1
    ).confidence_interval
    np.testing.assert_allclose([low, high], [other.low, other.high], atol=2e-3)


def test_the_table_has_a_column_for_each_set(tmp_path):
    davis = write(tmp_path / 'davis', {'lite': [0.6, 0.8], 'wide': [0.7, 0.9]})
    crowded = write(tmp_path / 'crowded', {'lite': [0.5, 0.3, 0.4], 'wide': [0.5, 0.4, 0.6]})
    head, _, first, second = by_set.to_markdown([davis, crowded], 'lite').split('\n')
    assert '| davis (2) | crowded (3) | mean over the sets |' in head
    assert first == '| lite | 0.700 / 0.500 | 0.400 / 0.500 | 0.550 / 0.500 |  |'
    assert second.startswith('| wide | 0.800 / 0.500, +0.100 (+0.100 to +0.100) | 0.500 / 0.500, +0.100 (')
    assert '| 0.650 / 0.500, +0.100 (' in second and second.endswith('| better |')
    with pytest.raises(ValueError, match="davis has no tracker 'none'; it has lite, wide"):
        by_set.to_markdown([davis, crowded], 'none')

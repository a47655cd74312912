"""Names of sequences in the spellings of several toolkits."""

import pytest

from sctrpn_jax.data.benchmarks import sequence_names


@pytest.mark.parametrize(
    ('given_names', 'expected', 'found'),
    [
        (['Jogging.1', 'jogging_2'], ['Jogging-1', 'Jogging-2'], {'Jogging.1': 'Jogging-1', 'jogging_2': 'Jogging-2'}),
        (['carScale', 'basketball'], ['CarScale', 'Basketball'], {'carScale': 'CarScale', 'basketball': 'Basketball'}),
        (['Human4'], ['Human4-2', 'Human5'], {'Human4': 'Human4-2'}),
        (['Human4.2', 'Human5'], ['Human4', 'Human5'], {'Human4.2': 'Human4', 'Human5': 'Human5'}),
        (['Jogging'], ['Jogging-1', 'Jogging-2'], {}),
        (['car1_1', 'car1_2'], ['car1'], {}),
        (['airplane-2'], ['airplane-1'], {}),
        (['car1', 'car1_1'], ['car1', 'car1_1'], {'car1': 'car1', 'car1_1': 'car1_1'}),
        (['david', 'David2'], ['David', 'David2', 'David3'], {'david': 'David', 'David2': 'David2'}),
        (['a', 'A'], ['A'], {'a': 'A', 'A': 'A'}),
        (['a', 'A'], ['A', 'a'], {'a': 'a', 'A': 'A'}),
    ],
)
def test_names_of_sequences(given_names, expected, found):
    assert sequence_names.match(given_names, expected) == found

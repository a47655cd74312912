"""Sources, weights and intervals from a config."""

import numpy as np
import pytest

from sctrpn_jax import config
from sctrpn_jax.data import generated, mixture


def mixture_of(root, **options):
    return mixture.make_mixture(config.DataConfig(root=str(root), **options))


def test_sources_and_weights_follow_the_config(root):
    made = mixture_of(root)
    assert [source.name for source in made.sources] == ['stills', 'video']
    roots = np.sqrt([3, 5])  # of the sources' rows
    np.testing.assert_allclose(made.weights, roots / roots.sum())
    np.testing.assert_allclose(mixture_of(root, video_share=0.2).weights, [0.8, 0.2])
    made = mixture.make_mixture(config.DataConfig())
    assert isinstance(made.sources[0], generated.GeneratedSource) and made.weights == [1.0]


def test_entries_set_weight_and_interval(root):
    made = mixture_of(root, sources=('stills:weight=3', 'video:interval=2-4'), max_interval=9)
    roots = np.sqrt([3, 5]) * [3, 1]
    np.testing.assert_allclose(made.weights, roots / roots.sum())
    assert made.intervals == [(1, 9), (2, 4)]
    partners = made.index().partners.tolist()  # the stills' three rows stand before the video's five
    assert partners[2] == [2, 3, 3, 3] and partners[3] == [3, 3, 5, 8] and partners[5] == [3, 4, 7, 8]


def test_a_star_stands_for_the_sources_that_no_entry_names(root):
    made = mixture_of(root, sources=('*:weight=2', 'stills:weight=3'))
    assert [source.name for source in made.sources] == ['video', 'stills']
    roots = np.sqrt([5, 3]) * [2, 3]
    np.testing.assert_allclose(made.weights, roots / roots.sum())
    assert len(mixture_of(root, sources=('*', 'stills', 'video')).sources) == 2


def test_a_row_of_the_index_is_found_in_its_source(root):
    made = mixture_of(root)
    assert [(made.locate(row)[0].name, made.locate(row)[1]) for row in (0, 2, 3, 7)] == [
        ('stills', 0),
        ('stills', 2),
        ('video', 0),
        ('video', 4),
    ]


@pytest.mark.parametrize(
    'text', ['', 'a:weight', 'a:weight=-1', 'a:weight=nan', 'a:interval=5-2', 'a:interval=x', 'a:size=2', ':split=val']
)
def test_malformed_entries_are_refused(text):
    with pytest.raises(ValueError, match=r'expected NAME\[:weight=2\]'):
        mixture.parse_entry(text)


def test_missing_sources_are_named(root, tmp_path):
    with pytest.raises(ValueError, match="has no source 'none'; sources in it: stills, video"):
        mixture_of(root, sources=('none',))
    with pytest.raises(ValueError, match=r'nowhere. is no folder; give --config\.data\.root=DIR'):
        mixture_of(tmp_path / 'nowhere')
    with pytest.raises(ValueError, match=r'has no folder with a boxes\.csv and no prepared set'):
        mixture_of(root / 'video')

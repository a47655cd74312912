"""Published numbers are shares with a source, and the paper's own are printed in the paper."""

import re

import pytest

from sctrpn_jax.evaluation.report import metric_sets, published


@pytest.mark.parametrize('kind', published.PUBLISHED)
def test_numbers_are_plausible_and_have_a_source(kind):
    found = published.of_benchmark(kind)
    keys = {metric.key for metric in metric_sets.benchmark(kind).metrics.metrics}
    assert len({(each.tracker, each.source) for each in found}) == len(found)
    for each in found:
        assert each.source and each.values and each.values.keys() <= keys
        assert all(0 < value < 1 for key, value in each.values.items() if key != 'failures')
        assert 0.5 < each.values.get('failures', 1) < 2
        assert each.fps is None or 1 <= each.fps <= 200


def test_the_papers_numbers_are_in_its_text(shared):
    texts = sorted((shared / 'paper').glob('*.txt'))
    if not texts:
        pytest.skip('no text of the paper')
    printed = set(re.findall(r'\d+\.\d+|\d+', texts[0].read_text()))
    count = 0
    for kind, found in published.PUBLISHED.items():
        for each in found:
            if not each.source.startswith('SCTRPN'):
                continue
            for key, value in each.values.items():
                forms = (f'{value * 100:.1f}',) if kind == 'trackingnet' else (f'{value:.3f}', f'{value:.2f}')
                assert printed & set(forms), (each, key)
                count += 1
            assert each.fps is None or f'{each.fps:.0f}' in printed
    assert count > 60


def test_an_unknown_benchmark_has_none():
    assert published.of_benchmark('davis') == ()

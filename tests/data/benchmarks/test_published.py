"""Published numbers are shares with a source, and the paper's own are printed in the paper."""

import re

import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.report import metric_sets

PUBLISHED = {
    f'{benchmark.name} {name}': (benchmark, split)
    for benchmark in registry.every().values()
    for name, split in benchmark.splits.items()
    if split.published
}
SETS = {
    'one_pass': metric_sets.ONE_PASS,
    'trackingnet': metric_sets.TRACKINGNET,
    'got10k': metric_sets.GOT10K,
    'vot': metric_sets.vot(356, (100, 356)),
    'long_term': metric_sets.LONG_TERM,
}


@pytest.mark.parametrize('kind', PUBLISHED)
def test_numbers_are_plausible_and_have_a_source(kind):
    benchmark, split = PUBLISHED[kind]
    found, keys = split.published, {metric.key for metric in SETS[benchmark.metrics].metrics}
    assert split.count
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
    for benchmark, split in PUBLISHED.values():
        for each in split.published:
            if not each.source.startswith('SCTRPN'):
                continue
            for key, value in each.values.items():
                forms = (f'{value * 100:.1f}',) if benchmark.name == 'trackingnet' else (f'{value:.3f}', f'{value:.2f}')
                assert printed & set(forms), (each, key)
                count += 1
            assert each.fps is None or f'{each.fps:.0f}' in printed
    assert count > 60

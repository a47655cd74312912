"""Records of benchmarks: each is whole, refers to what exists, and is found by itself."""

import sys

import pytest

from sctrpn_jax.data import benchmarks
from sctrpn_jax.data.benchmarks import record, registry
from sctrpn_jax.data.layouts import registry as layouts
from sctrpn_jax.evaluation import job


@pytest.mark.parametrize('known', registry.every().values(), ids=registry.every())
def test_a_record_refers_to_what_exists(known):
    layout = layouts.layout(known.layout)
    for name, split in known.splits.items():
        assert (split.layout_split or name) in layout.splits
        assert len(split.names) in (0, split.count) and len(set(split.names)) == len(split.names)
        assert bool(split.eao_lengths) == ('reset' in known.protocols)
        assert not (split.for_tuning and split.published)
    assert known.metrics in record.METRICS and known.origin in (0, 1)
    assert set(known.protocols) <= set(record.PROTOCOLS) and known.convention in job.CONVENTIONS
    assert not known.submission or known.splits[known.submission.split].count


def test_the_published_counts():
    counts = {name: [split.count for split in known.splits.values()] for name, known in registry.every().items()}
    assert counts == {
        'davis': [None, None],
        'dtb70': [70],
        'got10k': [180, 180, 9335],
        'lasot': [280, 150],
        'nfs': [100, 100],
        'otb': [100, 51, 50],
        'tcolor128': [128],
        'trackingnet': [511, 30132],
        'uav123': [123, 123, 20],
        'vot': [60, 60, 60, 60],
        'votlt': [35, 50],
    }
    attributes = {name: len(known.attributes) for name, known in registry.every().items() if known.attributes}
    assert attributes == {'lasot': 14, 'otb': 11, 'uav123': 12}
    otb = registry.get('otb').splits
    assert set(otb['2013'].names) | set(otb['50'].names) < set(otb['2015'].names)
    vot = {name: set(split.names) for name, split in registry.get('vot').splits.items()}
    assert vot['2017'] == vot['2018'] and len(vot['2018'] - vot['2019']) == 12  # a fifth was replaced in 2019


def test_the_lists_are_those_of_the_published_annotations(shared):
    root = shared / 'data' / 'results'
    if not (root / 'OTB2015').is_dir():
        pytest.skip(f'no annotations in {root}')
    names = [path.stem for path in (root / 'OTB2015' / 'annotations').glob('*.txt')]
    assert registry.get('otb').split_of(names, root) is registry.get('otb').splits['2015']
    names = (root / 'VOT2018' / 'annotations' / 'list.txt').read_text().split()
    assert sorted(names) == sorted(registry.get('vot').splits['2018'].names)


@pytest.mark.parametrize(
    ('benchmark', 'names', 'title'),
    [
        ('otb', ['Deer', 'Bird2'], 'OTB-2015, 2 of 100 sequences'),
        ('otb', registry.get('dtb70').splits['70'].names, "CROWDED, a folder in otb's layout"),
        ('dtb70', registry.get('dtb70').splits['70'].names, 'DTB70'),
        ('votlt', registry.get('votlt').splits['2018'].names, 'VOT-LT2018'),
        ('votlt', [*registry.get('votlt').splits['2018'].names, 'boat'], 'VOT-LT2019, 36 of 50 sequences'),
        ('otb', [name.lower().replace('-', '.') for name in registry.get('otb').splits['2013'].names], 'OTB-2013'),
        ('otb', registry.get('otb').splits['50'].names, 'OTB-50'),
        ('otb', ['Basketball', 'volleyball'], "CROWDED, a folder in otb's layout"),
        ('vot', ['bag'], 'VOT-2018, 1 of 60 sequences'),
        ('vot', ['bag', 'octopus'], 'VOT-2016, 2 of 60 sequences'),
        ('vot', ['wheel'], 'VOT-2019, 1 of 60 sequences'),
        ('davis', ['anything'], 'DAVIS'),
    ],
)
def test_a_folder_is_known_by_its_sequences(benchmark, names, title):
    split = registry.get(benchmark).split_of(names, '/data/CROWDED')
    assert split.title == title
    assert split.for_tuning == (title.startswith('CROWDED') or benchmark == 'davis')
    assert bool(split.published) == (title in ('OTB-2015', 'VOT-LT2018'))
    # The five names that DTB70 has in common with OTB.
    assert not registry.get('otb').split_of(['Basketball', 'Car2', 'Car4', 'Girl2', 'Walking'], '/data/a').published


def test_a_new_benchmark_is_one_file(tmp_path, monkeypatch):
    (tmp_path / 'mine.py').write_text(
        'from sctrpn_jax.data.benchmarks import record\n'
        "BENCHMARK = record.Benchmark('mine', 'otb2015', {'all': record.Split('Mine', layout_split='test')}, 1)\n"
    )
    (tmp_path / 'helper.py').write_text('')
    monkeypatch.setattr(benchmarks, '__path__', [*benchmarks.__path__, str(tmp_path)])
    registry.every.cache_clear()
    try:
        assert registry.get('mine').split('all').title == 'Mine' and 'helper' not in registry.every()
        job.check(job.Job('mine', str(tmp_path), 'out'))
    finally:
        monkeypatch.undo()
        registry.every.cache_clear()
        sys.modules.pop('sctrpn_jax.data.benchmarks.mine', None)
    with pytest.raises(ValueError, match="benchmark: got 'mine', accepted are davis, "):
        registry.get('mine')

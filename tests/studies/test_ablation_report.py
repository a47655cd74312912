"""The numbers of an ablation against plain loops and closed forms; what is printed stands apart."""

import csv
import io
import json
import random
import statistics

import numpy as np
import pytest

from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import ablation, ablation_report


def test_hierarchical_difference_against_a_plain_loop():
    rng = np.random.default_rng(1)
    runs, count = 3, 12
    hard, luck = rng.normal(0, 0.2, (1, count)), rng.normal(0, 0.03, (runs, 1))
    b = 0.5 + hard + rng.normal(0, 0.02, (runs, count))
    a = b + 0.04 + luck + rng.normal(0, 0.05, (runs, count))
    mean, low, high = ablation_report.hierarchical_difference(a, b)
    draw = random.Random(5)
    means = []
    for _ in range(4000):
        rows = [draw.randrange(runs) for _ in range(runs)]
        columns = [draw.randrange(count) for _ in range(count)]
        means.append(sum(a[r][c] - b[r][c] for r in rows for c in columns) / (runs * count))
    means.sort()
    assert mean == pytest.approx(statistics.fmean((a - b).ravel()))
    assert low == pytest.approx(means[100], abs=0.004) and high == pytest.approx(means[3900], abs=0.004)


def test_seeds_that_disagree_widen_the_interval():
    # Of 27 draws of three seeds one has the least three times, 3.7 %: more than the 2.5 % that are cut off.
    difference = np.array([[-0.1], [0.0], [0.1]]) * np.ones((1, 8))
    found = ablation_report.hierarchical_difference(0.5 + difference, np.full((3, 8), 0.5))
    np.testing.assert_allclose(found, (0, -0.1, 0.1), atol=1e-12)


def test_one_seed_is_the_paired_difference():
    rng = np.random.default_rng(2)
    a, b = rng.uniform(0, 1, (2, 25))
    np.testing.assert_allclose(
        ablation_report.hierarchical_difference(a[None], b[None]), one_pass.paired_difference(a, b), atol=0.01
    )


@pytest.mark.parametrize(
    ('a', 'b'), [(np.ones((2, 3)), np.ones((3, 3))), (np.ones(3), np.ones(3)), ([[np.nan]], [[0]])]
)
def test_scores_that_do_not_pair(a, b):
    with pytest.raises(ValueError, match='accepted are two of the same shape'):
        ablation_report.hierarchical_difference(a, b)


def summary():
    """Two seeds of `plain`, one of `focal`, none of `off`; the last of five sequences has no score."""
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 1, (3, 3, 5))
    values[..., 4] = np.nan

    def replicate(i, **kept):
        names = ('success', 'precision', 'normalized_precision')
        return ablation_report.Replicate(dict(zip(names, values[i], strict=True)), **kept)

    peaks = [{'stage1': np.array([9.0, 8.0, 7.0, np.nan])}, {'stage1': np.array([11.0, 8.0, 6.0, 5.0])}]
    measured = {
        'plain': {f'seed{i}': replicate(i, pairs=12, courses={'peak_distance': peaks[i]}) for i in (0, 1)},
        'focal': {'seed1': replicate(2, pairs=12)},
        'off': {},
    }
    about = {'benchmark': 'davis', 'sequences': list('abcde'), 'checkpoint': None}
    made = ablation.Ablation(
        name='small',
        title='Small',
        variants={name: ablation.Variant() for name in measured},
        reference='plain',
        pairs=12,
        printed={'plain': {'EAO': 0.361}, 'off': {'EAO': 0.2}},
        printed_source='Table 9, VOT-2018',
    )
    return values, ablation_report.summarise(made, measured, about, {'off': {'seed0': 'step 3: not finite'}})


def test_summary_against_plain_loops():
    values, report = summary()
    plain, focal = report['variants']['plain'], report['variants']['focal']
    means = [statistics.fmean(values[i, 0, :4]) for i in (0, 1)]
    assert list(plain['scores']['success']['seed_means'].values()) == pytest.approx(means)
    assert plain['scores']['success']['mean'] == pytest.approx(statistics.fmean(means))
    assert plain['scores']['success']['seed_spread'] == pytest.approx(statistics.stdev(means))
    by_sequence = [(values[0, 0, s] + values[1, 0, s]) / 2 for s in range(4)]
    assert plain['scores']['success']['interval'] == list(one_pass.bootstrap_interval(by_sequence))
    assert focal['scores']['success']['seed_spread'] is None
    # Only the seed that both have is compared.
    expected = statistics.fmean(values[2, 1, s] - values[1, 1, s] for s in range(4))
    assert focal['difference']['precision']['mean'] == pytest.approx(expected)
    assert focal['difference']['precision']['seeds'] == 1 and plain['difference'] == {}
    assert plain['courses'] == {'peak_distance': {'stage1': [10.0, 8.0, 6.5, 5.0]}}
    assert report['variants']['off']['scores'] == {} and report['variants']['off']['diverged']
    assert json.loads(json.dumps(report)) == report


def test_what_is_printed_never_stands_with_what_is_measured():
    _, report = summary()
    lines = ablation_report.to_markdown(report).splitlines()
    head = [cell.strip() for cell in lines[2].split('|')]
    rows = {cells[1].strip(): [cell.strip() for cell in cells] for cells in (line.split('|') for line in lines[4:7])}
    column = head.index('**printed** EAO (Table 9, VOT-2018)')
    assert [rows[name][column] for name in ('plain', 'focal', 'off')] == ['0.361', '', '0.2']
    assert sum('0.361' in cell for row in rows.values() for cell in row) == 1
    assert rows['plain'][head.index('success')].startswith(
        f'{report["variants"]["plain"]["scores"]["success"]["mean"]:.3f}'
    )
    assert 'off, seed0: diverged, left out: step 3: not finite' in lines
    assert '| plain | 10.0 / 8.0 / 6.5 / 5.0 |' in lines
    found = list(csv.DictReader(io.StringIO(ablation_report.to_csv(report))))
    for row in found:
        assert bool(row['mean']) != bool(row['printed']) and bool(row['printed']) == bool(row['printed_source'])
    assert len([row for row in found if row['mean']]) == 6 and len([row for row in found if row['printed']]) == 2

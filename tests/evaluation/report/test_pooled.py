"""Several reports in one table, against means taken by hand."""

import numpy as np
import pytest

from sctrpn_jax.evaluation.report import pooled
from sctrpn_jax.metrics import one_pass

HEAD = 'tracker,sequence,frames,success,precision,normalized_precision,fps'


def write(folder, rows):
    folder.mkdir()
    lines = [f'{tracker},{name},10,{success},{precision},0.5,9' for tracker, name, success, precision in rows]
    (folder / 'sequences.csv').write_text('\n'.join([HEAD, *lines]) + '\n')
    return folder


def test_every_sequence_counts_the_same(tmp_path):
    otb = write(
        tmp_path / 'otb', [('a', 'x', 0.6, 0.9), ('b', 'x', 0.7, 0.8), ('a', 'y', 0.2, 0.4), ('b', 'y', 0.5, 1)]
    )
    uav = write(tmp_path / 'uav', [('a', 'x', 0.4, 0.2), ('b', 'x', 0.3, 0.3)])
    head, _, first, second = pooled.to_markdown(pooled.read([otb, uav])).split('\n')
    assert '3 sequences' in head
    low, high = one_pass.bootstrap_interval(np.array([0.7, 0.5, 0.3]))
    assert first == f'| b | 0.500 ({low:.3f} to {high:.3f}) | 0.700 |  |'
    assert second.startswith('| a | 0.400 (') and '| 0.500 | 0.100 (' in second


def test_what_cannot_be_pooled_says_why(tmp_path):
    whole = write(tmp_path / 'whole', [('a', 'x', 0.6, 0.9), ('b', 'x', 0.7, 0.8)])
    part = write(tmp_path / 'part', [('a', 'y', 0.6, 0.9)])
    with pytest.raises(ValueError, match=r'b has no score of .*part/y, which another tracker has'):
        pooled.read([whole, part])
    half = write(tmp_path / 'half', [('a', 'x', 0.6, 0.9), ('b', 'x', '', '')])
    with pytest.raises(ValueError, match=r'b has no score of .*half/x'):
        pooled.read([half])
    with pytest.raises(ValueError, match='expected a report of bin/evaluate'):
        pooled.read([tmp_path / 'none'])
    (part / 'sequences.csv').write_text('tracker,sequence,average_overlap\na,x,0.5\n')
    with pytest.raises(ValueError, match='expected the columns tracker, sequence, success, precision'):
        pooled.read([part])
    (part / 'sequences.csv').write_text(HEAD + '\n')
    with pytest.raises(ValueError, match='no sequence in'):
        pooled.read([part])


@pytest.mark.parametrize('score', ['nan', 'inf', '-1', '1.5', 'x', 'x' * 200_000])
def test_scores_that_are_none_are_refused_by_file(tmp_path, score):
    folder = write(tmp_path / 'otb', [('a', 'x', score, 0.5)])
    with pytest.raises(ValueError, match=r'otb/sequences\.csv: no ') as raised:
        pooled.read([folder])
    assert len(str(raised.value)) < len(str(tmp_path)) + 300

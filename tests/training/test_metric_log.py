"""metrics.jsonl: what a kill cut short is left out, other damage is named and nothing of the file is lost."""

import json

import pytest

from sctrpn_jax.training import metric_log

LINES = ['{"step": 1, "loss": 2.5}', '{"step": 2, "loss": 1.5}', '{"step": 3, "loss": 1.0}']


def write(tmp_path, lines):
    (tmp_path / 'metrics.jsonl').write_text('\n'.join(lines) + '\n')
    return tmp_path / 'metrics.jsonl'


def test_a_last_line_that_was_cut_is_left_out(tmp_path):
    path = write(tmp_path, [*LINES[:2], LINES[2][:9]])
    assert [line['step'] for line in metric_log.read_metrics(path)] == [1, 2]
    assert metric_log.read_metrics(tmp_path / 'none.jsonl') == []


BAD = ['', '{', '[]', '7', 'null', '{"loss": 1}', '{"step": "1"}', '{"step": true}', '{"step": 1, "loss": "x"}']


@pytest.mark.parametrize('bad', [*BAD, '[' * 9999])
def test_other_damage_is_named_and_the_file_stays(tmp_path, bad):
    path = write(tmp_path, [LINES[0], bad, LINES[2]])
    before = path.read_bytes()
    for read in (metric_log.read_metrics, lambda _: metric_log.MetricWriter(tmp_path, 3)):
        with pytest.raises(ValueError, match=r'metrics\.jsonl:2: got .* delete that line') as raised:
            read(path)
        assert '\n' not in str(raised.value) and len(str(raised.value)) < len(str(path)) + 200
    assert path.read_bytes() == before


def test_a_restart_drops_later_lines(tmp_path):
    path = write(tmp_path, LINES)
    writer = metric_log.MetricWriter(tmp_path, 2)
    writer.write(3, {'loss': float('nan')})
    writer.close()
    assert [json.loads(line)['step'] for line in path.read_text().splitlines()] == [1, 2, 3]
    assert len(metric_log.read_metrics(path)) == 3

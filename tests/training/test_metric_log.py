"""Metrics as JSON lines and as TensorBoard's event files: restarts, damage that is named, a full disk."""

import json
import os
import struct

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


def test_a_restart_drops_newer_lines_and_knows_the_last_validation(tmp_path):
    writer = metric_log.MetricWriter(tmp_path)
    assert writer.validated == 0
    for step in (1, 2, 3):
        writer.write(step, {'loss': step / 4})
        writer.write(step, {'validation/success_auc': 0.5})
        assert writer.validated == step
    with open(tmp_path / 'metrics.jsonl', 'a') as file:
        file.write('{"step": 4, "lo')  # a kill
    writer.close()
    writer = metric_log.MetricWriter(tmp_path, 2)
    writer.close()
    assert writer.validated == 2
    lines = metric_log.read_metrics(tmp_path / 'metrics.jsonl')
    assert [line['step'] for line in lines] == [1, 1, 2, 2] and lines[2]['loss'] == 0.5


def test_tensorboard_has_every_number_at_once(tmp_path):
    event_pb2 = pytest.importorskip('tensorboardX.proto.event_pb2')
    writer = metric_log.MetricWriter(tmp_path)
    writer.write(3, {'loss': 0.5, 'stage1/iou': 0.25})
    (path,) = (tmp_path / 'tensorboard').iterdir()
    data, found = path.read_bytes(), []  # before the end: who looks on sees the run
    writer.close()
    while data:  # TFRecord: length, its checksum, the event, its checksum
        (length,) = struct.unpack('<Q', data[:8])
        event = event_pb2.Event.FromString(data[12 : 12 + length])
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        data = data[16 + length :]
    assert found == [(3, 'loss', 0.5), (3, 'stage1/iou', 0.25)]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    writer = metric_log.MetricWriter(tmp_path)
    os.unlink(tmp_path / 'metrics.jsonl')
    os.symlink('/dev/full', tmp_path / 'metrics.jsonl')
    with pytest.raises(OSError, match=r'No space left on device: .*metrics\.jsonl'):
        writer.write(1, {'loss': 1.0})
    writer.close()

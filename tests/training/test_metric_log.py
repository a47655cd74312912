"""Metrics as JSON lines and as TensorBoard's event files; a restart drops what is newer; a full disk is an error."""

import os
import struct

import pytest

from sctrpn_jax.training import metric_log


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

"""Submission zips as their servers take them: names, numbers, the same bytes again, nothing left out."""

import dataclasses
import hashlib
import zipfile

import numpy as np
import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.run import submissions

FRAMES = {'b-1': 2, 'a_2': 3}
BOXES = {name: np.arange(4 * count, dtype=float).reshape(count, 4) / 8 for name, count in FRAMES.items()}
SECONDS = {name: np.arange(count) / 64 for name, count in FRAMES.items()}


def benchmark(name, count=2):
    """A benchmark whose server wants a few sequences."""
    known = registry.get(name)
    return dataclasses.replace(known, splits={'test': dataclasses.replace(known.split('test'), count=count)})


TRACKINGNET, GOT10K = benchmark('trackingnet'), benchmark('got10k')


def contents(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_trackingnet(tmp_path):
    path = tmp_path / 'new' / 'out.zip'
    submissions.write(path, TRACKINGNET, BOXES, {}, FRAMES)
    assert contents(path) == {
        'a_2.txt': '0.00,0.12,0.25,0.38\n0.50,0.62,0.75,0.88\n1.00,1.12,1.25,1.38\n',
        'b-1.txt': '0.00,0.12,0.25,0.38\n0.50,0.62,0.75,0.88\n',
    }
    assert [file.name for file in path.parent.iterdir()] == ['out.zip']


def test_got10k(tmp_path):
    path = tmp_path / 'out.zip'
    submissions.write(path, GOT10K, BOXES, SECONDS, FRAMES)
    found = contents(path)
    assert list(found) == ['a_2/a_2_001.txt', 'a_2/a_2_time.txt', 'b-1/b-1_001.txt', 'b-1/b-1_time.txt']
    assert found['b-1/b-1_001.txt'] == '1.000,1.125,0.250,0.375\n1.500,1.625,0.750,0.875\n'
    assert found['b-1/b-1_time.txt'] == '0.00000000\n0.01562500\n'


def test_the_same_boxes_give_the_same_bytes(tmp_path):
    digests = set()
    for number, order in enumerate((FRAMES, dict(reversed(FRAMES.items())))):
        path = tmp_path / f'{number}.zip'
        submissions.write(path, GOT10K, {name: BOXES[name] for name in order}, SECONDS, order)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_numbers_of_the_servers():
    with pytest.raises(ValueError, match='its server wants 511'):
        submissions.write('never.zip', registry.get('trackingnet'), BOXES, {}, FRAMES)
    with pytest.raises(ValueError, match='its server wants 180'):
        submissions.write('never.zip', registry.get('got10k'), BOXES, SECONDS, FRAMES)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'b-1': None}, '1 of 2 sequences missing: b-1'),
        ({'c': np.ones((2, 4))}, '1 of 2 sequences not wanted: c'),
        ({'b-1': np.ones((3, 4))}, r'b-1: got boxes \(3, 4\), expected \(2, 4\)'),
        ({'b-1': np.array([[1, 2, 3, 4], [1, np.nan, 3, 4]])}, 'b-1: 1 boxes are not finite, first that of frame 1'),
    ],
)
def test_what_is_not_whole_is_refused_and_leaves_the_old_file(tmp_path, change, message):
    path = tmp_path / 'out.zip'
    path.write_bytes(b'old')
    boxes = {name: each for name, each in {**BOXES, **change}.items() if each is not None}
    with pytest.raises(ValueError, match=message):
        submissions.write(path, TRACKINGNET, boxes, {}, FRAMES)
    with pytest.raises(ValueError, match=message):
        submissions.write(path, GOT10K, boxes, SECONDS, FRAMES)
    assert path.read_bytes() == b'old' and len(list(tmp_path.iterdir())) == 1


def test_times_and_names_are_checked(tmp_path):
    with pytest.raises(ValueError, match='b-1: got times'):
        submissions.write(tmp_path / 'a.zip', GOT10K, BOXES, {**SECONDS, 'b-1': [1]}, FRAMES)
    with pytest.raises(ValueError, match='a_2: got times'):
        submissions.write(tmp_path / 'a.zip', GOT10K, BOXES, {**SECONDS, 'a_2': [0, np.nan, 1]}, FRAMES)
    with pytest.raises(ValueError, match='no name of a sequence'):
        submissions.write(tmp_path / 'a.zip', benchmark('trackingnet', 1), {'../a': np.ones((1, 4))}, {}, {'../a': 1})


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'out.zip'
    path.write_bytes(b'old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(zipfile.ZipFile, 'writestr', fail)
    with pytest.raises(OSError, match='disk full'):
        submissions.write(path, TRACKINGNET, BOXES, {}, FRAMES)
    assert path.read_bytes() == b'old' and len(list(tmp_path.iterdir())) == 1

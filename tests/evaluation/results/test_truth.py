"""Ground truth out of annotation folders and benchmarks, and the split that it belongs to."""

import numpy as np
import pytest

from sctrpn_jax.data import sequences
from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.results import truth as truth_lib

BOXES = np.array([[10.5, 20, 30, 40], [11, 21.25, 31, 41], [12, 22, 32, 42]])


def write(path, boxes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(','.join(f'{v:g}' for v in row) + '\n' for row in boxes))


def test_truth_of_an_annotation_folder_and_of_a_benchmark(tmp_path):
    rows = BOXES.round()
    write(tmp_path / 'flat' / 'annotations' / 'Dog.txt', boxes=rows)
    write(tmp_path / 'OTB' / 'Dog' / 'groundtruth_rect.txt', boxes=rows)
    (tmp_path / 'OTB' / 'Dog' / 'img').mkdir()
    for number in (1, 2, 3):
        (tmp_path / 'OTB' / 'Dog' / 'img' / f'{number:04d}.jpg').touch()
    for root in ('flat', 'flat/annotations', 'OTB'):
        truth, split = truth_lib.read_truth('otb', tmp_path / root)
        assert split.title == 'OTB-2015, 1 of 100 sequences'
        assert list(truth) == ['Dog']
        np.testing.assert_array_equal(truth['Dog'].boxes, rows - [1, 1, 0, 0])


def test_only_flagged_frames_are_absent():
    visible = np.array([1, 0, 1], np.float32)
    sequence = sequences.Sequence('a', ('1', '2', '3'), BOXES, visible=visible)
    assert truth_lib.sequence_truth(registry.get('lasot'), sequence).absent.tolist() == [False, True, False]
    assert truth_lib.sequence_truth(registry.get('uav123'), sequence).absent is None
    unsaid = sequences.Sequence('a', ('1', '2', '3'), BOXES)
    assert truth_lib.sequence_truth(registry.get('lasot'), unsaid).absent is None


def test_truth_keeps_zeros_and_nan_and_refuses_damage(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('1,2,3,4\n0,0,0,0\nNaN,NaN,NaN,NaN\n')
    truth = truth_lib.read_truth('uav123', tmp_path)[0]['a']
    np.testing.assert_array_equal(truth.boxes, [[1, 2, 3, 4], [0] * 4, [np.nan] * 4])
    path.write_text('1,2,3,4\n1,2\n')
    with pytest.raises(ValueError, match=r"a\.txt:2: got '1,2', expected 4 numbers"):
        truth_lib.read_truth('uav123', tmp_path)
    with pytest.raises(ValueError, match="got 'imagenet', accepted are davis"):
        truth_lib.read_truth('imagenet', tmp_path)


def test_a_split_is_chosen_from_annotations(tmp_path):
    for name in registry.get('otb').splits['2015'].names:
        write(tmp_path / f'{name}.txt', BOXES.round())
    found = {split: truth_lib.read_truth('otb', tmp_path, split=split) for split in (None, '2013', '50')}
    assert [(len(truth), split.title) for truth, split in found.values()] == [
        (100, 'OTB-2015'),
        (51, 'OTB-2013'),
        (50, 'OTB-50'),
    ]
    some, split = truth_lib.read_truth('otb', tmp_path, ['Dog', 'Bolt'])
    assert list(some) == ['Dog', 'Bolt'] and split.title == 'OTB-2015'
    with pytest.raises(ValueError, match="no sequence 'Dog' in .*; there are Basketball, Bolt, "):
        truth_lib.read_truth('otb', tmp_path, ['Dog'], '2013')
    (tmp_path / 'Bolt.txt').unlink()
    with pytest.raises(ValueError, match='1 sequences of OTB-2013 are missing: Bolt'):
        truth_lib.read_truth('otb', tmp_path, split='2013')


def test_some_sequences_of_another_folder_do_not_make_it_otb(tmp_path, write_otb):
    write_otb(tmp_path / 'crowd', ['Basketball', 'seq1'], 2)
    truth, split = truth_lib.read_truth('otb', tmp_path / 'crowd', ['Basketball'])
    assert list(truth) == ['Basketball'] and split.title == "crowd, a folder in otb's layout" and not split.published

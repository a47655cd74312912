"""A published tracker's real results, pysot's two bounds, what is missing, JSON."""

import json
import math
import time

import numpy as np
import pytest

from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.evaluation.score import vot_scores
from sctrpn_jax.metrics.vot import expected_overlap, raster, supervised, trajectory


def score(annotations, found, free=None, interval=(100, 356), **settings):
    return vot_scores.score(vot_scores.measure(annotations, found, free, **settings), interval)


@pytest.fixture(scope='module')
def real(shared):
    folder = shared / 'data' / 'results' / 'VOT2018'
    if not folder.is_dir():
        pytest.skip(f'no published results at {folder}')
    annotations = vot_files.read_annotations(folder / 'annotations')
    return annotations, vot_files.read_results(folder / 'DaSiamRPN', annotations)


def test_dasiamrpn_on_vot2018(real):
    annotations, found = real
    assert len(annotations) == 60 and sum(len(each.regions) for each in annotations) == 21356
    assert found.problems == () and found.missing == ()
    begin = time.process_time()
    pysot = score(annotations, found, convention='pysot', bounded=False)
    assert time.process_time() - begin < 6
    r = pysot.overall.robustness
    # As published, to what the rounding of the table and the bounds of the frames leave open.
    assert pysot.overall.accuracy == pytest.approx(0.586, abs=1e-3)
    assert r.rate == pytest.approx(0.276, abs=5e-4)
    assert pysot.overall.expected_overlap == pytest.approx(0.382, abs=5e-4)
    assert (r.failures, r.frames, r.per_sequence) == (59, 21356, 59 / 60)
    # To more digits, with the overlaps that pysot's C library gives, frame by frame the same.
    assert pysot.overall.accuracy == pytest.approx(0.585423, abs=1e-6)
    matlab = score(annotations, found, bounded=False)
    assert matlab.overall.accuracy == pytest.approx(0.587516, abs=1e-6)
    assert 0.0005 < matlab.overall.expected_overlap - pysot.overall.expected_overlap < 0.0015
    assert matlab.overall.robustness == r
    python = score(annotations, found, convention='vot-python', bounded=False)
    assert python.overall.robustness.failures == 59 and python.overall.accuracy < matlab.overall.accuracy
    for made in (pysot, matlab, python):
        assert made.convention.count('without bounds') == 1 and made.curve.shape == (len(made.curve),)
        assert sum(each.robustness.failures for each in made.sequences.values()) == 59
        assert sum(made.tags[tag].robustness.frames for tag in vot_files.TAGS) > 0
    assert sorted(tag for tag in matlab.tags) == sorted([*vot_files.TAGS, 'empty'])
    assert matlab.tags['occlusion'].accuracy < matlab.overall.accuracy


def test_pooled_accuracy_is_the_mean_of_the_sequences_frames(real):
    annotations, found = real
    made = score(annotations, found, bounded=False)
    sums = count = 0
    for annotation in annotations:
        run = supervised.measure(annotation.regions, found.trajectories[annotation.name][0])
        number = supervised.counted(run).sum()
        sums, count = sums + made.sequences[annotation.name].accuracy * number, count + number
    assert sums / count == pytest.approx(made.overall.accuracy)


def two(size=(100, 100)):
    """Two short sequences: one tracked one pixel aside, one that leaves the frame and is lost once."""
    boxes = np.array([[10.0 + i, 10, 20, 20] for i in range(30)])
    out = boxes + [55, 0, 0, 0]
    annotations = [
        vot_files.Annotation(name, raster.as_regions(each), {'occlusion': np.arange(30) % 2 == 0}, size)
        for name, each in (('a', boxes), ('b', out))
    ]
    codes = np.full(30, trajectory.REGION, np.int8)
    codes[0] = trajectory.START
    lost = codes.copy()
    lost[12:17], lost[12], lost[17] = trajectory.UNKNOWN, trajectory.FAILURE, trajectory.START
    trajectories = {}
    for (name, each), code in zip((('a', boxes), ('b', out)), (codes, lost), strict=True):
        regions = raster.as_regions(np.where(code[:, None] == trajectory.REGION, each + [1, 0, 2, 0], np.nan))
        trajectories[name] = (trajectory.Trajectory(code, regions),) * 3
    return annotations, vot_files.Results(trajectories)


def test_bounds_by_convention():
    annotations, found = two()
    for convention, accuracy, eao in (('vot2018', 99, 99), ('pysot', 100, 99), ('vot-python', 99, 99)):
        made = score(annotations, found, convention=convention, interval=(5, 20))
        runs = {
            last: [
                [supervised.measure(each.regions, t, (last, last), convention) for t in found.trajectories[each.name]]
                for each in annotations
            ]
            for last in (99, 100)
        }
        assert made.overall.accuracy == supervised.accuracy(runs[accuracy], convention)
        curve = expected_overlap.curve(runs[eao], convention)
        np.testing.assert_array_equal(made.curve, curve)
        assert made.overall.expected_overlap == expected_overlap.expected_overlap(curve, (5, 20), convention)
        tagged = [each.tags['occlusion'] for each in annotations]
        assert made.tags['occlusion'].accuracy == supervised.accuracy(runs[accuracy], convention, masks=tagged)
        assert made.tags['occlusion'].expected_overlap == expected_overlap.expected_overlap(
            expected_overlap.curve(runs[eao], convention, tagged), (5, 20), convention
        )
        assert math.isnan(made.tags['size_change'].accuracy)
        assert made.repetitions == {'a': 3, 'b': 3}
    unbounded = score(annotations, found, convention='pysot', bounded=False)
    assert unbounded.overall.accuracy != score(annotations, found, convention='pysot').overall.accuracy


def test_frames_of_unknown_size():
    annotations, found = two(size=None)
    with pytest.raises(ValueError, match=r'frame sizes of 2 sequences are not known \(a\)'):
        score(annotations, found)
    assert score(annotations, found, bounded=False).overall.accuracy > 0


def test_what_is_missing_is_said():
    annotations, found = two()
    part = vot_files.Results({'a': found.trajectories['a']}, ('b',), ('b: no such folder',))
    made = score(annotations, part)
    assert made.missing == ('b',) and list(made.sequences) == ['a'] and made.overall.robustness.frames == 30
    text = vot_scores.format_table(made)
    assert 'not scored, because there is no result: b' in text and 'b: no such folder' in text
    with pytest.raises(ValueError, match='no sequence has a result; missing are 2'):
        score(annotations, vot_files.Results({}, ('a', 'b')))


def test_without_resets():
    annotations, found = two()
    assert score(annotations, found).average_overlap is None
    free = vot_files.Results({'a': found.trajectories['a']}, ('b',), ('b: gone',))
    made = score(annotations, found, free)
    # 30 frames, the first is 0; else 20 columns common of 23.
    assert made.average_overlap == pytest.approx(29 / 30 * 19 / 22, abs=0.05)
    runs = [[supervised.measure(annotations[0].regions, t, (99, 99)) for t in found.trajectories['a']]]
    assert made.average_overlap == supervised.average_overlap(runs)
    assert made.missing == ('b (unsupervised)',) and made.problems == ('b: gone',)
    assert 'average overlap without resets' in vot_scores.format_table(made)


def test_json_and_table():
    annotations, found = two()
    made = score(annotations, found, convention='vot-python')
    plain = json.loads(json.dumps(vot_scores.to_json(made), allow_nan=False))
    assert plain['overall']['accuracy'] == made.overall.accuracy
    assert plain['overall']['robustness']['failures'] == 1
    assert plain['overall']['expected_overlap'] is None  # no part reaches 101 frames
    assert plain['tags']['size_change']['accuracy'] is None
    assert len(plain['curve']) == 30 and plain['interval'] == [100, 356]
    text = vot_scores.format_table(made)
    assert 'vot-python raster within w - 1, h - 1' in text and 'lengths 101 to 357' in text
    assert {line.split()[0] for line in text.split('\n')[1:8]} == {'all', *vot_files.TAGS, 'empty'}


def test_a_real_sequence_within_its_frames(real, shared):
    folder = shared / 'data' / 'sequences' / 'VOT'
    if not folder.is_dir():
        pytest.skip(f'no frames at {folder}')
    (bag,) = [each for each in vot_files.read_annotations(folder) if each.name == 'bag']
    made = score([bag], vot_files.Results({'bag': real[1].trajectories['bag']}), interval=(100, 190))
    free = score([bag], vot_files.Results({'bag': real[1].trajectories['bag']}), bounded=False)
    assert bag.size[0] > bag.size[1] > 100
    assert made.overall.accuracy == pytest.approx(free.overall.accuracy, abs=0.01)
    assert 0 < made.overall.expected_overlap < 1

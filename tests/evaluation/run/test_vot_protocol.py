"""Scripted trackers through the protocol: codes, starts, skipped frames, repetitions, files."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import vot as layout
from sctrpn_jax.evaluation.results import vot_files
from sctrpn_jax.evaluation.run import vot_protocol
from sctrpn_jax.metrics.vot import expected_overlap, raster, supervised, trajectory

AWAY = [500.0, 500, 10, 10]


@dataclasses.dataclass
class Output:
    box: object


class Frames:
    """Frame i is the number i; remembers which were asked for."""

    def __init__(self, count):
        self.count, self.asked = count, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.asked.append(index)
        return index


class Scripted:
    """Gives `boxes[i]` in frame i and remembers its starts."""

    def __init__(self, boxes):
        self.boxes, self.starts = boxes, []

    def init(self, frame, box):
        self.starts.append((frame, np.array(box)))

    def update(self, frame):
        return Output(self.boxes[frame])


def moving(count):
    boxes = np.array([[10.0 + i, 20, 30, 15] for i in range(count)])
    return boxes, raster.as_regions(boxes)


def test_failures_and_starts():
    boxes, regions = moving(30)
    script = boxes.copy()
    script[[4, 12, 28]] = AWAY
    frames, tracker = Frames(30), Scripted(script)
    found = vot_protocol.track(tracker, frames, regions)
    assert ''.join(map(str, found.codes)) == '133320000133' + '200001' + '3' * 10 + '20'
    assert frames.asked == [0, 1, 2, 3, 4, 9, 10, 11, 12, *range(17, 29)]
    assert [frame for frame, _ in tracker.starts] == [0, 9, 17]
    for frame, box in tracker.starts:
        np.testing.assert_array_equal(box, boxes[frame])
    np.testing.assert_array_equal(found.regions[found.codes == 3, :4], boxes[found.codes == 3])
    assert np.isnan(found.regions[found.codes != 3]).all()
    assert (np.isfinite(found.seconds) == np.isin(np.arange(30), frames.asked)).all()


def plain_codes(lost, skip=5):
    """What the protocol writes where a tracker fails in the frames `lost`."""
    codes, i = ['0'] * len(lost), 0
    while i < len(lost):
        codes[i] = '1'
        i += 1
        while i < len(lost) and not lost[i]:
            codes[i] = '3'
            i += 1
        if i < len(lost):
            codes[i] = '2'
            i += skip
    return ''.join(codes)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 7))
def test_against_a_plain_loop(lost, skip):
    boxes, regions = moving(len(lost))
    script = np.where(np.array(lost)[:, None], AWAY, boxes)
    found = vot_protocol.track(Scripted(script), Frames(len(lost)), regions, skip=skip)
    assert ''.join(map(str, found.codes)) == plain_codes(lost, skip)


def test_starts_on_polygons():
    polygon = np.array([[10.0, 10, 50, 20, 45, 40, 5, 30]])
    regions = np.concatenate([polygon, raster.as_regions(np.array([[1.0, 2, 3, 4]])), np.full((1, 8), np.nan)])
    starts = vot_protocol.start_boxes(regions)
    np.testing.assert_allclose(starts[0], layout.polygon_box(polygon)[0])
    np.testing.assert_array_equal(starts[1], [1, 2, 3, 4])
    assert np.isnan(starts[2]).all()
    tracker = Scripted([None])
    vot_protocol.track(tracker, Frames(1), polygon)
    np.testing.assert_array_equal(tracker.starts[0][1], starts[0])


def test_overlap_rule_and_bounds_decide():
    regions = raster.as_regions(np.array([[10.0, 10, 20, 20]] * 2))
    beside = [None, [29.0, 10, 20, 20]]  # one common column
    codes = {
        convention: vot_protocol.track(Scripted(beside), Frames(2), regions, convention=convention).codes[1]
        for convention in raster.CONVENTIONS
    }
    assert codes == {'vot2018': trajectory.FAILURE, 'pysot': trajectory.REGION, 'vot-python': trajectory.REGION}
    corner = [None, [20.0, 20, 20, 20]]
    assert vot_protocol.track(Scripted(corner), Frames(2), regions, (40, 40)).codes[1] == trajectory.REGION
    assert vot_protocol.track(Scripted(corner), Frames(2), regions, (20, 40)).codes[1] == trajectory.FAILURE


def test_boxes_are_judged_as_written():
    regions = raster.as_regions(np.array([[10.0, 10, 20, 20]] * 2))
    box = [28.99996, 10, 20, 20]  # written 29.0000, which leaves one common column
    assert raster.overlap(box, regions[0]) > 0
    assert vot_protocol.track(Scripted([None, box]), Frames(2), regions).codes[1] == trajectory.FAILURE


@pytest.mark.parametrize('convention', raster.CONVENTIONS)
def test_unknown_truth_and_broken_boxes(convention):
    boxes, regions = moving(20)
    regions[3] = np.nan  # tracked through
    regions[10:12] = np.nan  # no start there
    script = boxes.copy()
    script[3] = AWAY
    script[5] = [np.nan, 0, 1, 1]
    found = vot_protocol.track(Scripted(script), Frames(20), regions, convention=convention)
    assert ''.join(map(str, found.codes)) == '133332000000' + '1' + '3' * 7
    found = vot_protocol.track(Scripted(script), Frames(20), regions, reset=False, convention=convention)
    assert ''.join(map(str, found.codes)) == '13333' + '0' + '3' * 14
    np.testing.assert_array_equal(found.regions[3, :4], AWAY)


def test_bad_arguments():
    boxes, regions = moving(5)
    regions[0] = np.nan
    with pytest.raises(ValueError, match='nothing to start from'):
        vot_protocol.track(Scripted(boxes), Frames(5), regions)
    with pytest.raises(ValueError, match='got 4 frames, 5 regions'):
        vot_protocol.track(Scripted(boxes), Frames(4), regions)
    with pytest.raises(ValueError, match='repetitions: got 16'):
        vot_protocol.run_sequence(Scripted(boxes), 'a', Frames(5), regions, '.', repetitions=16)
    for name in ('../a', '', '..', 'a/b'):
        with pytest.raises(ValueError, match='names of a folder'):
            vot_protocol.run_sequence(Scripted(boxes), name, Frames(5), regions, '.')


def test_files_are_the_toolkits_and_read_back(tmp_path):
    boxes, regions = moving(12)
    script = boxes + 0.123456
    script[4] = AWAY
    folder = tmp_path / 'tracker' / 'baseline'
    made = vot_protocol.run_sequence(Scripted(script), 'a', Frames(12), regions, folder, (99, 99), repetitions=2)
    lines = (folder / 'a' / 'a_001.txt').read_text().split('\n')
    assert lines[:3] == ['1', '11.1235,20.1235,30.1235,15.1235', '12.1235,20.1235,30.1235,15.1235']
    assert lines[4:] == ['2', '0', '0', '0', '0', '1', *lines[10:12], '']
    assert sorted(file.name for file in (folder / 'a').iterdir()) == [
        'a_001.txt',
        'a_001_time.value',
        'a_002.txt',
        'a_002_time.value',
    ]
    seconds = np.loadtxt(folder / 'a' / 'a_001_time.value')
    assert np.isnan(seconds).tolist() == [i in (5, 6, 7, 8) for i in range(12)]
    found = vot_files.read_results(tmp_path / 'tracker', [vot_files.Annotation('a', regions)])
    assert found.problems == () and len(found.trajectories['a']) == 2
    for one, other in zip(made, found.trajectories['a'], strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        np.testing.assert_array_equal(one.regions, other.regions)
    run = supervised.measure(regions, made[0])
    assert supervised.robustness([[run]]).failures == 1 and len(expected_overlap.curve([[run]])) == 12


def test_polygons_are_written_whole(tmp_path):
    found = trajectory.Trajectory(np.array([1, 3]), np.array([[np.nan] * 8, np.arange(8.0)]))
    vot_protocol.write_trajectory(tmp_path / 'x' / 'a_001.txt', found)
    text = '1\n0.0000,1.0000,2.0000,3.0000,4.0000,5.0000,6.0000,7.0000\n'
    assert (tmp_path / 'x' / 'a_001.txt').read_text() == text
    assert len(list((tmp_path / 'x').iterdir())) == 1


def test_a_repeatable_tracker_stops_after_three_and_a_random_one_does_not(tmp_path):
    boxes, regions = moving(6)
    tracker = Scripted(boxes)
    assert not vot_protocol.is_finished('a', 6, tmp_path)
    assert len(vot_protocol.run_sequence(tracker, 'a', Frames(6), regions, tmp_path)) == 3
    assert vot_protocol.is_finished('a', 6, tmp_path) and vot_protocol.is_finished('a', 6, tmp_path, repetitions=2)
    assert len(tracker.starts) == 3
    assert len(vot_protocol.run_sequence(tracker, 'a', Frames(6), regions, tmp_path)) == 3
    assert len(tracker.starts) == 3  # nothing is tracked again

    class Random(Scripted):
        def update(self, frame):
            return Output(self.boxes[frame] + np.random.default_rng(len(self.starts)).random(4))

    tracker = Random(boxes)
    made = vot_protocol.run_sequence(tracker, 'b', Frames(6), regions, tmp_path)
    assert vot_protocol.is_finished('b', 6, tmp_path)
    (tmp_path / 'b' / 'b_015.txt').unlink()
    assert not vot_protocol.is_finished('b', 6, tmp_path) and vot_protocol.is_finished('b', 6, tmp_path, repetitions=14)
    with pytest.raises(ValueError, match='b_001'):
        vot_protocol.is_finished('b', 5, tmp_path)
    assert len(made) == len(tracker.starts) == 15


def test_an_interrupted_run_leaves_no_result_and_goes_on(tmp_path):
    boxes, regions = moving(6)

    class Interrupted(Scripted):
        def update(self, frame):
            if len(self.starts) == 2 and frame == 3:
                raise KeyboardInterrupt
            return super().update(frame)

    with pytest.raises(KeyboardInterrupt):
        vot_protocol.run_sequence(Interrupted(boxes), 'a', Frames(6), regions, tmp_path)
    assert sorted(file.name for file in (tmp_path / 'a').iterdir()) == ['a_001.txt', 'a_001_time.value']
    tracker = Scripted(boxes)
    assert len(vot_protocol.run_sequence(tracker, 'a', Frames(6), regions, tmp_path)) == 3 and len(tracker.starts) == 2
    with pytest.raises(ValueError, match=r'a_001\.txt: got 6 rows, expected 5'):
        vot_protocol.run_sequence(tracker, 'a', Frames(5), regions[:5], tmp_path)

"""Boxes of several trackers in one picture, videos of them, and `reports compare` over generated and real results."""

import csv
import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sctrpn_jax.evaluation import tracker_comparison
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.visualization import comparison, overlay

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / 'bin' / 'reports'
GREY = np.full((100, 160, 3), 90, np.uint8)


def has_color(picture, color):
    return (picture == color).all(-1)


def test_boxes_lie_on_the_border_pixels_of_the_target():
    boxes = {'one': np.array([10.0, 20, 40, 30]), 'two': np.array([80.0, 30, 50, 40])}
    picture = comparison.comparison_frame(GREY, boxes, np.array([60.0, 5, 60, 20]), {'one': 0.5, 'two': 0.25})
    frame = picture[:100]
    assert (GREY == 90).all() and picture.shape[1] == 160 and picture.shape[0] > 100
    solid, dashed = has_color(frame, overlay.COLORS[0]), has_color(frame, overlay.COLORS[1])
    for y, x in [(20, 10), (20, 49), (49, 10), (49, 49), (20, 30), (35, 49)]:
        assert solid[y, x]
    rows, columns = np.nonzero(solid)
    for got, wanted in [(rows.min(), 20), (rows.max(), 49), (columns.min(), 10), (columns.max(), 49)]:
        assert abs(got - wanted) <= 1
    assert dashed[30, 80] and 0.3 < dashed[30, 80:130].mean() < 0.8
    assert has_color(frame, overlay.TRUTH)[5, 60]
    # Nothing else is drawn on the frame, and gaps of dashes show it.
    assert (frame[23:47, 14:46] == 90).all() and (frame[30, 80:130] == 90).all(-1).sum() > 5


def test_a_dashed_box_leaves_the_one_below_in_sight():
    box = np.array([30.0, 20, 80, 50])
    picture = comparison.comparison_frame(GREY, {'one': box}, box)
    top = picture[20, 30:110]
    assert has_color(top, overlay.TRUTH).mean() > 0.3 and has_color(top, overlay.COLORS[0]).mean() > 0.2


def test_boxes_scale_with_the_picture():
    picture = comparison.comparison_frame(GREY, {'one': np.array([10.0, 20, 40, 30])}, width=320)
    solid = has_color(picture[:200], overlay.COLORS[0])
    assert picture.shape[1] == 320
    assert solid[40, 20] and solid[99, 99] and not solid[45:95, 25:95].any()


def test_the_size_depends_on_no_value():
    boxes = {'KCF': np.array([10.0, 20, 40, 30]), 'SRDCF': None, 'third': np.full(4, np.nan), 'far': np.full(4, np.inf)}
    full = comparison.comparison_frame(GREY, boxes, np.array([1.0, 2, 3, 4]), {'KCF': 0.123}, 'a title')
    empty = comparison.comparison_frame(GREY, dict.fromkeys(boxes), np.full(4, np.nan), {'KCF': np.nan}, 'b')
    assert full.shape == empty.shape
    np.testing.assert_array_equal(empty[:100], GREY)
    assert not np.array_equal(full[100:], empty[100:])


def test_every_style_differs():
    styles = [comparison.style(index) for index in range(comparison.MOST)]
    assert len(set(styles)) == comparison.MOST and overlay.TRUTH not in {color for color, _ in styles}
    with pytest.raises(ValueError, match='got 19 trackers; at most 18'):
        comparison.style(comparison.MOST)


def test_video_is_streamed_and_takes_its_name_last(tmp_path):
    path, seen = tmp_path / 'new' / 'clip.mp4', []

    def pictures(count, fail=False):
        for index in range(count):
            seen.append(path.exists())
            yield np.full((40, 64, 3), 10 * index, np.uint8)
        if fail:
            raise ValueError('a frame is damaged')

    assert comparison.write_video(path, pictures(5), 12) == 5
    assert seen == [False] * 5
    before = path.read_bytes()
    with pytest.raises(ValueError, match='damaged'):
        comparison.write_video(path, pictures(3, fail=True))
    assert path.read_bytes() == before and [each.name for each in path.parent.iterdir()] == ['clip.mp4']
    assert comparison.write_video(tmp_path / 'none.mp4', iter(())) == 0


def test_sheet_holds_its_pictures():
    pictures = [np.full((10 + 5 * index, 20, 3), 40 * index, np.uint8) for index in range(5)]
    sheet = comparison.contact_sheet(pictures, columns=3)
    assert sheet.shape == (20 + 30 + 3 * 8, 3 * 28 + 8, 3)
    np.testing.assert_array_equal(sheet[8:18, 8:28], pictures[0])
    np.testing.assert_array_equal(sheet[36:66, 36:56], pictures[4])
    assert (sheet[:8] == 255).all()


def plain_worst(overlaps, tracker, count, by, each):
    """All candidates sorted as numbers, then taken one by one."""
    candidates = []
    for place, (sequence, found) in enumerate(overlaps.items()):
        for frame in range(1, len(found.get(tracker, ()))):
            own = found[tracker][frame]
            rivals = [found[name][frame] for name in found if name != tracker]
            if np.isnan(own) or (by == 'gap' and not rivals):
                continue
            lead = own - max(rivals) if rivals else 0.0
            candidates.append(((lead, own) if by == 'gap' else (own, lead)) + (place, frame, sequence))
    taken = []
    for *_, frame, sequence in sorted(candidates):
        same = [other for name, other in taken if name == sequence]
        if len(same) < each and all(abs(other - frame) >= 20 for other in same):
            taken.append((sequence, frame))
    return taken[:count]


@pytest.mark.parametrize('by', ['overlap', 'gap'])
@pytest.mark.parametrize('seed', range(8))
def test_worst_frames_against_a_plain_loop(by, seed):
    random = np.random.default_rng(seed)
    overlaps = {}
    for name in 'abcde':
        frames = random.integers(1, 90)
        hidden = random.random(frames) < 0.1
        found = {key: random.choice([0, 0.1, 0.3, 0.8], frames) for key in ('x', 'y', 'z') if random.random() < 0.8}
        overlaps[name] = {key: np.where(hidden, np.nan, values) for key, values in found.items()}
    overlaps['f'] = {'x': np.full(50, np.nan), 'y': np.full(50, np.nan)}
    for count, each in [(12, 2), (3, 2), (12, 1)]:
        got = tracker_comparison.worst_frames(overlaps, 'x', count, by, each)
        assert [(one.sequence, one.frame) for one in got] == plain_worst(overlaps, 'x', count, by, each)


def test_gap_needs_another_tracker():
    with pytest.raises(ValueError, match='no tracker beside x'):
        tracker_comparison.worst_frames({'a': {'x': np.ones(5)}}, 'x', 3, 'gap')


def test_overlap_of_missing_boxes_and_absent_truth():
    truth = truth_lib.Truth(np.array([[0.0, 0, 2, 2]] * 4 + [[np.nan] * 4, [0, 0, 0, 0]]))
    boxes = np.array([[0.0, 0, 2, 2], [1, 0, 2, 2], [np.nan] * 4, [np.inf] * 4, [0, 0, 2, 2], [0, 0, 2, 2]])
    np.testing.assert_allclose(tracker_comparison.frame_overlaps(boxes, truth), [1, 1 / 3, 0, 0, np.nan, np.nan])
    flagged = truth_lib.Truth(truth.boxes, np.array([True] + [False] * 5))
    assert np.isnan(tracker_comparison.frame_overlaps(boxes, flagged)[0])


@pytest.fixture
def made(tmp_path):
    """An OTB folder of two short sequences; results of `good`, `late` (rows are missing) and ours, 0-based."""
    results = tmp_path / 'results'
    for name, frames in [('Alpha', 30), ('Beta', 6)]:
        images = tmp_path / 'otb' / name / 'img'
        images.mkdir(parents=True)
        for index in range(1, frames + 1):
            cv2.imwrite(str(images / f'{index:04d}.jpg'), np.full((60, 80, 3), 100 + index, np.uint8))
        boxes = np.array([[11 + index, 21, 20, 10] for index in range(frames)])
        np.savetxt(tmp_path / 'otb' / name / 'groundtruth_rect.txt', boxes, '%d', ',')
        for tracker in ('good', 'late', 'ours'):
            (results / tracker).mkdir(parents=True, exist_ok=True)
        np.savetxt(results / 'good' / f'{name}.txt', boxes, '%d', ',')
        np.savetxt(results / 'ours' / f'{name}.txt', boxes - [1, 1, 0, 0], '%d', ',')
        if name == 'Alpha':
            np.savetxt(results / 'late' / f'{name}.txt', boxes[:25], '%d', ',')
    (results / 'ours' / 'tracker.json').write_text('{"tracker": "sctrpn"}')
    return tmp_path


def compare(folder, *arguments):
    return subprocess.run(
        [sys.executable, str(PROGRAM), 'compare', '--benchmark=otb', '--root=otb', '--results=results', *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {'PYTHONPATH': str(PROGRAM.parents[1])},
    )


def test_the_program(made):
    program = compare(made, '--trackers=late,good,ours', '--worst=3', '--by=gap')
    assert program.returncode == 0, program.stderr
    assert 'late: 2 problems (1 length, 1 missing)' in program.stdout and 'good:' not in program.stdout
    output = made / 'results' / 'comparison'
    with open(output / 'worst' / 'frames.csv', newline='') as file:
        table = list(csv.DictReader(file))
    # Among frames alike the first; the second is one of those 20 frames or more from it.
    assert [(row['sequence'], row['frame']) for row in table] == [('Alpha', '25'), ('Alpha', '1')]
    # The origin of ours is 0, that of the others 1: both fit.
    assert [table[0][name] for name in ('late', 'good', 'ours')] == ['0.0000', '1.0000', '1.0000']
    assert table[0]['image'].endswith('0026.jpg')
    assert cv2.imread(str(output / 'worst' / 'sheet.png')).shape[1] == 2 * 480 + 3 * 8
    for name, frames in [('Alpha', 30), ('Beta', 6)]:
        capture = cv2.VideoCapture(str(output / 'videos' / f'{name}.mp4'))
        pictures = []
        while (read := capture.read())[0]:
            pictures.append(read[1])
        assert len(pictures) == frames
        assert pictures[0].shape[1] == 640 and pictures[0].shape[0] > 480
    assert {path.name for path in output.rglob('.*')} == set()


def test_each_sequence_has_a_picture_of_its_worst_frames(made, tmp_path):
    found = tracker_comparison.Comparison('otb', made / 'otb', made / 'results', trackers=['good', 'ours', 'late'])
    paths = found.write_worst_by_sequence(tmp_path / 'worst', 2)
    assert paths == {name: tmp_path / 'worst' / f'{name}.jpg' for name in ('Alpha', 'Beta')}
    assert sorted(path.name for path in (tmp_path / 'worst').iterdir()) == ['Alpha.jpg', 'Beta.jpg']
    # Alpha: of frames 25 to 29 "late" has no row, so the mean is 2/3 there, and the second lies 20 frames before. Beta
    # is shorter than that.
    alpha, beta = (cv2.imread(str(path)) for path in paths.values())
    assert alpha.shape[1] == 2 * 480 + 3 * 8 and beta.shape[1] == 480 + 2 * 8
    gray = [np.median(alpha[8:300, 8 + i * 488 : 488 + i * 488]) for i in range(2)]
    assert gray == pytest.approx([100 + 26, 100 + 2], abs=1.5)  # frame i is of value 101 + i
    with pytest.raises(ValueError, match='0026.jpg'):
        (made / 'otb' / 'Alpha' / 'img' / '0026.jpg').write_bytes(b'no picture')
        found.write_worst_by_sequence(tmp_path / 'worst', 2)


@pytest.mark.parametrize(
    'arguments, message',
    [(['--trackers=best'], "no tracker 'best' in results"), (['--output=results/'], 'is the folder of the results')],
)
def test_mistakes_are_one_line(made, arguments, message):
    program = compare(made, *arguments)
    assert program.returncode == 2
    assert message in program.stderr and program.stderr.startswith('reports: ') and program.stderr.count('\n') == 1


@pytest.mark.parametrize(
    'trackers, names, message',
    [
        (['best'], None, "no tracker 'best' in .*; there are good, late, ours"),
        (None, ['Gamma'], "no sequence 'Gamma' in"),
        (['late'], ['Beta'], 'late: no chosen sequence of otb has results'),
    ],
)
def test_what_cannot_be_compared(made, trackers, names, message):
    with pytest.raises(ValueError, match=message):
        tracker_comparison.Comparison('otb', made / 'otb', made / 'results', trackers=trackers, names=names)


def test_problems_are_counted_by_kind(made):
    (made / 'results' / 'late' / 'Other.txt').write_text('1,2,3,4\n')
    every = tracker_comparison.Comparison('otb', made / 'otb', made / 'results')
    (line,) = tracker_comparison.problem_lines(every.problems)
    assert line.startswith('late: 3 problems (1 extra, 1 length, 1 missing); the first: ') and '25 rows for 30' in line
    some = tracker_comparison.Comparison('otb', made / 'otb', made / 'results', names=['Alpha'])
    (line,) = tracker_comparison.problem_lines(some.problems, whole=False)
    assert line.startswith('late: 1 problems (1 length)')


def test_real_results(shared, tmp_path):
    data = shared / 'data'
    if not (data / 'results' / 'OTB2015').is_dir():
        pytest.skip('no OTB results in the shared folder')
    found = tracker_comparison.Comparison(
        'otb', data / 'sequences' / 'OTB', data / 'results' / 'OTB2015', trackers=['KCF', 'SRDCF'], names=['Deer']
    )
    # KCF loses the deer's head for ten frames, SRDCF holds it.
    assert (found.overlaps['Deer']['KCF'][26:33] < 0.1).sum() > 4 and found.overlaps['Deer']['SRDCF'].min() > 0.4
    sheet = cv2.imread(str(found.write_worst(tmp_path, 4, 'gap')))
    assert has_color(sheet[..., ::-1], overlay.COLORS[0]).sum() > 200

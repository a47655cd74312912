"""An evaluation from end to end: tracking, scoring, what a report says of a run, a submission; bad input."""

import dataclasses
import json
import os
import zipfile

import cv2
import numpy as np
import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation import evaluate
from sctrpn_jax.evaluation.job import Job, TrackerSettings
from sctrpn_jax.evaluation.report import environments
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import results


@pytest.fixture
def floor(weights):
    """Settings of the tracker of untrained features."""
    return TrackerSettings('correlation', weights=str(weights), layer=3)


def score(benchmark, root, results, **settings):
    return evaluate.score(Job(benchmark, str(root), results=str(results), **settings))


def test_tracking_and_scoring(tmp_path, write_otb, floor):
    write_otb(tmp_path / 'data', ['a', 'b'])
    job = Job('otb', str(tmp_path / 'data'), str(tmp_path / 'out'), tracker=floor, sequences=('b',))
    evaluate.track(job)
    assert sorted(os.listdir(job.output)) == ['b.csv', 'b_time.txt', 'tracker.json']
    made = score('otb', job.root, job.output)
    (tracker,) = made.trackers
    assert tracker.config['layer'] == 3 and tracker.timing.fps > 0
    assert [row.sequence for row in tracker.rows] == ['b'] and tracker.problem_counts == {'missing': 1}
    alone = evaluate.score(job)
    assert alone.trackers[0].values['success'].value > 0.5 and not alone.trackers[0].problems


def test_a_report_says_seed_and_machine_of_the_run(tmp_path, write_otb, floor):
    write_otb(tmp_path / 'data', ['a'])
    out = tmp_path / 'out'
    job = Job('otb', str(tmp_path / 'data'), str(out), tracker=floor)
    evaluate.track(job)
    path = out / 'tracker.json'
    description = json.loads(path.read_text())
    assert description['hardware'] == [environments.describe_environment().hardware] and 'seed' not in description
    path.write_text(json.dumps(description | {'seed': 7, 'hardware': ['far away', 'farther']}))
    (tracker,) = evaluate.score(job).trackers
    assert (tracker.seed, tracker.timing.hardware) == (7, 'far away; farther') and tracker.timing.fps > 0
    assert 'hardware' not in tracker.config and tracker.config['layer'] == 3
    old = {key: value for key, value in description.items() if key != 'hardware'}
    path.write_text(json.dumps(old))
    (before,) = evaluate.score(job).trackers
    assert (before.seed, before.timing.hardware, before.config) == (None, '', old) and before.values == tracker.values
    evaluate.track(job)
    assert json.loads(path.read_text()) == old  # nothing was left to track


def test_scores_of_ours_and_of_others_count_from_their_own_origin(tmp_path, write_otb):
    (sequence,) = write_otb(tmp_path / 'data', ['a'])
    boxes = sequence.boxes + np.array([3, -2, 4, 1]) * np.arange(5)[:, None] / 4
    for name, origin in (('others', 1), ('counted_from_0', 0)):
        (tmp_path / 'results' / name).mkdir(parents=True)
        np.savetxt(tmp_path / 'results' / name / 'a.txt', boxes + [origin, origin, 0, 0], delimiter=',')
    direct = one_pass.score_sequence(boxes, sequence.boxes)
    made = score('otb', tmp_path / 'data', tmp_path / 'results')
    values = {tracker.name: tracker.values['success'].value for tracker in made.trackers}
    assert values['others'] == pytest.approx(direct.success, abs=1e-6) != values['counted_from_0']
    made = score('otb', tmp_path / 'data', tmp_path / 'results', origin=0)
    values = {tracker.name: tracker.values['success'].value for tracker in made.trackers}
    assert values['counted_from_0'] == pytest.approx(direct.success, abs=1e-6)


def test_real_results_give_the_published_numbers(shared):
    root = shared / 'data' / 'results'
    if not (root / 'OTB2015' / 'KCF').is_dir():
        pytest.skip('no result files in the shared folder')
    made = score('otb', root / 'OTB2015', root / 'OTB2015')
    values = {tracker.name: tracker.values for tracker in made.trackers}
    assert sorted(values) == ['KCF', 'SRDCF']  # the annotations beside them are no tracker
    for name, success, precision in (('KCF', 0.477, 0.695), ('SRDCF', 0.598, 0.788)):
        assert round(values[name]['success'].value, 3) == success
        assert round(values[name]['precision'].value, 3) == precision
    folders = root / 'VOT2018' / 'annotations', root / 'VOT2018' / 'DaSiamRPN'
    made = score('vot', *folders, convention='pysot')
    assert made.benchmark == 'VOT-2018' and made.published
    values = made.trackers[0].values
    assert values['accuracy'].value == pytest.approx(0.586, abs=1e-3)
    assert round(values['robustness'].value, 3) == 0.276 and round(values['eao'].value, 3) == 0.382


def test_splits_of_real_results_have_their_own_sequences_titles_and_lengths(shared):
    root = shared / 'data' / 'results'
    if not (root / 'OTB2015' / 'KCF').is_dir():
        pytest.skip('no result files in the shared folder')
    for split, title, count in (('2013', 'OTB-2013', 51), ('50', 'OTB-50', 50)):
        made = score('otb', root / 'OTB2015', root / 'OTB2015', split=split)
        assert (made.benchmark, len(made.sequences), made.published) == (title, count, ())
        assert [len(tracker.rows) for tracker in made.trackers] == [count] * 2
    # Henriques et al., PAMI 2015, print 51.4 success for KCF on OTB-2013, and 74.0 precision.
    kcf = next(t for t in score('otb', root / 'OTB2015', root / 'OTB2015', split='2013').trackers if t.name == 'KCF')
    assert kcf.values['success'].value == pytest.approx(0.514, abs=5e-3)
    assert kcf.values['precision'].value == pytest.approx(0.740, abs=5e-3)
    folders = root / 'VOT2018' / 'annotations', root / 'VOT2018' / 'DaSiamRPN'
    with pytest.raises(ValueError, match="no sequence 'agility'"):
        score('vot', *folders, split='2019')


def write_vot(root, names, frames=400):
    """Annotations of still targets, and a tracker with one pixel more to the right in each frame."""
    for name in names:
        (root / 'VOT' / name).mkdir(parents=True)
        (root / 'VOT' / name / 'groundtruth.txt').write_text('10,10,600,20\n' * frames)
        folder = root / 'mine' / 'baseline' / name
        folder.mkdir(parents=True)
        rows = ''.join(f'{10 + frame},10,600,20\n' for frame in range(1, frames))
        (folder / f'{name}_001.txt').write_text(f'1\n{rows}')


@pytest.mark.parametrize(
    ('names', 'split', 'title', 'lengths'),
    [
        (['agility', 'ants1'], None, 'VOT-2019, 2 of 60 sequences', (46, 291)),
        (['octopus', 'bag'], None, 'VOT-2016, 2 of 60 sequences', (108, 371)),
        (['bag', 'ants1'], None, 'VOT-2018, 2 of 60 sequences', (100, 356)),
        (['ball', 'cube'], None, "VOT, a folder in vot's layout", (100, 356)),
    ],
)
def test_each_vot_year_has_its_own_lengths(tmp_path, names, split, title, lengths):
    write_vot(tmp_path, names)
    made = score('vot', tmp_path / 'VOT', tmp_path / 'mine', split=split)
    assert made.benchmark == title and made.convention.endswith(f'EAO: lengths {lengths[0]} to {lengths[1]}')
    assert not made.published  # those are over all sixty
    # The overlap t frames after the start is (600 - t) / (600 + t); EAO is a mean over lengths of means over frames.
    overlaps = (600 - np.arange(400)) / (600 + np.arange(400))
    means = [overlaps[1:length].mean() for length in range(lengths[0], lengths[1] + 1)]
    assert made.trackers[0].values['eao'].value == pytest.approx(np.mean(means), abs=1e-6)


def test_another_folder_in_the_layout_of_otb_is_not_headed_otb(tmp_path, write_otb):
    write_otb(tmp_path / 'crowd', ['Basketball', 'seq1'], 3)
    (tmp_path / 'mine').mkdir()
    for name in ('Basketball', 'seq1'):
        (tmp_path / 'mine' / f'{name}.txt').write_text('11,13,16,14\n' * 3)
    made = score('otb', tmp_path / 'crowd', tmp_path / 'mine')
    assert (made.benchmark, made.published, made.published_note) == ("crowd, a folder in otb's layout", (), '')


def test_long_term_scores_of_our_files_and_of_vots(tmp_path):
    """The target is away for half of the frames; one tracker's score says so, the other's does not."""
    truth = np.array([[10 + t, 12, 20, 10] for t in range(20)], float)
    away = np.arange(20) >= 10
    for name in ('ballet', 'yamaha'):
        folder = tmp_path / 'LT' / name
        (folder / 'color').mkdir(parents=True)
        for t in range(20):
            cv2.imwrite(str(folder / 'color' / f'{t + 1:08d}.png'), np.zeros((40, 60, 3), np.uint8))
        lines = [
            'nan,nan,nan,nan' if gone else ','.join(f'{v:g}' for v in row)
            for row, gone in zip(truth, away, strict=True)
        ]
        (folder / 'groundtruth.txt').write_text('\n'.join(lines))
        with results.ResultWriter(tmp_path / 'out' / 'ours' / f'{name}.csv') as writer:
            for row, gone in zip(truth, away, strict=True):
                writer.write(row, 0.2 if gone else 0.9)
        vot = tmp_path / 'out' / 'theirs' / 'longterm' / name
        vot.mkdir(parents=True)
        (vot / f'{name}_001.txt').write_text('1\n' + '\n'.join(','.join(f'{v:g}' for v in row) for row in truth[1:]))
        (vot / f'{name}_001_confidence.value').write_text('\n' + '0.9\n' * 19)
    made = score('votlt', tmp_path / 'LT', tmp_path / 'out')
    assert made.benchmark == 'VOT-LT2018, 2 of 35 sequences' and made.primary == 'f_score'
    found = {tracker.name: {key: value.value for key, value in tracker.values.items()} for tracker in made.trackers}
    assert [tracker.problems for tracker in made.trackers] == [(), ()]
    # Nine of ten frames with a target overlap by 1; the first has 0. Ours is found in ten frames, theirs in nineteen.
    assert found['ours'] == pytest.approx({'f_score': 0.9, 'long_term_precision': 0.9, 'long_term_recall': 0.9})
    precision = 9 / 19  # an empty line of VOT's scores is 0, below the others
    f_score = 2 * precision * 0.9 / (precision + 0.9)
    assert found['theirs'] == pytest.approx(
        {'f_score': f_score, 'long_term_precision': precision, 'long_term_recall': 0.9}, abs=1e-6
    )
    assert {row.sequence: row.values['f_score'] for row in made.trackers[0].rows} == {'ballet': 0.9, 'yamaha': 0.9}
    assert score('votlt', tmp_path / 'LT', tmp_path / 'out' / 'ours', convention='otb').primary == 'success'
    (vot / 'yamaha_001_confidence.value').write_text('1\nlow\n')
    with pytest.raises(ValueError, match=r'yamaha_001_confidence\.value:2: expected a number'):
        score('votlt', tmp_path / 'LT', tmp_path / 'out')


def test_a_missing_network_is_named(tmp_path, write_otb):
    write_otb(tmp_path / 'data', ['a'], 2)
    job = Job('otb', str(tmp_path / 'data'), str(tmp_path / 'out'), tracker=TrackerSettings(checkpoint='nowhere'))
    with pytest.raises(ValueError, match='nowhere'):
        evaluate.track(job)


def test_what_cannot_be_scored_is_named(tmp_path, write_otb):
    write_otb(tmp_path / 'data', ['a'], 2)
    root = str(tmp_path / 'data')
    with pytest.raises(ValueError, match='expected a folder .*nowhere'):
        score('otb', root, tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='no results in .*one folder per tracker'):
        score('otb', root, tmp_path / 'empty')
    (tmp_path / 'empty' / 'other.txt').write_text('1,2,3,4\n')
    with pytest.raises(ValueError, match='no sequence of otb has results'):
        score('otb', root, tmp_path / 'empty')
    (tmp_path / 'empty' / 'a.txt').write_text('11,13,16,14\n13,13,16,14\n')
    with pytest.raises(ValueError, match="no sequence 'b' in"):
        score('otb', root, tmp_path / 'empty', sequences=('b',))
    with pytest.raises(ValueError, match='convention'):
        score('otb', root, tmp_path / 'empty', convention='skip')
    made = score('otb', root, tmp_path / 'empty')
    assert made.trackers[0].problem_counts == {'extra': 1}
    assert made.trackers[0].name == 'empty'


def test_a_submission_holds_what_was_tracked(tmp_path, floor, monkeypatch):
    known = registry.get('got10k')
    few = dataclasses.replace(known, splits={'test': dataclasses.replace(known.split('test'), count=2)})
    for name in ('a', 'b'):
        (tmp_path / 'data' / 'test' / name).mkdir(parents=True)
        for frame in range(1, 5):
            picture = np.full((48, 64, 3), 60, np.uint8)
            picture[12:26, 10:26] = 200
            cv2.imwrite(str(tmp_path / 'data' / 'test' / name / f'{frame:08d}.png'), picture)
        (tmp_path / 'data' / 'test' / name / 'groundtruth.txt').write_text('11,13,16,14\n')
    path = tmp_path / 'zip' / 'all.zip'
    job = Job('got10k', str(tmp_path / 'data'), str(tmp_path / 'out'), tracker=floor, submission=str(path))
    found = evaluate.track(job)
    with pytest.raises(ValueError, match='GOT-10k: got 2 sequences to submit, its server wants 180'):
        evaluate.submit(job, found)
    monkeypatch.setitem(registry.every(), 'got10k', few)
    evaluate.submit(job, found)
    with zipfile.ZipFile(path) as archive:
        rows = np.loadtxt(archive.read('b/b_001.txt').decode().splitlines(), delimiter=',')
    np.testing.assert_allclose(rows[0], [11, 13, 16, 14], atol=1e-3)
    with pytest.raises(ValueError, match="first box of each sequence and no other; got10k's server has the others"):
        evaluate.score(dataclasses.replace(job, submission=None))

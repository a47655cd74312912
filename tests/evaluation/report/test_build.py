"""Reports against the metrics' own functions and the published numbers of real result files."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest

from sctrpn_jax.data.benchmarks import registry
from sctrpn_jax.evaluation.report import build, data, environments, metric_sets, page, tables
from sctrpn_jax.evaluation.results import result_files
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.score import attributes, vot_scores
from sctrpn_jax.metrics import conventions, got10k, one_pass, trackingnet
from sctrpn_jax.metrics.vot import supervised

OTB, DAVIS = registry.get('otb').split('2015'), registry.get('davis').split('val')
TRACKINGNET, VOT = registry.get('trackingnet').split('test'), registry.get('vot').split('2018')


def test_one_pass_is_the_mean_its_interval_and_its_rows(make_scores):
    scores = make_scores(9, 3.0, 0)
    tracker = build.one_pass_tracker('mine', scores)
    for key in ('success', 'precision', 'normalized_precision'):
        column = np.array([getattr(each, key) for each in scores.values()])
        value = tracker.values[key]
        assert value.value == pytest.approx(column.mean(), abs=1e-6)
        assert (value.low, value.high) == pytest.approx(one_pass.bootstrap_interval(column), abs=1e-6)
        assert value.low < value.value < value.high
        assert [row.values[key] for row in tracker.rows] == pytest.approx(column.tolist(), abs=1e-6)
    assert [row.sequence for row in tracker.rows] == list(scores)
    assert [row.frames for row in tracker.rows] == [40] * 9
    success = np.mean([each.success_curve for each in scores.values()], axis=0)
    assert tracker.curves['success'] == pytest.approx(success.tolist(), abs=1e-6)
    assert {key: len(curve) for key, curve in tracker.curves.items()} == {
        'success': 21,
        'precision': 51,
        'normalized_precision': 51,
    }


def test_sequences_without_a_counted_frame_have_a_row_and_no_weight(make_scores):
    scores = make_scores(4, 3.0, 0)
    nothing = one_pass.score_sequence(np.ones((5, 4)), np.full((5, 4), np.nan))
    tracker = build.one_pass_tracker('mine', {**scores, 'empty': nothing})
    assert tracker.values == build.one_pass_tracker('mine', scores).values
    assert tracker.rows[-1] == data.Row('empty', 0, dict.fromkeys(tracker.values))


def test_lasot_leaves_curves_of_zeros_out_of_mean_and_interval(make_scores):
    scores = make_scores(4, 3.0, 0)
    boxes = np.tile([50.0, 50.0, 10.0, 10.0], (5, 1))
    lost = one_pass.score_sequence(boxes + [900, 900, 0, 0], boxes, np.ones(5, bool), 'lasot')
    assert not lost.success_curve.any()
    tracker = build.one_pass_tracker('mine', {**scores, 'lost': lost}, convention='lasot')
    assert tracker.values == build.one_pass_tracker('mine', scores, convention='lasot').values
    assert tracker.rows[-1].values['success'] == 0


def test_one_sequence_has_no_interval(make_scores):
    value = build.one_pass_tracker('mine', make_scores(1, 3.0, 0)).values['success']
    assert value.value is not None and value.low is None and value.high is None


def test_attributes_are_those_of_the_evaluation(make_scores):
    scores = make_scores(6, 3.0, 0)
    flags = {name: ['Occlusion', 'Deformation'][: 1 + i % 2] for i, name in enumerate(scores)}
    tracker = build.one_pass_tracker('mine', scores, attributes.scores_by_attribute(scores, flags))
    assert list(tracker.attributes) == ['Deformation', 'Occlusion']
    assert tracker.attributes['Occlusion'].count == 6
    some = np.mean([each.success for i, each in enumerate(scores.values()) if i % 2])
    assert tracker.attributes['Deformation'].values['success'] == pytest.approx(some, abs=1e-6)
    curves = tracker.attributes['Deformation'].curves
    assert set(curves) == {'success', 'precision'}
    for key, curve in curves.items():
        every = [getattr(each, f'{key}_curve') for i, each in enumerate(scores.values()) if i % 2]
        assert curve == pytest.approx(np.mean(every, axis=0).tolist(), abs=1e-6)


def test_trackingnet_is_the_devkit(make_scores):
    rng = np.random.default_rng(0)
    truth = rng.uniform(20, 60, (3, 30, 4))
    predicted = truth + rng.normal(0, 3, truth.shape)
    scores = {str(i): trackingnet.score_sequence(p, t) for i, (p, t) in enumerate(zip(predicted, truth, strict=True))}
    tracker = build.trackingnet_tracker('mine', scores)
    mean = trackingnet.mean_scores(scores.values())
    assert tracker.values['precision'].value == pytest.approx(mean.precision, abs=1e-6)
    report = build.report(TRACKINGNET, trackingnet.ABOUT, [tracker], list(scores), metric_sets.TRACKINGNET)
    assert len(report.curves[1].x) == len(tracker.curves['precision']) == 21
    assert report.published_note.startswith('Published results are over all 511 sequences of TrackingNet')


def test_got10k_pools_frames():
    rng = np.random.default_rng(0)
    overlaps = {'a': rng.uniform(0, 1, 30), 'b': rng.uniform(0.4, 1, 300), 'c': np.zeros(0), 'd': rng.uniform(0, 1, 60)}
    tracker = build.got10k_tracker('mine', overlaps)
    pooled = np.concatenate(list(overlaps.values()))
    assert tracker.values['ao'].value == pytest.approx(pooled.mean(), abs=1e-6)
    assert tracker.values['sr50'].value == pytest.approx((pooled > 0.5).mean(), abs=1e-6)
    assert tracker.values['sr75'].value == pytest.approx((pooled > 0.75).mean(), abs=1e-6)
    assert tracker.values['ao'].low < tracker.values['ao'].value < tracker.values['ao'].high
    assert tracker.rows[1].values['sr75'] == pytest.approx((overlaps['b'] > 0.75).mean(), abs=1e-6)
    assert tracker.rows[2] == data.Row('c', 0, {'ao': None, 'sr50': None, 'sr75': None})
    assert len(tracker.curves['success']) == len(got10k.OVERLAP_THRESHOLDS)


def made_up_vot(missing=(), problems=()):
    def group(accuracy, failures, frames, sequences=1, eao=float('nan')):
        rate = failures / frames * 100
        return vot_scores.Group(accuracy, supervised.Robustness(failures, rate, failures / sequences, 0.9, frames), eao)

    sequences = {'a': group(0.6, 0, 100), 'b': group(0.5, 3, 300), 'c': group(float('nan'), 1, 40)}
    tags = {'occlusion': group(0.4, 2, 80, 3, 0.2), 'empty': group(0.6, 2, 360, 3, 0.4)}
    curve = np.array([1.0, 0.8, np.nan])
    overall = group(0.55, 4, 440, 3, 0.31)
    return vot_scores.Scores(
        'in words', overall, tags, sequences, dict.fromkeys(sequences, 1), curve, (1, 2), 0.43, missing, problems
    )


def test_vot_has_both_robustnesses_tags_and_what_is_missing():
    scores = made_up_vot(('d', 'e'), ('d: no such folder', 'e: no such folder', 'a/a_001.txt:3: words'))
    tracker = build.vot_tracker('mine', scores, {'eao': (0.28, 0.35), 'ao': None}, source='files')
    assert tracker.values['eao'] == data.Value(0.31, 0.28, 0.35)
    assert tracker.values['ao'] == data.Value(0.43)
    assert tracker.values['accuracy'] == data.Value(0.55)
    assert tracker.values['robustness'].value == pytest.approx(400 / 440, abs=1e-6)
    assert tracker.values['failures'].value == pytest.approx(4 / 3, abs=1e-6)
    assert tracker.rows[2] == data.Row('c', 40, {'accuracy': None, 'failures': 1.0})
    assert list(tracker.attributes) == ['empty', 'occlusion'] and tracker.attributes['occlusion'].count == 80
    assert tracker.problems == ('no results, so not scored: d, e', *scores.problems)
    assert tracker.problem_counts == {'missing': 2, 'other': 1} and tracker.problem_total == 3
    assert build.vot_tracker('mine', made_up_vot()).problem_total == 0
    report = build.report(VOT, scores.convention, [tracker], 'abcde', metric_sets.vot(5, (1, 2)))
    assert report.trackers[0].curves['eao'] == (1.0, 0.8, None, None, None)
    assert data.from_json(data.to_json(report)) == report


def test_tre_and_sre_stand_beside_one_pass(make_scores):
    scores, temporal, spatial = (make_scores(count, noise, 0) for count, noise in ((3, 2.0), (2, 3.0), (3, 4.0)))
    tracker = build.one_pass_tracker('mine', scores, perturbed={'tre': temporal, 'sre': spatial}, seed=4)
    for protocol, found in (('tre', temporal), ('sre', spatial)):
        alone, mean = build.one_pass_tracker('x', found), one_pass.mean_scores(found.values())
        for key in ('success', 'precision'):
            assert tracker.values[f'{protocol}_{key}'] == alone.values[key]
            assert tracker.values[f'{protocol}_{key}'].value == pytest.approx(getattr(mean, key), abs=1e-6)
            assert tracker.curves[f'{protocol}_{key}'] == alone.curves[key]
    plain = build.one_pass_tracker('mine', scores)
    assert tracker.seed == 4 and plain.values.items() <= tracker.values.items()
    assert [row.frames for row in tracker.rows] == [row.frames for row in plain.rows]
    assert tracker.rows[1].values['tre_success'] == pytest.approx(temporal['sequence 1'].success, abs=1e-6)
    assert 'tre_success' not in tracker.rows[2].values  # it was not tracked so; tables leave it empty
    trackers = [tracker, dataclasses.replace(plain, name='other')]
    report = build.report(OTB, '', trackers, list(scores), metric_sets.one_pass_set(protocols=('tre', 'sre')))
    assert report.trackers[1].curves['sre_success'] == (None,) * 21
    assert data.from_json(data.to_json(report)) == report
    assert 'Success, TRE' in page.page(report) and 'tre_success_low' in tables.trackers_csv(report)
    rows = list(csv.DictReader(io.StringIO(tables.sequences_csv(report))))
    assert [bool(row['tre_success']) for row in rows] == [True, True, False, False, False, False]


def test_speed_leaves_the_first_frame_out():
    seconds = {'a': np.array([9.0, 0.1, 0.3]), 'b': np.array([0.0, 0.1]), 'c': np.array([0.0]), 'd': np.full(4, np.nan)}
    timing = environments.timing({name: seconds[name] for name in 'abc'}, 'a machine')
    assert timing == data.Timing(6.0, 'a machine', {'a': 5.0, 'b': 10.0, 'c': None})
    assert environments.timing({'d': seconds['d']}).fps is None
    assert environments.timing({}) == data.Timing()


def test_the_environment_names_what_numbers_depend_on():
    found = environments.describe_environment()
    assert {'python', 'sctrpn_jax', 'jax', 'numpy', 'opencv'} <= found.versions.keys()
    assert found.versions['numpy'] == np.__version__
    assert 'cores' in found.hardware


def test_settings_come_back_as_they_were(make_report):
    report = make_report(config={'layers': (3, 4)})
    assert report.trackers[0].config == {'layers': [3, 4]}
    json.dumps(report.trackers[0].config)


def test_names_are_unique_and_curves_fit(make_scores):
    tracker = build.one_pass_tracker('mine', make_scores(2, 3.0, 0))
    with pytest.raises(ValueError, match="'mine' names more than one tracker"):
        build.report(OTB, '', [tracker, tracker], ['a'], metric_sets.ONE_PASS)
    with pytest.raises(ValueError, match="curve precision of 'mine': got 51 values, accepts 21"):
        build.report(TRACKINGNET, '', [tracker], ['a'], metric_sets.TRACKINGNET)


def test_published_results_stand_beside_and_say_when_they_do_not_compare(make_report):
    report = make_report()
    assert {printed.tracker for printed in report.published} >= {'KCF', 'SRDCF', 'SiamRPN'}
    assert report.published_note == (
        'Published results are over all 100 sequences of OTB-2015; these are over 12, so the two do not compare.'
    )
    names = [str(i) for i in range(100)]
    assert build.report(OTB, '', [], names, metric_sets.ONE_PASS).published_note == ''
    assert build.report(DAVIS, '', [], ['a'], metric_sets.ONE_PASS).published_note == ''


@pytest.mark.parametrize(('name', 'success', 'precision'), [('KCF', 0.4771, 0.6949), ('SRDCF', 0.5976, 0.7876)])
def test_raw_results_of_published_trackers_give_their_numbers(shared, name, success, precision):
    folder = shared / 'data' / 'results' / 'OTB2015'
    if not folder.is_dir():
        pytest.skip(f'no results at {folder}')
    truth, split = truth_lib.read_truth('otb', folder)
    found = result_files.read_results(folder / name, {key: len(each.boxes) for key, each in truth.items()}, 1)
    scores = {key: one_pass.score_sequence(found.boxes[key], each.boxes) for key, each in truth.items()}
    by_attribute = attributes.scores_by_attribute(
        scores, attributes.read_attributes(registry.get('otb'), folder / 'attributes.json')
    )
    tracker = build.one_pass_tracker(name, scores, by_attribute, problems=found.problems)
    assert tracker.values['success'].value == pytest.approx(success, abs=1e-4)
    assert tracker.values['precision'].value == pytest.approx(precision, abs=1e-4)
    about = conventions.CONVENTIONS['otb'].about
    report = build.report(split, about, [tracker], list(truth), metric_sets.ONE_PASS)
    printed = next(each for each in report.published if each.tracker == name)
    assert printed.values['success'] == pytest.approx(success, abs=1e-3)
    assert printed.values['precision'] == pytest.approx(precision, abs=2.5e-3)
    assert len(tracker.rows) == 100 and len(tracker.attributes) == 11

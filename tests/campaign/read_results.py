"""Readers of results: result files of any tracker, VOT trees, reports, metrics, attributes, what a run left behind."""

import json
import pathlib

import numpy as np
from read_data import load
from worker import Reader

BOXES = '1,1,5,5\n2,2,5,5\n3,3,5,5\n'
TREE = ['1', '9.5,20,40,10', '10,20,49,20,49,29,10,29', '2', '0', '0', '0', '0', '1', '9,9,9,9']
TRUTH = '10,20,49,20,49,29,10,29\n' * len(TREE)


def write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def named(folder: pathlib.Path, lines) -> None:
    unnamed = [line for line in lines if str(folder) not in line]
    assert not unnamed, f'names no file: {unnamed[0]!r:.200}'


def build_files(folder: pathlib.Path) -> None:
    for name, separator in zip('abc', ',\t;', strict=True):
        write(folder / f'{name}.txt', BOXES.replace(',', separator))
    write(folder / 'd.csv', 'frame,x,y,w,h,score\n0,1,1,5,5,1\n1,2,2,5,5,0.5\n2,3,3,5,5,0.25\n')
    write(folder / 'e' / 'e_001.txt', BOXES)


def read_files(folder: pathlib.Path):
    from sctrpn_jax.evaluation.results import result_files
    from sctrpn_jax.metrics import one_pass

    found = result_files.read_results(folder, dict.fromkeys('abcde', 3))
    named(folder, found.problems)
    truth = np.array([[1, 1, 5, 5], [2, 2, 5, 5], [3, 3, 5, 5.0]])
    return found, {name: one_pass.score_sequence(boxes, truth) for name, boxes in found.boxes.items()}


def check_files(found, sound) -> None:
    results, scores = found
    assert {*results.boxes, *results.missing} == set('abcde')
    for name, boxes in results.boxes.items():
        assert boxes.shape == (3, 4)
        whole = np.isfinite(boxes).all(axis=1)
        assert (whole | np.isnan(boxes).all(axis=1) | np.isinf(boxes).all(axis=1)).all(), boxes
        assert (np.abs(boxes[whole]) <= 1e6).all()
        assert 0 <= scores[name].success <= 1 and 0 <= scores[name].precision <= 1


def build_truth(folder: pathlib.Path) -> None:
    for name in 'ab':
        write(folder / 'annotations' / f'{name}.txt', BOXES)


def read_truth(folder: pathlib.Path):
    from sctrpn_jax.evaluation.results import truth

    return truth.read_truth('otb', folder)[0]


def check_truth(found, sound) -> None:
    for each in found.values():
        assert each.boxes.ndim == 2 and each.boxes.shape[1] == 4
        there = np.isfinite(each.boxes)
        assert (np.abs(each.boxes[there]) <= 1e6 + 1).all()


def build_vot(folder: pathlib.Path) -> None:
    for name in 'ab':
        write(folder / 'set' / name / 'groundtruth.txt', TRUTH)
        write(folder / 'set' / name / 'occlusion.tag', '0\n1\n')
        for number in (1, 2):
            write(folder / 'tracker' / 'baseline' / name / f'{name}_{number:03d}.txt', '\n'.join(TREE) + '\n')
    write(folder / 'set' / 'list.txt', 'a\nb\n')


def read_vot(folder: pathlib.Path):
    from sctrpn_jax.evaluation.results import vot_files
    from sctrpn_jax.evaluation.score import vot_scores

    annotations = vot_files.read_annotations(folder / 'set')
    results = vot_files.read_results(folder / 'tracker', annotations, allow_missing=True)
    named(folder, [line for line in results.problems if 'repetitions' not in line])
    if not results.trajectories:
        raise ValueError(f'{folder}: no result')
    measured = [
        vot_scores.measure(annotations, results, None, convention, False) for convention in ('vot2018', 'vot-python')
    ]
    return [vot_scores.score(each, (2, 6)) for each in measured]


def check_vot(found, sound) -> None:
    for scores in found:
        for value in (scores.overall.accuracy, scores.overall.expected_overlap):
            assert np.isnan(value) or 0 <= value <= 1, value


def build_ours(folder: pathlib.Path) -> None:
    from sctrpn_jax.evaluation.results import run_description
    from sctrpn_jax.evaluation.run import runner

    boxes = np.tile([10.0, 10, 20, 20], (5, 1)) + np.arange(5)[:, None]
    runner.write_result(folder / 'a.csv', runner.Result(boxes, np.linspace(1, 0, 5), np.full(5, 0.01)))
    run_description.begin(folder, {'tracker': 'sctrpn', 'seed': 3, 'config': {'track': {'window': 0.4}}})


def read_ours(folder: pathlib.Path):
    from sctrpn_jax.data.benchmarks import registry
    from sctrpn_jax.evaluation.report import data, from_results
    from sctrpn_jax.evaluation.results import truth
    from sctrpn_jax.evaluation.run import runner

    result = runner.read_result(folder / 'a.csv', 5)
    known = registry.get('otb')
    boxes = {'a': truth.Truth(np.tile([10.0, 10, 20, 20], (5, 1)))}
    report = from_results.one_pass_report(known, known.split('2015'), boxes, {'ours': folder}, 'otb')
    return result, data.from_json(data.to_json(report))


def check_ours(found, sound) -> None:
    result, report = found
    assert np.isfinite(result.boxes).all() and np.isfinite(result.scores).all()
    assert result.boxes.shape == (5, 4) and result.seconds.shape == (5,)
    assert (result.seconds >= 0).all() or np.isnan(result.seconds).all(), result.seconds
    assert report.trackers[0].name == 'ours'


def build_starts(folder: pathlib.Path) -> None:
    from sctrpn_jax.evaluation.run import runner

    place = folder / 'sre' / 'a'
    boxes = {name: [10.0, 10, 20, 20] for name in ('left', 'right')}
    write(place / 'starts.json', json.dumps(boxes))
    for name in boxes:
        result = runner.Result(np.tile([10.0, 10, 20, 20], (3, 1)), np.ones(3), np.full(3, 0.1))
        runner.write_result(place / f'{name}.csv', result)


def read_starts(folder: pathlib.Path):
    from sctrpn_jax.evaluation.run import perturbed_runs

    found = perturbed_runs.read(folder, 'sre', {'a': 3})
    named(folder, found.problems)
    return found


def check_starts(found, sound) -> None:
    for runs in found.boxes.values():
        assert all(np.isfinite(boxes).all() and boxes.shape == (3, 4) for boxes in runs.values())


def build_report(folder: pathlib.Path) -> None:
    from sctrpn_jax.evaluation.report import data, output

    made = load('evaluation/report/conftest.py').made_up_report(sequences=3)
    output.write_report(made, folder)
    for path in folder.iterdir():
        if path.name not in ('report.json', 'sequences.csv'):
            path.unlink()
    assert data.FORMAT == 2


def read_report(folder: pathlib.Path):
    from sctrpn_jax.evaluation.report import output, page, pooled

    made = output.read_report(folder / 'report.json')
    page.page(made)
    return made, pooled.to_markdown(pooled.read([folder]))


def check_report(found, sound) -> None:
    assert found[0].trackers is not None and 'nan' not in found[1], found[1]


def build_metrics(folder: pathlib.Path) -> None:
    lines = [
        {'step': step, 'loss': 1.0 / step, 'rate': 0.1}
        | {f'stage1/{name}': 0.5 for name in ('classification', 'regression', 'peak_distance')}
        | ({'validation/success_auc': 0.4, 'validation/precision': 0.5} if step % 2 else {})
        for step in range(1, 6)
    ]
    write(folder / 'metrics.jsonl', ''.join(json.dumps(line) + '\n' for line in lines))


def read_metrics(folder: pathlib.Path):
    from sctrpn_jax.studies import ablation_run
    from sctrpn_jax.training import metric_log

    lines = metric_log.read_metrics(folder / 'metrics.jsonl')
    ablation_run.courses(folder)
    writer = metric_log.MetricWriter(folder, 3)
    writer.write(4, {'loss': 1.0})
    writer.close()
    return lines, metric_log.read_metrics(folder / 'metrics.jsonl')


def check_metrics(found, sound) -> None:
    lines, later = found
    assert all(isinstance(line, dict) and type(line['step']) is int for line in lines)
    assert later[-1] == {'step': 4, 'loss': 1.0} and all(line['step'] <= 3 for line in later[:-1])


def build_attributes(folder: pathlib.Path) -> None:
    write(folder / 'a.json', json.dumps({'Dog': ['Occlusion', 'Out-of-View'], 'Deer': []}))
    write(folder / 'attr_list.txt', 'Dog\tOCC, OV\nDeer\t\n')
    write(folder / 'OTB' / 'Dog' / 'attrs.txt', 'OCC, OV')
    write(folder / 'uav' / 'att' / 'car1_1.txt', '1,0,0,0,0,0,0,0,0,0,0,1')
    write(folder / 'omitted.txt', '3 4\n7 9\n')


def read_attributes(folder: pathlib.Path):
    from sctrpn_jax.data.benchmarks import registry
    from sctrpn_jax.evaluation.run import perturbed_starts
    from sctrpn_jax.evaluation.score import attributes

    found = [
        attributes.read_attributes(registry.get('otb'), folder / name) for name in ('a.json', 'attr_list.txt', 'OTB')
    ]
    found.append(attributes.read_attributes(registry.get('uav123'), folder / 'uav'))
    return found, perturbed_starts.read_omitted(folder / 'omitted.txt', 1, 20)


def check_attributes(found, sound) -> None:
    assert all(isinstance(name, str) for each in found[0] for names in each.values() for name in names)
    assert found[1].shape == (20,) and found[1].dtype == bool


def build_targets(folder: pathlib.Path) -> None:
    from sctrpn_jax.tracking import results

    write(folder / 'targets.csv', 'frame,x,y,w,h,target\n0,1,2,30,40,a\n7,5,6,70,80,"b, left"\n')
    with results.ResultWriter(folder / 'boxes.csv', results.OPTIONAL) as writer:
        for frame in range(3):
            for target in 'ab':
                writer.write([frame, 2, 3, 4], 0.5, frame, time=frame / 25, target=target)


def read_targets(folder: pathlib.Path):
    from sctrpn_jax.tracking import results, starts

    return starts.read_starts(folder / 'targets.csv'), results.read_targets(folder / 'boxes.csv')


def check_targets(found, sound) -> None:
    given, tracked = found
    assert given and len({each.name for each in given}) == len(given)
    for each in given:
        assert each.frame >= 0 and len(each.box) == 4 and np.abs(each.box).max() <= 1e6
    for each in tracked.values():
        assert (np.diff(each.frames) > 0).all() and each.boxes.shape == (len(each.frames), 4)
        assert np.isfinite(each.boxes).all() and np.isfinite(each.scores).all()


READERS = {
    'targets': Reader(build_targets, read_targets, check_targets),
    'result files': Reader(build_files, read_files, check_files),
    'annotations': Reader(build_truth, read_truth, check_truth),
    'vot tree': Reader(build_vot, read_vot, check_vot),
    'our results': Reader(build_ours, read_ours, check_ours),
    'perturbed runs': Reader(build_starts, read_starts, check_starts),
    'report': Reader(build_report, read_report, check_report),
    'metrics': Reader(build_metrics, read_metrics, check_metrics),
    'attributes': Reader(build_attributes, read_attributes, check_attributes),
}

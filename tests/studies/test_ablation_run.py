"""Ablations as runs, with stand-ins that train and track: finished work is kept, an interruption goes on."""

import json
import pathlib
import types

import cv2
import numpy as np
import pytest

from sctrpn_jax import config_files
from sctrpn_jax.data import sequences
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import ablation, ablation_run
from sctrpn_jax.training import loop, optimiser
from sctrpn_jax.weights import loading, network_file

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TINY = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'
Variant = ablation.Variant


def tiny():
    config = config_files.load(str(TINY))
    config.model.cascade.layers = (5,)
    return config


def make(**changes):
    variants = {
        'plain': Variant(),
        'focal': Variant({'loss.classification': 'focal'}),
        'off': Variant({'track.rerank': False}, weights_of='plain'),
        'focal_off': Variant({'track.rerank': False}, weights_of='focal'),
    }
    settings = {'name': 'small', 'title': 'Small', 'variants': variants, 'reference': 'plain', 'pairs': 12}
    return ablation.Ablation(**settings | {'seeds': (0, 1)} | changes)


def make_clips(folder, names, count=4, side=20.0):
    """Sequences whose frames are files and whose target steps to the right."""
    found = []
    boxes = np.array([[10 + 4 * t, 12, side, side] for t in range(count)])
    for name in names:
        (folder / name).mkdir(parents=True)
        paths = [str(folder / name / f'{t}.png') for t in range(count)]
        for path in paths:
            cv2.imwrite(path, np.full((64, 96, 3), 90, np.uint8))
        found.append(sequences.Sequence(name, tuple(paths), boxes.copy()))
    return found


class Trainer:
    """Writes what a training leaves, without training; counts its calls and can break off."""

    def __init__(self, breaks=()):
        self.calls, self.breaks = [], dict(breaks)

    def __call__(self, config, folder):
        self.calls.append(('/'.join(folder.parts[-2:]), config.seed, config.loss.classification))
        if error := self.breaks.pop(len(self.calls), None):
            raise error
        saved = folder / 'checkpoints' / str(optimiser.total_steps(config.train)) / 'config'
        saved.mkdir(parents=True)
        (saved / 'metadata').write_bytes(network_file.pack_config(config))


class Trackers:
    """Trackers that miss by as many pixels as variant and seed say; counts the sequences they start."""

    def __init__(self, clips):
        self.truth, self.started, self.breaks_at = clips[0].boxes, 0, None

    def __call__(self, source, config):
        shift = 2.0 * config.seed + (0 if config.track.rerank else 6) + (config.loss.classification == 'focal')

        def init(frame, box):
            self.index, self.started = 0, self.started + 1
            if self.started == self.breaks_at:
                raise KeyboardInterrupt

        def update(frame):
            self.index += 1
            return types.SimpleNamespace(box=self.truth[self.index] + [shift, 0, 0, 0], score=0.5)

        return types.SimpleNamespace(init=init, update=update)


@pytest.fixture
def clips(tmp_path):
    return make_clips(tmp_path / 'clips', ['a', 'b'])


def test_trainings_are_shared_and_what_is_finished_is_kept(tmp_path, clips):
    train, trackers = Trainer(), Trackers(clips)
    work = tmp_path / 'work'

    def run(**settings):
        job = ablation_run.Job(make(), tiny(), 'davis', clips, work, **settings)
        return ablation_run.run(job, train, trackers)

    report = run()
    assert train.calls == [
        ('plain/seed0', 0, 'shrinkage'),
        ('focal/seed0', 0, 'focal'),
        ('plain/seed1', 1, 'shrinkage'),
        ('focal/seed1', 1, 'focal'),
    ]
    assert trackers.started == 8 * 3  # two sequences, the first begun twice
    shifts = {'plain': (0, 2), 'focal': (1, 3), 'off': (6, 8), 'focal_off': (7, 9)}
    for name, row in report['variants'].items():
        expected = []
        for shift in shifts[name]:
            moved = clips[0].boxes + np.array([shift, 0, 0, 0]) * (np.arange(4) > 0)[:, None]
            expected.append(one_pass.success_auc(moved, clips[0].boxes))
        assert list(row['scores']['success']['seed_means'].values()) == pytest.approx(expected), name
        assert row['pairs'] == {'seed0': 12, 'seed1': 12}
    difference = report['variants']['off']['difference']['success']
    assert difference['seeds'] == 2 and difference['interval'][1] < 0
    assert json.loads((work / 'small.json').read_text()) == report
    assert (work / 'small.md').is_file() and (work / 'small.csv').is_file() and not list(work.glob('*.partial'))

    assert run() == report and len(train.calls) == 4 and trackers.started == 24
    (work / 'off' / 'seed1' / 'results' / 'b.csv').unlink()
    assert run() == report and len(train.calls) == 4 and trackers.started == 26
    part = run(variants=['focal', 'plain'], seeds=[1])
    assert list(part['variants']) == ['plain', 'focal'] and len(train.calls) == 4
    assert part['variants']['focal']['scores']['success']['seed_means'] == {
        'seed1': report['variants']['focal']['scores']['success']['seed_means']['seed1']
    }


def test_an_interruption_goes_on_where_it_stopped(tmp_path, clips):
    train, trackers = Trainer({2: KeyboardInterrupt()}), Trackers(clips)

    def run():
        job = ablation_run.Job(make(seeds=(0,)), tiny(), 'davis', clips, tmp_path / 'work')
        return ablation_run.run(job, train, trackers)

    with pytest.raises(KeyboardInterrupt):
        run()
    early = json.loads((tmp_path / 'work' / 'small.json').read_text())
    assert early['variants']['plain']['scores'] and not early['variants']['focal']['scores']
    trackers.breaks_at = trackers.started + 3  # at the second sequence of the next variant
    with pytest.raises(KeyboardInterrupt):
        run()
    before = trackers.started
    report = run()
    assert [call[0] for call in train.calls] == ['plain/seed0', 'focal/seed0', 'focal/seed0']
    assert trackers.started == before + 2 + 3 + 3  # one sequence of focal, then off and focal_off
    assert all(row['scores'] for row in report['variants'].values())


def test_a_training_that_diverges_is_noted_and_the_rest_goes_on(tmp_path, clips):
    train, trackers = Trainer({2: loop.TrainingDivergedError('step 3: not finite')}), Trackers(clips)
    job = ablation_run.Job(make(seeds=(0,)), tiny(), 'davis', clips, tmp_path / 'work')
    report = ablation_run.run(job, train, trackers)
    assert [call[0] for call in train.calls] == ['plain/seed0', 'focal/seed0']
    for name in ('focal', 'focal_off'):
        assert report['variants'][name]['diverged'] == {'seed0': 'step 3: not finite'}
    assert report['variants']['off']['difference']['success']['mean'] < 0
    assert 'focal_off, seed0: diverged' in (tmp_path / 'work' / 'small.md').read_text()


def test_runs_of_another_config_are_refused(tmp_path, clips):
    def run(base, **settings):
        job = ablation_run.Job(make(), base, 'davis', clips, tmp_path / 'work', **settings)
        ablation_run.run(job, Trainer(), Trackers(clips))

    run(tiny(), seeds=[0])
    other = tiny()
    other.loss.positive_iou = 0.6
    with pytest.raises(ValueError, match=r'seed0: config\.loss\.positive_iou is 0\.7 in the checkpoint'):
        run(other)
    other = tiny()
    other.track.window = 0.5  # the trainings stand, their boxes do not
    with pytest.raises(ValueError, match='another folder'):
        run(other)
    with pytest.raises(ValueError, match=r'pairs_per_epoch is 4 in the checkpoint and 2 now'):
        run(tiny(), pairs=6)
    with pytest.raises(ValueError, match="no variant 'of'"):
        run(tiny(), variants=['of'])
    with pytest.raises(ValueError, match='a checkpoint is one training, and plain, focal have several'):
        run(tiny(), variants=['plain', 'focal'], checkpoint='sctrpn_lite')


def test_a_checkpoint_takes_the_place_of_training(tmp_path, clips):
    train, trackers, seen = Trainer(), Trackers(clips), []

    def open_tracker(source, config):
        seen.append((source, config.track.rerank, config.model.channels))
        return trackers(source, config)

    job = ablation_run.Job(
        make(), tiny(), 'davis', clips, tmp_path / 'work', variants=['plain', 'off'], checkpoint='sctrpn_lite'
    )
    report = ablation_run.run(job, train, open_tracker)
    assert train.calls == [] and seen == [('sctrpn_lite', True, 128), ('sctrpn_lite', False, 128)]
    assert report['variants']['off']['pairs'] == {'checkpoint': None} and report['checkpoint'] == 'sctrpn_lite'
    assert (tmp_path / 'work' / 'off' / 'checkpoint' / 'results' / 'b.csv').is_file()


def test_weights_of_another_network_are_refused():
    _, config = loading.load_network('sctrpn_lite')
    ablation_run.load_tracker('sctrpn_lite', ablation.changed(config, {'model.fem.stn_on': 'search'}))
    with pytest.raises(ValueError, match='sctrpn_lite: its weights are of another network .*needs its own training'):
        ablation_run.load_tracker('sctrpn_lite', ablation.changed(config, {'model.cascade.layers': (5,)}))


def test_courses_by_quarter_of_the_training(tmp_path):
    lines = [
        {'step': s, 'loss': 1.0, 'stage1/peak_distance': 20.0 - s, 'stage2/peak_distance': s} for s in range(2, 13, 2)
    ]
    lines.append({'step': 12, 'validation/success_auc': 0.5})
    lines[0]['stage1/iou'] = 0.5
    (tmp_path / 'metrics.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))
    made = ablation_run.courses(tmp_path)
    found = made['peak_distance']
    np.testing.assert_allclose(made['iou']['stage1'], [0.5, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(found['stage1'], [18, 15, 12, 9])  # steps 2; 4, 6; 8; 10, 12
    np.testing.assert_allclose(found['stage2'], [2, 5, 8, 11])
    assert ablation_run.courses(tmp_path / 'nowhere') == {}

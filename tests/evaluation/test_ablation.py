"""Ablations: settings by name, statistics against plain loops, finished work that is kept, one real tiny run."""

import csv
import importlib.util
import io
import itertools
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import types

import cv2
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated, sequences
from sctrpn_jax.evaluation import ablation, ablation_report, ablation_run, one_pass
from sctrpn_jax.training import checkpoint, loop, optimiser

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TINY = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'
FILES = sorted((REPOSITORY / 'configs' / 'ablations').glob('*.py'))
Variant = ablation.Variant


def tiny():
    spec = importlib.util.spec_from_file_location('tiny_config', TINY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = module.get_config()
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


# Settings


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'model.fem.gird': 'stretch'},
            r"config\.model\.fem has no field 'gird'; its fields are channels, transform, ",
        ),
        ({'model.fems.grid': 'stretch'}, r"config\.model has no field 'fems'"),
        ({'loss.xi.more': 1}, r"config\.loss\.xi has no field 'more'; it has no fields"),
        ({'loss': 1}, r'config\.loss is .*LossConfig.*, got 1'),
        ({'loss.xi': 'one'}, r"config\.loss\.xi is 1\.0, got 'one'"),
        ({'track.rerank': 0}, r'config\.track\.rerank is True, got 0'),
        ({'track.proposals': 2.5}, r'config\.track\.proposals is 64, got 2\.5'),
        ({'model.fem.grid': 'bent'}, r"config\.model\.fem\.grid is 'bent'; accepted: aligned, stretch"),
    ],
)
def test_a_typo_is_one_clear_line(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        ablation.changed(config_lib.Config(), changes)
    assert '\n' not in str(caught.value)
    variants = {'plain': Variant(), 'wrong': Variant(changes)}
    with pytest.raises(ValueError, match=f'ablation small, variant wrong: {message}'):
        ablation.variant_config(make(variants=variants), config_lib.Config(), 'wrong', 0)


def test_changes_leave_the_base_and_all_else_as_they_are():
    base = config_lib.Config()
    made = ablation.changed(base, {'loss.xi': 10, 'model.cascade.layers': [5, 4], 'model.fem.realign': True})
    assert base == config_lib.Config()
    assert (made.loss.xi, made.model.cascade.layers, made.model.fem.realign) == (10.0, (5, 4), True)
    assert isinstance(made.loss.xi, float)
    made.loss.xi, made.model.cascade.layers, made.model.fem.realign = 1.0, (5, 4, 3), False
    assert made == base


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'reference': 'nothing'}, "no variant 'nothing'; there are plain, focal"),
        ({'printed': {'nothing': {'EAO': 0.3}}}, "no variant 'nothing'"),
        ({'variants': {'plain': Variant(), 'b': Variant(weights_of='c')}}, "no variant 'c'"),
        (
            {'variants': {'plain': Variant(), 'b': Variant(weights_of='plain'), 'c': Variant(weights_of='b')}},
            'c has the weights of a variant without its own',
        ),
        ({'variants': {'plain': Variant(), '../up': Variant()}}, "'../up' is no name"),
        ({'metrics': ('eao',)}, "no metric 'eao'; there are success"),
        ({'seeds': ()}, 'at least one seed'),
    ],
)
def test_ablations_that_do_not_fit_together(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_a_variant_takes_over_the_changes_of_its_weights():
    assert make().changes('focal_off') == {'loss.classification': 'focal', 'track.rerank': False}
    assert make().trained('focal_off') == 'focal' and make().trained('plain') == 'plain'


@pytest.mark.parametrize('pairs', [3 * 2, 12, 13, 1000])
def test_pairs_stretch_all_phases_alike(pairs):
    base = tiny()
    c = ablation.with_pairs(base, pairs).train
    total = optimiser.total_steps(c)
    assert pairs - 6 < total * c.batch_size <= pairs
    assert optimiser.backbone_start(c) * 3 == total * 2 and c.validate_every == 0
    assert base == tiny()


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match='pairs: got 5, accepted is 6 or more'):
        ablation.with_pairs(tiny(), 5)


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_ablation_that_is_shipped(path):
    module = ablation._load(path)
    found, base = module.get_ablation(), module.get_config()
    assert found.name == path.stem and found.pairs == module.PAIRS
    assert found == ablation.read(path) and base == module.get_config('sctrpn_lite')
    configs = {name: ablation.variant_config(found, base, name, seed=1) for name in found.variants}
    assert {optimiser.total_steps(config.train) * config.train.batch_size for config in configs.values()} == {
        found.pairs
    }
    for a, b in itertools.combinations(configs, 2):
        same_training = found.trained(a) == found.trained(b)
        parts = ('model', 'track') if same_training else ('model', 'loss', 'track')
        distinct = any(getattr(configs[a], part) != getattr(configs[b], part) for part in parts)
        assert distinct or found.variants[a].weights_of or found.variants[b].weights_of, (a, b)
        for part in ('loss', 'data', 'augment', 'train') if same_training else ('data', 'augment', 'train'):
            assert getattr(configs[a], part) == getattr(configs[b], part), (a, b)
    with pytest.raises(ValueError, match=r"no config 'nothing' in .*; there are .*sctrpn_lite"):
        module.get_config('nothing')


def test_a_file_that_holds_no_ablation():
    with pytest.raises(ValueError, match=r'has no get_ablation\(\)'):
        ablation.read(TINY)


def test_seeds_of_a_command_line():
    assert ablation.read_seeds(None) is None and ablation.read_seeds(['0', '12']) == [0, 12]
    with pytest.raises(ValueError, match="got '-1'"):
        ablation.read_seeds(['-1'])


# Statistics


def test_hierarchical_difference_against_a_plain_loop():
    rng = np.random.default_rng(1)
    runs, count = 3, 12
    hard, luck = rng.normal(0, 0.2, (1, count)), rng.normal(0, 0.03, (runs, 1))
    b = 0.5 + hard + rng.normal(0, 0.02, (runs, count))
    a = b + 0.04 + luck + rng.normal(0, 0.05, (runs, count))
    mean, low, high = ablation_report.hierarchical_difference(a, b)
    draw = random.Random(5)
    means = []
    for _ in range(4000):
        rows = [draw.randrange(runs) for _ in range(runs)]
        columns = [draw.randrange(count) for _ in range(count)]
        means.append(sum(a[r][c] - b[r][c] for r in rows for c in columns) / (runs * count))
    means.sort()
    assert mean == pytest.approx(statistics.fmean((a - b).ravel()))
    assert low == pytest.approx(means[100], abs=0.004) and high == pytest.approx(means[3900], abs=0.004)


def test_seeds_that_disagree_widen_the_interval():
    # Of 27 draws of three seeds one has the least three times, 3.7 %: more than the 2.5 % that are cut off.
    difference = np.array([[-0.1], [0.0], [0.1]]) * np.ones((1, 8))
    found = ablation_report.hierarchical_difference(0.5 + difference, np.full((3, 8), 0.5))
    np.testing.assert_allclose(found, (0, -0.1, 0.1), atol=1e-12)


def test_one_seed_is_the_paired_difference():
    rng = np.random.default_rng(2)
    a, b = rng.uniform(0, 1, (2, 25))
    np.testing.assert_allclose(
        ablation_report.hierarchical_difference(a[None], b[None]), one_pass.paired_difference(a, b), atol=0.01
    )


@pytest.mark.parametrize(
    ('a', 'b'), [(np.ones((2, 3)), np.ones((3, 3))), (np.ones(3), np.ones(3)), ([[np.nan]], [[0]])]
)
def test_scores_that_do_not_pair(a, b):
    with pytest.raises(ValueError, match='accepted are two alike'):
        ablation_report.hierarchical_difference(a, b)


def summary():
    """Two seeds of `plain`, one of `focal`, none of `off`; the last of five sequences has no score."""
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 1, (3, 3, 5))
    values[..., 4] = np.nan

    def replicate(i, **kept):
        names = ('success', 'precision', 'normalized_precision')
        return ablation_report.Replicate(dict(zip(names, values[i], strict=True)), **kept)

    peaks = [{'stage1': np.array([9.0, 8.0, 7.0, np.nan])}, {'stage1': np.array([11.0, 8.0, 6.0, 5.0])}]
    measured = {
        'plain': {f'seed{i}': replicate(i, pairs=12, peaks=peaks[i]) for i in (0, 1)},
        'focal': {'seed1': replicate(2, pairs=12)},
        'off': {},
    }
    about = {'benchmark': 'davis', 'sequences': list('abcde'), 'checkpoint': None}
    settings = {'printed': {'plain': {'EAO': 0.361}, 'off': {'EAO': 0.2}}, 'printed_source': 'Table 9, VOT-2018'}
    return values, ablation_report.summarise(
        make(**settings), measured, about, {'off': {'seed0': 'step 3: not finite'}}
    )


def test_summary_against_plain_loops():
    values, report = summary()
    plain, focal = report['variants']['plain'], report['variants']['focal']
    means = [statistics.fmean(values[i, 0, :4]) for i in (0, 1)]
    assert list(plain['scores']['success']['seed_means'].values()) == pytest.approx(means)
    assert plain['scores']['success']['mean'] == pytest.approx(statistics.fmean(means))
    assert plain['scores']['success']['seed_spread'] == pytest.approx(statistics.stdev(means))
    by_sequence = [(values[0, 0, s] + values[1, 0, s]) / 2 for s in range(4)]
    assert plain['scores']['success']['interval'] == list(one_pass.bootstrap_interval(by_sequence))
    assert focal['scores']['success']['seed_spread'] is None
    # Only the seed that both have is compared.
    expected = statistics.fmean(values[2, 1, s] - values[1, 1, s] for s in range(4))
    assert focal['difference']['precision']['mean'] == pytest.approx(expected)
    assert focal['difference']['precision']['seeds'] == 1 and plain['difference'] == {}
    assert plain['peak_distance'] == {'stage1': [10.0, 8.0, 6.5, 5.0]}
    assert report['variants']['off']['scores'] == {} and report['variants']['off']['diverged']
    assert json.loads(json.dumps(report)) == report


def test_what_is_printed_never_stands_with_what_is_measured():
    _, report = summary()
    lines = ablation_report.to_markdown(report).splitlines()
    head = [cell.strip() for cell in lines[2].split('|')]
    rows = {cells[1].strip(): [cell.strip() for cell in cells] for cells in (line.split('|') for line in lines[4:7])}
    column = head.index('**printed** EAO (Table 9, VOT-2018)')
    assert [rows[name][column] for name in ('plain', 'focal', 'off')] == ['0.361', '', '0.2']
    assert sum('0.361' in cell for row in rows.values() for cell in row) == 1
    assert rows['plain'][head.index('success')].startswith(
        f'{report["variants"]["plain"]["scores"]["success"]["mean"]:.3f}'
    )
    assert 'off, seed0: diverged, left out: step 3: not finite' in lines
    assert '| plain | 10.0 / 8.0 / 6.5 / 5.0 |' in lines
    found = list(csv.DictReader(io.StringIO(ablation_report.to_csv(report))))
    for row in found:
        assert bool(row['mean']) != bool(row['printed']) and bool(row['printed']) == bool(row['printed_source'])
    assert len([row for row in found if row['mean']]) == 6 and len([row for row in found if row['printed']]) == 2


def test_peaks_by_quarter_of_the_training(tmp_path):
    lines = [
        {'step': s, 'loss': 1.0, 'stage1/peak_distance': 20.0 - s, 'stage2/peak_distance': s} for s in range(2, 13, 2)
    ]
    lines.append({'step': 12, 'validation/success_auc': 0.5})
    (tmp_path / 'metrics.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in lines))
    found = ablation_run.peak_distances(tmp_path)
    np.testing.assert_allclose(found['stage1'], [18, 15, 12, 9])  # steps 2; 4, 6; 8; 10, 12
    np.testing.assert_allclose(found['stage2'], [2, 5, 8, 11])
    assert ablation_run.peak_distances(tmp_path / 'nowhere') == {}


# Running


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
        (saved / 'metadata').write_text(json.dumps(config_lib.to_dict(config)))


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
        return ablation_run.run(make(), tiny(), 'davis', clips, work, train=train, open_tracker=trackers, **settings)

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
    part = run(names=['focal', 'plain'], seeds=[1])
    assert list(part['variants']) == ['plain', 'focal'] and len(train.calls) == 4
    assert part['variants']['focal']['scores']['success']['seed_means'] == {
        'seed1': report['variants']['focal']['scores']['success']['seed_means']['seed1']
    }


def test_an_interruption_goes_on_where_it_stopped(tmp_path, clips):
    train, trackers = Trainer({2: KeyboardInterrupt()}), Trackers(clips)

    def run():
        return ablation_run.run(
            make(seeds=(0,)), tiny(), 'davis', clips, tmp_path / 'work', train=train, open_tracker=trackers
        )

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
    report = ablation_run.run(
        make(seeds=(0,)), tiny(), 'davis', clips, tmp_path / 'work', train=train, open_tracker=trackers
    )
    assert [call[0] for call in train.calls] == ['plain/seed0', 'focal/seed0']
    for name in ('focal', 'focal_off'):
        assert report['variants'][name]['diverged'] == {'seed0': 'step 3: not finite'}
    assert report['variants']['off']['difference']['success']['mean'] < 0
    assert 'focal_off, seed0: diverged' in (tmp_path / 'work' / 'small.md').read_text()


def test_runs_of_another_config_are_refused(tmp_path, clips):
    def run(base, pairs=None, **settings):
        train, trackers = Trainer(), Trackers(clips)
        ablation_run.run(
            make(), base, 'davis', clips, tmp_path / 'work', pairs=pairs, train=train, open_tracker=trackers, **settings
        )

    run(tiny(), seeds=[0])
    other = tiny()
    other.loss.positive_iou = 0.6
    with pytest.raises(
        checkpoint.CheckpointError, match=r'seed0: config\.loss\.positive_iou is 0\.7 in the checkpoint'
    ):
        run(other)
    other = tiny()
    other.track.window = 0.5  # the trainings stand, their boxes do not
    with pytest.raises(ValueError, match='another folder'):
        run(other)
    with pytest.raises(checkpoint.CheckpointError, match=r'pairs_per_epoch is 4 in the checkpoint and 2 now'):
        run(tiny(), pairs=6)
    with pytest.raises(ValueError, match="no variant 'of'"):
        run(tiny(), names=['of'])
    with pytest.raises(ValueError, match='a checkpoint is one training, and plain, focal have several'):
        run(tiny(), names=['plain', 'focal'], checkpoint='sctrpn_lite')


def test_a_checkpoint_takes_the_place_of_training(tmp_path, clips):
    train, trackers, seen = Trainer(), Trackers(clips), []

    def open_tracker(source, config):
        seen.append((source, config.track.rerank, config.model.fem.channels))
        return trackers(source, config)

    report = ablation_run.run(
        make(),
        tiny(),
        'davis',
        clips,
        tmp_path / 'work',
        names=['plain', 'off'],
        checkpoint='sctrpn_lite',
        train=train,
        open_tracker=open_tracker,
    )
    assert train.calls == [] and seen == [('sctrpn_lite', True, 128), ('sctrpn_lite', False, 128)]
    assert report['variants']['off']['pairs'] == {'checkpoint': None} and report['checkpoint'] == 'sctrpn_lite'
    assert (tmp_path / 'work' / 'off' / 'checkpoint' / 'results' / 'b.csv').is_file()


def test_weights_of_another_network_are_refused():
    _, config = checkpoint.load_variables('sctrpn_lite')
    ablation_run.load_tracker('sctrpn_lite', ablation.changed(config, {'model.fem.realign': True}))
    with pytest.raises(ValueError, match='sctrpn_lite: its weights are of another network .*needs its own training'):
        ablation_run.load_tracker('sctrpn_lite', ablation.changed(config, {'model.cascade.layers': (5,)}))


# The program

TINY_ABLATION = """
import runpy
from sctrpn_jax.evaluation import ablation

def get_config():
    config = runpy.run_path({path!r})['get_config']()
    config.model.cascade.layers = (5,)
    config.train.epochs, config.train.warmup_epochs, config.train.final_epochs = 1, 0.0, 0.0
    return config

def get_ablation():
    off = ablation.Variant({{'track.rerank': False}}, weights_of='plain')
    return ablation.Ablation('small', 'Small', {{'plain': ablation.Variant(), 'off': off}}, 'plain', 4)
"""


def program(*arguments):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'ablate'), *arguments]
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)


def test_a_real_run_of_the_program(tmp_path):
    frames, boxes = generated.make_sequence(3, 4)
    clip = tmp_path / 'otb' / 'clip'
    (clip / 'img').mkdir(parents=True)
    for t, frame in enumerate(frames, start=1):
        cv2.imwrite(str(clip / 'img' / f'{t:04d}.png'), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    (clip / 'groundtruth_rect.txt').write_text(
        ''.join(','.join(f'{value:.3f}' for value in row) + '\n' for row in boxes + [1, 1, 0, 0])
    )
    file, work = tmp_path / 'small.py', tmp_path / 'work'
    file.write_text(TINY_ABLATION.format(path=str(TINY)))
    done = program(
        f'--config={file}',
        f'--workdir={work}',
        '--benchmark=otb',
        f'--root={tmp_path / "otb"}',
        '--seeds=3',
        '--pairs=4',
        '--config.loss.xi=2',
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads((work / 'small.json').read_text())
    assert done.stdout.strip() == (work / 'small.md').read_text().strip()
    for name in ('plain', 'off'):
        row = report['variants'][name]
        assert row['pairs'] == {'seed3': 4} and 0 <= row['scores']['success']['mean'] <= 1
    assert np.isfinite([v for v in report['variants']['plain']['peak_distance']['stage1'] if v is not None]).all()
    assert report['variants']['plain']['peak_distance'] and not report['variants']['off']['peak_distance']
    saved = checkpoint.read_config(work / 'plain' / 'seed3' / 'checkpoints', 2)
    assert (saved.seed, saved.loss.xi, saved.train.validate_every) == (3, 2.0, 0)

    # The same again from Python: nothing is trained, nothing tracked, the same numbers.
    train = Trainer()
    base = ablation.changed(ablation._load(file).get_config(), {'loss.xi': 2})
    found = sequences.read_sequences('otb', tmp_path / 'otb')
    again = ablation_run.run(ablation.read(file), base, 'otb', found, work, seeds=[3], pairs=4, train=train)
    assert train.calls == [] and again == report


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--benchmark=davis'], 'give --workdir, --root, --config'),
        (
            [f'--config={FILES[0]}', '--workdir=w', '--benchmark=davis', '--root=x', '--config.loss.xl=1'],
            "config.loss has no field 'xl'",
        ),
        (['--table2', '--workdir=w', '--benchmark=davis', '--root=nowhere'], 'no DAVIS sequences'),
    ],
)
def test_the_program_refuses_in_one_line(arguments, message):
    done = program(*arguments)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert message in done.stderr

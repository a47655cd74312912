"""Ablations as settings: fields by name, equal pairs, the shipped ones; a typo is one clear line."""

import itertools
import pathlib

import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_files
from sctrpn_jax.studies import ablation
from sctrpn_jax.training import optimiser

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TINY = REPOSITORY / 'tests' / 'training' / 'tiny_config.py'
FILES = sorted((REPOSITORY / 'configs' / 'ablations').glob('*.py'))
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


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'model.fem.gird': 'stretch'},
            r"config\.model\.fem: no field 'gird'; fields are transform, ",
        ),
        ({'model.fems.grid': 'stretch'}, r"config\.model: no field 'fems'"),
        ({'loss.xi.more': 1}, r'config\.loss\.xi\.more: no such field'),
        ({'track.rerank_exponents[3]': 1}, r'config\.track\.rerank_exponents\[3\]: no such field'),
        ({'track.rerank_exponents[1]': -1.0}, r'config\.track\.rerank_exponents\[1\] is -1\.0; accepted: a number'),
        ({'loss': 1}, r'config\.loss: got 1; expected an object with the fields'),
        ({'loss.xi': 'one'}, r"config\.loss\.xi is 'one'; accepted: a number, 0 or more"),
        ({'track.rerank': 0}, r'config\.track\.rerank is 0; accepted: True or False'),
        ({'track.stages': 2.5}, r'config\.track\.stages is 2\.5; accepted: a whole number'),
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
    made = ablation.changed(base, {'loss.xi': 10, 'model.cascade.layers': [5, 4], 'model.fem.stn_first': True})
    assert base == config_lib.Config()
    assert (made.loss.xi, made.model.cascade.layers, made.model.fem.stn_first) == (10.0, (5, 4), True)
    assert isinstance(made.loss.xi, float)
    assert ablation.changed(base, {'track.rerank_exponents[1]': 0.5}).track.rerank_exponents == (1.0, 0.5, 1.0)
    made.loss.xi, made.model.cascade.layers, made.model.fem.stn_first = 1.0, (5, 4, 3), False
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
def test_pairs_stretch_all_phases_by_one_factor(pairs):
    base = tiny()
    c = ablation.with_pairs(base, pairs).train
    total = optimiser.total_steps(c)
    assert pairs - 6 < total * c.batch_size <= pairs
    assert [3 * span.end for span in optimiser.spans(c)] == [2 * total, 3 * total] and c.validate_every == 0
    assert base == tiny()


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match='pairs: got 5, accepted is 6 or more'):
        ablation.with_pairs(tiny(), 5)


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_ablation_that_is_shipped(path):
    found, base = ablation.read(path), config_files.load('sctrpn_lite')
    assert found.name == path.stem and base == config_files.load('sctrpn_lite')
    configs = {name: ablation.variant_config(found, base, name, seed=1) for name in found.variants}
    # All variants train on equally many pairs, and on all that whole batches per epoch allow.
    (pairs,) = {optimiser.total_steps(config.train) * config.train.batch_size for config in configs.values()}
    epochs = sum(phase.epochs for phase in base.train.phases)
    assert found.pairs - epochs * base.train.batch_size < pairs <= found.pairs
    for a, b in itertools.combinations(configs, 2):
        same_training = found.trained(a) == found.trained(b)
        parts = ('model', 'track') if same_training else ('model', 'loss', 'track')
        distinct = any(getattr(configs[a], part) != getattr(configs[b], part) for part in parts)
        assert distinct or found.variants[a].weights_of or found.variants[b].weights_of, (a, b)
        for part in ('loss', 'data', 'augment', 'train') if same_training else ('data', 'augment', 'train'):
            assert getattr(configs[a], part) == getattr(configs[b], part), (a, b)


def test_a_file_that_holds_no_ablation(tmp_path):
    with pytest.raises(ValueError, match=r'has no get_ablation\(\)'):
        ablation.read(TINY)
    (tmp_path / 'other.py').write_text('def get_ablation():\n    return {}\n')
    with pytest.raises(ValueError, match=r'get_ablation\(\) returned dict; expected an Ablation'):
        ablation.read(tmp_path / 'other.py')

"""Settings survive JSON and text, each has a reader, and what cannot work is named in one line."""

import ast
import dataclasses
import json
import pathlib
import typing

import pytest

from sctrpn_jax import config, config_values

PACKAGE = pathlib.Path(config.__file__).parent
PHASE = 'train.phases[0]'


def leaves(made, path=''):
    """Every (name, value, type) that is not a section; of the phases, the first."""
    hints = typing.get_type_hints(type(made), include_extras=True)
    for field in dataclasses.fields(made):
        value, name = getattr(made, field.name), f'{path}.{field.name}'.lstrip('.')
        if dataclasses.is_dataclass(value):
            yield from leaves(value, name)
        elif name == 'train.phases':
            yield from leaves(value[0], PHASE)
        else:
            yield name, value, hints[field.name]


def other_value(value, kind):
    """Another value that the field accepts."""
    if typing.get_origin(kind) is typing.Literal:
        return next(choice for choice in typing.get_args(kind) if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        if len(value) > 1:
            return value[:-1]
        return ('other',) if typing.get_args(kind)[0] is str else (5,)
    if isinstance(value, str):
        return value + 'other'
    return value + 1 if isinstance(value, int) else value / 2 + 0.125


def test_there_are_at_most_85_fields():
    assert len(list(leaves(config.Config()))) <= 85


def test_defaults_survive_json():
    plain = json.loads(json.dumps(config_values.to_dict(config.Config())))
    assert config_values.from_dict(plain, config.Config) == config.Config()
    assert config.Config().model.anchors.ratios == (0.33, 0.5, 1.0, 2.0, 3.0)


def test_every_changed_setting_survives_json_and_text():
    made, by_text = config.Config(), config.Config()
    for name, value, kind in list(leaves(made)):
        changed = other_value(value, kind)
        *sections, field = name.replace(PHASE, 'train.phases').split('.')
        place = made
        for section in sections:
            place = getattr(place, section)
        setattr(place[0] if isinstance(place, tuple) else place, field, changed)
        try:
            config_values.set_field(by_text, name, str(changed))
        except ValueError as error:  # what stands alone in a tuple of layers has no other value
            pytest.fail(f'{name}={changed!r}: {error}')
    back = config_values.from_dict(json.loads(json.dumps(config_values.to_dict(made))), config.Config)
    assert back == made
    default = {name: value for name, value, _ in leaves(config.Config())}
    for name, value, _ in leaves(back):
        assert value != default[name], name
        assert type(value) is type(default[name]), name
    for (name, value, _), (_, found, _) in zip(leaves(made), leaves(by_text), strict=True):
        assert found == value, name


def test_a_part_leaves_the_rest_at_its_default():
    made = config_values.from_dict({'loss': {'xi': 2.5}, 'seed': 3}, config.Config)
    assert (made.loss.xi, made.seed) == (2.5, 3)
    made.loss.xi, made.seed = 1.0, 0
    assert made == config.Config()


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'sed': 1}, r"config: no field 'sed'; fields are model, loss, .*seed"),
        ({'train': {'rat': 0.1}}, r"config\.train: no field 'rat'; fields are .*phases"),
        ({'model': {'fem': {'chanels': 8}}}, r"config\.model\.fem: no field 'chanels'; fields are transform, "),
        (
            {'train': {'phases': [{'start_rate': 1}]}},
            r"config\.train\.phases\[0\]: no field 'epochs', which has",
        ),
        ({'train': {'phases': [{'epoch': 1}]}}, r"config\.train\.phases\[0\]: no field 'epoch'; fields are epochs"),
        ({'loss': 3}, r'config\.loss: got 3; expected an object with the fields classification'),
        ({'loss': {'xi': 'much'}}, r"config\.loss\.xi is 'much'; accepted: a number, 0 or more"),
        ({'track': {'voting': 1}}, r'config\.track\.voting is 1; accepted: True or False'),
        ({'model': {'cascade': {'layers': 5}}}, r'config\.model\.cascade\.layers is 5; accepted: a list of values'),
    ],
)
def test_a_typo_or_a_wrong_type_is_named(values, words):
    with pytest.raises(ValueError, match=words):
        config_values.from_dict(values, config.Config)


def test_configs_do_not_share_their_parts():
    first, second = config.Config(), config.Config()
    first.model.cascade.theta, first.train.phases[0].epochs = 0.5, 1
    assert second.model.cascade.theta == config.CascadeConfig().theta != 0.5
    assert second.train.phases[0].epochs == 5


def test_every_default_is_accepted_and_every_choice_is_checked():
    config_values.check(config.Config())
    literal = [(n, kind) for n, _, kind in leaves(config.Config()) if typing.get_origin(kind) is typing.Literal]
    assert len(literal) > 15
    for name, kind in literal:
        for choice in typing.get_args(kind):
            made = config.Config()
            config_values.set_field(made, name, choice)
            config_values.check(made)
        with pytest.raises(
            ValueError, match=rf"\.{name.split('.')[-1]} is 'other'; accepted: {typing.get_args(kind)[0]}"
        ):
            config_values.set_field(config.Config(), name, 'other')


NUMBERS = [
    name for name, value, _ in leaves(config.Config()) if isinstance(value, int | float) and not isinstance(value, bool)
]


@pytest.mark.parametrize('name', NUMBERS)
@pytest.mark.parametrize('value', [float('nan'), float('inf'), -1e30, 1e30, 10**400, 'text', None, True])
def test_no_number_field_takes_what_is_no_number(name, value):
    made = config.Config()
    *sections, field = name.replace(PHASE, 'train.phases').split('.')
    place = made
    for section in sections:
        place = getattr(place, section)
    setattr(place[0] if isinstance(place, tuple) else place, field, value)
    with pytest.raises(ValueError, match=rf'\.{field} is .*; accepted: '):
        config_values.check(made)


@pytest.mark.parametrize(
    ('name', 'text', 'words'),
    [
        ('train.batch_size', '0', 'is 0; accepted: a whole number from 1 to 65536'),
        ('track.search_size', '200', r'is 200; accepted: 127, 135, \.\. 255'),
        ('track.recovery.search_size', '263', r'is 263; accepted: 0, or .*: 271, 287'),
        ('track.window', '1.5', 'is 1.5; accepted: a number from 0 to 1'),
        ('train.phases[0].start_rate', '-1', r'is -1; accepted: a number, 1e-09 or more, up to 1e\+09'),
        ('train.phases[0].layers', '(3,5)', r'is \(3, 5\); accepted: \(\), or layers in order without gaps up to 5'),
        ('train.phases[0].epochs', '1e9', r'phases is .* steps.; accepted: one step to 2\^32 pairs'),
        ('train.phases', '()', r'train.phases is \(\); accepted: at least one phase'),
        ('train.phases[7].epochs', '1', r'phases\[7\]: config\.train\.phases has 3 values'),
        ('train.phases.epochs', '1', r'config\.train\.phases has no field'),
        ('model.cascade.layers', '(4,5)', r'is \(4, 5\); accepted: the deepest layer first'),
        ('model.anchors.ratios[1]', 'nan', 'accepted: '),
        ('model.anchors.ratios', '()', r'is \(\); accepted: at least one ratio'),
        ('model.search_size[99]', '1', r'search_size\[99\]: config\.model\.search_size has 0 values'),
        ('track.rerank_exponents', '(1,1)', r'is \(1, 1\); accepted: three: shape, color, size'),
        ('track', '1', 'config.track is a section; set one of its fields: search_size'),
        ('loss.xi', '__import__("os")', 'accepted: a number, 0 or more'),
        ('track.stages', '4', r'is 4; accepted: 0 \(all\) to 3'),
        ('loss.positive_iou_step', '0.2', 'accepted: a step with which every stage stays below 1'),
        ('loss.positive_iou', '0.2', r'is 0.2; accepted: 0.3 \(negative_iou\) or more'),
    ],
)
def test_impossible_text_is_named(name, text, words):
    made = config.Config()
    with pytest.raises(ValueError, match=words) as error:
        config_values.set_field(made, name, text)
        config_values.check(made)
    assert '\n' not in str(error.value)


def test_every_field_is_read_outside_the_checks():
    """Some module reads an attribute of the name: a field that nothing reads would be a promise without a deed."""
    read = set()
    for path in PACKAGE.rglob('*.py'):
        if path.name in ('config.py', 'config_values.py'):
            continue
        tree = ast.parse(path.read_text())
        read |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    # The training step hands the whole section to `augment.augment` by name, whose arguments are its fields.
    augment = next(
        node
        for node in ast.walk(ast.parse((PACKAGE / 'data' / 'augment.py').read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == 'augment'
    )
    by_name = {argument.arg for argument in augment.args.kwonlyargs}
    assert {field.name for field in dataclasses.fields(config.AugmentConfig)} <= by_name
    missing = [name for name, _, _ in leaves(config.Config()) if name.split('.')[-1] not in read | by_name]
    assert not missing

"""Settings survive JSON, and a typo is named."""

import dataclasses
import json

import pytest

from sctrpn_jax import config, config_check


def leaves(made, path=()):
    """Every (path, value) that is not a dataclass."""
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, (*path, field.name))
        else:
            yield (*path, field.name), value


def changed(value):
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, *value[-1:]) or ('other',)
    return value + ('other' if isinstance(value, str) else 1)


def test_defaults_survive_json():
    made = config.from_dict(json.loads(json.dumps(config.to_dict(config.Config()))))
    assert made == config.Config()
    assert made.model.anchors.ratios == (0.33, 0.5, 1.0, 2.0, 3.0)


def test_every_changed_setting_survives_json():
    made = config.Config()
    for path, value in list(leaves(made)):
        section = made
        for name in path[:-1]:
            section = getattr(section, name)
        setattr(section, path[-1], changed(value))
    back = config.from_dict(json.loads(json.dumps(config.to_dict(made))))
    assert back == made
    default = dict(leaves(config.Config()))
    for path, value in leaves(back):
        assert value != default[path], path
        assert type(value) is type(default[path]), path


def test_a_part_leaves_the_rest_at_its_default():
    made = config.from_dict({'loss': {'xi': 2.5}, 'seed': 3})
    assert (made.loss.xi, made.seed) == (2.5, 3)
    made.loss.xi, made.seed = 1.0, 0
    assert made == config.Config()


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'sed': 1}, r"config: no field 'sed'; fields are model, loss, .*seed"),
        ({'train': {'rat': 0.1}}, r"config\.train: no field 'rat'; fields are .*rate"),
        ({'model': {'fem': {'chanels': 8}}}, r"config\.model\.fem: no field 'chanels'; fields are channels, "),
    ],
)
def test_a_typo_is_named_with_the_fields_there_are(values, words):
    with pytest.raises(ValueError, match=words):
        config.from_dict(values)


def test_configs_do_not_share_their_parts():
    first, second = config.Config(), config.Config()
    first.model.fem.channels = 8
    assert second.model.fem.channels == config.FEMConfig().channels != 8


def test_every_default_is_accepted_and_every_choice_is_checked():
    config_check.check(config.Config())
    for name, choices in config_check._CHOICES.items():
        *sections, field = name.split('.')
        for choice in (*choices, 'other'):
            made = config.Config()
            place = made
            for section in sections:
                place = getattr(place, section)
            setattr(place, field, choice)
            if choice == 'other':
                with pytest.raises(ValueError, match=rf"config\.{name} is 'other'; accepted: {choices[0]}"):
                    config_check.check(made)
            else:
                config_check.check(made)


@pytest.mark.parametrize(
    'section, field, value',
    [
        ('train', 'batch_size', 0),
        ('track', 'search_size', 200),
        ('track', 'lost_search_size', 263),
        ('track', 'window', 1.5),
        ('train', 'rate', -1.0),
    ],
)
def test_impossible_values_are_named(section, field, value):
    made = config.Config()
    setattr(getattr(made, section), field, value)
    with pytest.raises(ValueError, match=rf'config\.{section}\.{field} is {value}; accepted'):
        config_check.check(made)

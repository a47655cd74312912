"""What a config's fields accept, read from their types: checks, JSON, and values given as text."""

import ast
import dataclasses
import math
import typing


class Range(typing.NamedTuple):
    """Numbers from `low` to `high`, for `Annotated[float, Range(..)]`."""

    low: float
    high: float


# No setting needs a number as large, or its inverse; products of those beyond leave single precision, or 32 bits.
LARGEST = 1e9
Share = typing.Annotated[float, Range(0, 1)]
Positive = typing.Annotated[float, Range(1 / LARGEST, LARGEST)]
NotNegative = typing.Annotated[float, Range(0, LARGEST)]
Count = typing.Annotated[int, Range(1, LARGEST)]
WholeNumber = typing.Annotated[int, Range(0, LARGEST)]


def check(config: typing.Any) -> typing.Any:
    """The config itself, if each value is of its field's type and in its range, and they go together.

    Args:
      config: a `config.Config`, or one of its parts.

    Raises:
      ValueError: a value that cannot work. The message has the field's name, the value and what is accepted.
    """
    for name, value, kind in _fields(config, 'config'):
        _check_value(name, value, kind)
    if hasattr(config, 'check_together'):
        config.check_together()
    return config


def set_field(config: typing.Any, path: str, text: str) -> None:
    """Sets one field from text, as the command line gives it.

    Args:
      config: a `config.Config`; changed in place.
      path: the field's name with its sections: `loss.xi`, `train.phases[0].epochs`, `model.anchors.ratios[1]`.
      text: the value. Tuples are written `(5,4,3)` or `5,4,3`.

    Raises:
      ValueError: no such field, or text that is not of the field's type.
    """
    *sections, last = _parts(path)
    place, where = config, 'config'
    for part in sections:
        place, where = _step(place, part, where)
    _step(place, last, where)  # names what is wrong with the last part
    kind, where = _kind(place, last, where)
    value = _parse(where, text, kind)
    _check_value(where, value, kind)
    if isinstance(last, str):
        setattr(place, last, value)
        return
    # A tuple cannot be changed in place, so its owner gets a new one.
    owner = config
    for part in sections[:-1]:
        owner, _ = _step(owner, part, '')
    setattr(owner, str(sections[-1]), (*place[:last], value, *place[last + 1 :]))


def to_dict(config: typing.Any) -> dict:
    """Plain nested dict of a config, ready for JSON: tuples become lists."""
    return dataclasses.asdict(config, dict_factory=lambda items: {name: _plain(value) for name, value in items})


def from_dict(values: typing.Any, kind: type, where: str = 'config') -> typing.Any:
    """Config of a class from the form of `to_dict`; fields that are left out have their defaults.

    Args:
      values: nested dict.
      kind: dataclass to make.
      where: name of the place, for messages.

    Raises:
      ValueError: not a dict, a name that is not a field (the message lists the fields), or a value of another type.
    """
    if not isinstance(values, dict):
        raise ValueError(f'{where}: got {_shown(values)}; expected an object with the fields {_names(kind)}')
    hints = typing.get_type_hints(kind, include_extras=True)
    if unknown := sorted(set(map(str, values)) - set(hints)):
        raise ValueError(f'{where}: no field {_shown(unknown[0])}; fields are {_names(kind)}')
    made = {}
    for name, value in values.items():
        made[name] = _from_plain(value, hints[name], f'{where}.{name}')
    for field in dataclasses.fields(kind):
        if field.name not in made and field.default is field.default_factory is dataclasses.MISSING:
            raise ValueError(f'{where}: no field {field.name!r}, which has no default; fields are {_names(kind)}')
    return kind(**made)


def _plain(value: typing.Any) -> typing.Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _from_plain(value: typing.Any, kind: typing.Any, where: str) -> typing.Any:
    if _is_section(kind):
        return from_dict(value, kind, where)
    if typing.get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(_from_plain(each, typing.get_args(kind)[0], f'{where}[{i}]') for i, each in enumerate(value))
    if _bare(kind) is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    _check_type(where, value, kind)
    return value


def _fields(place: typing.Any, where: str) -> typing.Iterator[tuple[str, typing.Any, typing.Any]]:
    """(name with sections, value, type) of every field that is not a section."""
    hints = typing.get_type_hints(type(place), include_extras=True)
    for field in dataclasses.fields(place):
        value, name = getattr(place, field.name), f'{where}.{field.name}'
        if dataclasses.is_dataclass(value):
            yield from _fields(value, name)
        elif isinstance(value, tuple) and value and all(map(dataclasses.is_dataclass, value)):
            for i, each in enumerate(value):
                yield from _fields(each, f'{name}[{i}]')
        else:
            yield name, value, hints[field.name]


def _is_section(kind: typing.Any) -> typing.TypeGuard[type]:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def _bare(kind: typing.Any) -> typing.Any:
    """The type without its range."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind


def _accepted(kind: typing.Any) -> str:
    """What a field of a type accepts, in words."""
    if typing.get_origin(kind) is typing.Literal:
        return ', '.join(map(str, typing.get_args(kind)))
    if typing.get_origin(kind) is tuple:
        return f'a list of values, each {_accepted(typing.get_args(kind)[0])}'
    if _is_section(kind):
        return f'a {kind.__name__} with the fields {_names(kind)}'
    noun = {int: 'a whole number', float: 'a number', str: 'text', bool: 'True or False'}[_bare(kind)]
    if typing.get_origin(kind) is not typing.Annotated:
        return noun
    low, high = kind.__metadata__[0]
    return f'{noun}, {low:g} or more, up to {high:g}' if high == LARGEST else f'{noun} from {low:g} to {high:g}'


def _refuse(where: str, value: typing.Any, kind: typing.Any) -> typing.NoReturn:
    raise ValueError(f'{where} is {_shown(value)}; accepted: {_accepted(kind)}')


def _check_type(where: str, value: typing.Any, kind: typing.Any) -> None:
    if typing.get_origin(kind) is typing.Literal:
        fits = value in typing.get_args(kind) and isinstance(value, str)
    elif typing.get_origin(kind) is tuple:
        fits = isinstance(value, tuple)
        for i, each in enumerate(value if fits else ()):
            _check_type(f'{where}[{i}]', each, typing.get_args(kind)[0])
    elif _is_section(kind):
        fits = isinstance(value, kind)
    else:
        bare = _bare(kind)
        allowed = (int, float) if bare is float else bare
        fits = isinstance(value, allowed) and (bare is bool or not isinstance(value, bool))
    if not fits:
        _refuse(where, value, kind)


def _check_value(where: str, value: typing.Any, kind: typing.Any) -> None:
    _check_type(where, value, kind)
    if isinstance(value, tuple):
        for i, each in enumerate(value):
            if not dataclasses.is_dataclass(each):
                _check_value(f'{where}[{i}]', each, typing.get_args(kind)[0])
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(where, value, kind)
    if typing.get_origin(kind) is typing.Annotated:
        low, high = kind.__metadata__[0]
        if not low <= value <= high:
            _refuse(where, value, kind)


def _parse(where: str, text: str, kind: typing.Any) -> typing.Any:
    bare = _bare(kind)
    if bare is str or typing.get_origin(kind) is typing.Literal:
        return text
    if typing.get_origin(kind) is tuple and typing.get_args(kind)[0] is str:
        return tuple(part.strip().strip('\'"') for part in text.strip('()[]').split(',') if part.strip())
    if bare is bool:
        return {'true': True, '1': True, 'false': False, '0': False}.get(text.lower(), text)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        _refuse(where, text, kind)
    if typing.get_origin(kind) is tuple:
        value = tuple(value) if isinstance(value, list | tuple) else (value,)
    return value


def _parts(path: str) -> list[str | int]:
    """`a.b[0].c` as ['a', 'b', 0, 'c']."""
    parts: list[str | int] = []
    for word in path.split('.'):
        name, *indices = word.split('[')
        parts.append(name)
        for index in indices:
            number = index.removesuffix(']')
            if not index.endswith(']') or not number.isdecimal() or len(number) > 4:
                raise ValueError(f'config.{path}: write a place in a list as name[0]')
            parts.append(int(number))
    return parts


def _step(place: typing.Any, part: str | int, where: str) -> tuple[typing.Any, str]:
    """What lies under a part of a path, and its name."""
    if isinstance(part, int):
        if not isinstance(place, tuple) or part >= len(place):
            size = len(place) if isinstance(place, tuple) else 0
            raise ValueError(f'{where}[{part}]: {where} has {size} values, counted from 0')
        return place[part], f'{where}[{part}]'
    if not dataclasses.is_dataclass(place):
        raise ValueError(f'{where} has no field {part!r}; it has no fields')
    if part not in {field.name for field in dataclasses.fields(place)}:
        raise ValueError(f'{where} has no field {part!r}; its fields are {_names(type(place))}')
    return getattr(place, part), f'{where}.{part}'


def _kind(place: typing.Any, part: str | int, where: str) -> tuple[typing.Any, str]:
    """The type of the field under the last part of a path, and its name."""
    if isinstance(part, int):
        # Ranges of a tuple's values are checked where the whole config is.
        return type(place[part]), f'{where}[{part}]'
    kind = typing.get_type_hints(type(place), include_extras=True)[part]
    if _is_section(kind):
        raise ValueError(f'{where}.{part} is a section; set one of its fields: {_names(kind)}')
    return kind, f'{where}.{part}'


def _names(kind: typing.Any) -> str:
    return ', '.join(field.name for field in dataclasses.fields(kind))


def _shown(value: typing.Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f'{text[:77]}...'

"""What an ablation is: variants of one config that differ in named fields, all trained on equally many pairs.

`configs/ablations/*.py` hold one each, `bin/ablate` runs them (`ablation_run.py`).
"""

import copy
import dataclasses
import importlib.util
import os
import pathlib
import re
import types
import typing
from collections.abc import Mapping, Sequence

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_check

METRICS = ('success', 'precision', 'normalized_precision', 'fps')


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
      changes: dotted field name -> value, on the base config.
      weights_of: the variant whose training it shares and on whose changes its own come; empty: it has its own. For
        what acts on tracking alone.
    """

    changes: Mapping[str, typing.Any] = dataclasses.field(default_factory=dict)
    weights_of: str = ''


@dataclasses.dataclass(frozen=True)
class Ablation:
    """A table of variants.

    Attributes:
      name: of the result files.
      title: the paper's table, and what is varied.
      variants: name -> `Variant`, in the table's order; names are folder names too.
      reference: the variant that the others are compared with.
      pairs: training pairs of every variant.
      seeds: each a training of its own, of every variant.
      metrics: of `METRICS`.
      printed: variant -> metric -> the paper's number.
      printed_source: where those are printed, and on which benchmark.
      note: what a reader of the numbers should know.

    Raises:
      ValueError: names that do not fit together.
    """

    name: str
    title: str
    variants: Mapping[str, Variant]
    reference: str
    pairs: int
    seeds: tuple[int, ...] = (0, 1, 2)
    metrics: tuple[str, ...] = ('success', 'precision', 'normalized_precision')
    printed: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    printed_source: str = ''
    note: str = ''

    def __post_init__(self):
        for name in (self.name, *self.variants):
            if not re.fullmatch(r'[A-Za-z0-9_][A-Za-z0-9_.-]*', name):
                raise ValueError(f'ablation {self.name}: {name!r} is no name; accepted are letters, digits, _ . -')
        named = [self.reference, *self.printed, *(each.weights_of or name for name, each in self.variants.items())]
        for name in named:
            if name not in self.variants:
                raise ValueError(
                    f'ablation {self.name}: no variant {name!r}; there are {", ".join(self.variants) or "none"}'
                )
        for name in self.variants:
            if self.variants[self.trained(name)].weights_of:
                raise ValueError(f'ablation {self.name}: {name} has the weights of a variant without its own')
        if unknown := [name for name in self.metrics if name not in METRICS]:
            raise ValueError(f'ablation {self.name}: no metric {unknown[0]!r}; there are {", ".join(METRICS)}')
        if not self.seeds or not self.metrics:
            raise ValueError(f'ablation {self.name}: give at least one seed and one metric')

    def trained(self, name: str) -> str:
        """The variant whose training a variant has: itself, or the one of `weights_of`."""
        return self.variants[name].weights_of or name

    def changes(self, name: str) -> dict[str, typing.Any]:
        """All that a variant changes of the base, what it takes over from the trained one included."""
        return {**self.variants[self.trained(name)].changes, **self.variants[name].changes}


def changed(config: config_lib.Config, changes: Mapping[str, typing.Any]) -> config_lib.Config:
    """A copy of a config with other values in some fields.

    Args:
      config: stays as it is.
      changes: dotted name ('model.fem.grid') -> value.

    Raises:
      ValueError: no such field, a value of another type, or one that cannot work (`config_check.check`).
    """
    made = copy.deepcopy(config)
    for name, value in changes.items():
        holder, place, path = made, made, 'config'
        for part in name.split('.'):
            fields = [field.name for field in dataclasses.fields(place)] if dataclasses.is_dataclass(place) else []
            if part not in fields:
                what = f'its fields are {", ".join(fields)}' if fields else 'it has no fields'
                raise ValueError(f'{path} has no field {part!r}; {what}')
            holder, place, path = place, getattr(place, part), f'{path}.{part}'
        setattr(holder, part, _as_before(place, value, path))
    return config_check.check(made)


def _as_before(old: typing.Any, new: typing.Any, path: str) -> typing.Any:
    """The new value in the type of the old one, else ValueError."""
    if isinstance(old, tuple) and isinstance(new, list | tuple):
        return tuple(new)
    number = isinstance(new, int | float) and not isinstance(new, bool)
    if isinstance(old, float) and number:
        return float(new)
    if type(old) is not type(new) or dataclasses.is_dataclass(old):
        raise ValueError(f'{path} is {old!r}, got {new!r}; accepted is a value of the same type')
    return new


def with_pairs(config: config_lib.Config, pairs: int) -> config_lib.Config:
    """A copy of a config that trains on so many pairs, its phases shortened or stretched alike.

    Nothing is validated on the way: the last state counts, not one chosen on what the variants are compared on.

    Args:
      config: stays as it is.
      pairs: rounded down to whole batches in each epoch.

    Raises:
      ValueError: fewer than one batch an epoch.
    """
    made = copy.deepcopy(config)
    c = made.train
    least = c.epochs * c.batch_size
    if not 0 < least <= pairs:
        raise ValueError(
            f'pairs: got {pairs}, accepted is {least} or more (train.epochs {c.epochs}, train.batch_size '
            f'{c.batch_size}: one batch an epoch)'
        )
    c.pairs_per_epoch = pairs // least * c.batch_size
    c.validate_every, c.max_minutes = 0, 0.0
    return made


def variant_config(
    ablation: Ablation, base: config_lib.Config, name: str, seed: int, pairs: int | None = None
) -> config_lib.Config:
    """The config of one variant and seed.

    Args:
      ablation: which.
      base: that its changes are made on.
      name: of the variant.
      seed: of the run: initial weights, data order, augmentation, sampling.
      pairs: as `with_pairs`; None: the ablation's.

    Raises:
      ValueError: as `changed` and `with_pairs`; the message names the variant.
    """
    try:
        made = changed(base, ablation.changes(name))
        return with_pairs(changed(made, {'seed': seed}), ablation.pairs if pairs is None else pairs)
    except ValueError as error:
        raise ValueError(f'ablation {ablation.name}, variant {name}: {error}') from None


def read(path: str | os.PathLike) -> Ablation:
    """The ablation of a file, made by its `get_ablation()`.

    Raises:
      ValueError: the file has none, or as `Ablation`.
    """
    module = _load(path)
    if not hasattr(module, 'get_ablation'):
        raise ValueError(f'{os.fspath(path)} has no get_ablation(); give a file like those in configs/ablations/')
    return module.get_ablation()


def read_seeds(words: Sequence[str] | None) -> list[int] | None:
    """Seeds from a command line; None: none given.

    Raises:
      ValueError: one that is no whole number from 0 on.
    """
    for word in words or ():
        if not (word.isascii() and word.isdigit()):
            raise ValueError(f'seeds: got {word!r}, accepted are whole numbers from 0 on')
    return [int(word) for word in words] if words else None


def base_config(path: str | os.PathLike, base: str) -> config_lib.Config:
    """The config that an ablation varies.

    Args:
      path: of the ablation's file, in a folder of `configs/`.
      base: name of a config in `configs/`.

    Raises:
      ValueError: no such config.
    """
    folder = pathlib.Path(path).resolve().parent.parent
    if not (folder / f'{base}.py').is_file():
        there = ', '.join(sorted(each.stem for each in folder.glob('*.py')))
        raise ValueError(f'no config {base!r} in {folder}; there are {there}')
    return _load(folder / f'{base}.py').get_config()


def _load(path: str | os.PathLike) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(f'config_{pathlib.Path(path).stem}', path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError:
        raise ValueError(f'no file {os.fspath(path)!r}; give a file like those in configs/ablations/') from None
    return module

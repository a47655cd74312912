"""What an ablation is: variants of one config that differ in named fields, all trained on equally many pairs.

`configs/ablations/*.py` hold one each, `sctrpn studies ablation` runs them (`ablation_run.py`).
"""

import copy
import dataclasses
import pathlib
import re
import typing
from collections.abc import Mapping

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_files, config_values

METRICS = ('success', 'precision', 'normalized_precision', 'fps')


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
      changes: dotted field name -> value, on the base config.
      weights_of: the variant whose training it uses; its own changes come on top. Empty: it has its own training. For
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
      seeds: every variant is trained once with each.
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
        """The variant whose training this one uses: itself, or the one that `weights_of` names."""
        return self.variants[name].weights_of or name

    def changes(self, name: str) -> dict[str, typing.Any]:
        """All that a variant changes in the base config, with what it takes over from the variant in `weights_of`."""
        return {**self.variants[self.trained(name)].changes, **self.variants[name].changes}


def changed(config: config_lib.Config, changes: Mapping[str, typing.Any]) -> config_lib.Config:
    """A copy of a config with other values in some fields.

    Args:
      config: stays as it is.
      changes: name ('model.fem.grid', 'track.rerank_exponents[1]') -> value.

    Raises:
      ValueError: no such field, a value of another type, or one that cannot work (`config_values.check`).
    """
    values = config_values.to_dict(config)
    for name, value in changes.items():
        *sections, last = (int(part) if part.isdecimal() else part for part in re.findall(r'[^.\[\]]+', name))
        place = values
        try:
            for section in sections:
                place = place.setdefault(section, {}) if isinstance(place, dict) else place[section]
            place[last] = value
        except (IndexError, TypeError):
            raise ValueError(f'config.{name}: no such field') from None
    return config_values.check(config_values.from_dict(values, config_lib.Config))


def with_pairs(config: config_lib.Config, pairs: int) -> config_lib.Config:
    """A copy of a config that trains on a given number of pairs, all its phases shortened or stretched by one factor.

    Nothing is validated on the way: the last state counts, not one chosen on what the variants are compared on.

    Args:
      config: stays as it is.
      pairs: rounded down to whole batches in each epoch.

    Raises:
      ValueError: fewer than one batch per epoch.
    """
    made = copy.deepcopy(config)
    c = made.train
    epochs = sum(phase.epochs for phase in c.phases)
    least = epochs * c.batch_size
    if not 0 < least <= pairs:
        raise ValueError(
            f'pairs: got {pairs}, accepted is {least:g} or more (one batch of {c.batch_size} per epoch, and the '
            f'phases have {epochs:g} epochs)'
        )
    c.pairs_per_epoch = int(pairs // least) * c.batch_size
    c.validate_every = 0
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
      pairs: to train on (`with_pairs`); None: the ablation's number.

    Raises:
      ValueError: what `changed` and `with_pairs` refuse; the message names the variant.
    """
    try:
        made = changed(base, ablation.changes(name))
        return with_pairs(changed(made, {'seed': seed}), ablation.pairs if pairs is None else pairs)
    except ValueError as error:
        raise ValueError(f'ablation {ablation.name}, variant {name}: {error}') from None


def read(path: pathlib.Path) -> Ablation:
    """The ablation of a file, made by its `get_ablation()`.

    Raises:
      ValueError: the file fails, has no such function, or its ablation does not fit together.
    """
    made = config_files.call(path, 'get_ablation')
    if not isinstance(made, Ablation):
        raise ValueError(f'{path}: get_ablation() returned {type(made).__name__}; expected an Ablation')
    return made

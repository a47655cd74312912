"""What is known of one benchmark, in one record; everything that treats benchmarks differently reads it there."""

import dataclasses
import os
from collections.abc import Iterable, Mapping

from sctrpn_jax.data.benchmarks import published as published_lib
from sctrpn_jax.data.benchmarks import sequence_names

METRICS = ('one_pass', 'trackingnet', 'got10k', 'vot', 'long_term')
PROTOCOLS = ('one_pass', 'tre', 'sre', 'reset', 'no_reset')


@dataclasses.dataclass(frozen=True)
class Split:
    """One published set of sequences of a benchmark.

    Attributes:
      title: what reports call it, `OTB-2013`.
      count: how many sequences the whole of it has; None: not fixed.
      names: its sequences, where one folder can hold those of several splits (OTB, VOT); () where the layout itself
        tells the splits apart.
      layout_split: the split that the layout is opened with; None: the one of the same name.
      eao_lengths: first and last sequence length, frames, over which VOT averages the expected overlap.
      published: results that others printed on it.
      for_tuning: settings may be chosen on it, because nobody is compared on it.
    """

    title: str
    count: int | None = None
    names: tuple[str, ...] = ()
    layout_split: str | None = None
    eao_lengths: tuple[int, int] | None = None
    published: tuple[published_lib.Published, ...] = ()
    for_tuning: bool = False


@dataclasses.dataclass(frozen=True)
class Submission:
    """The zip file that a benchmark's server takes: one file of boxes per sequence, counted from `Benchmark.origin`.

    Attributes:
      split: the split that the server scores.
      boxes: path of a sequence's boxes in the zip; `{name}` stands for the sequence.
      box_format: of each number, `%.2f`.
      times: path of the seconds per frame, written with `%.8f`; '': the server does not ask for them.
    """

    split: str
    boxes: str
    box_format: str
    times: str = ''


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes:
      name: what `--benchmark` calls it; the name of its module.
      layout: key of `data.layouts.registry.LAYOUTS`.
      splits: name -> split. Where none is asked for, it is the first that has a folder, or else the first.
      origin: the number of the first pixel in its box files, 0 or 1.
      metrics: which scores it is known for, one of `METRICS`.
      convention: by whose rules they are computed; a name that `sctrpn_jax.metrics` knows.
      protocols: of `PROTOCOLS`, those that can be run on it.
      layout_options: further arguments of the layout.
      absence_flags: files beside its boxes flag the frames without a visible target.
      attributes: abbreviation -> name of what can make a sequence hard, in the order of the files' flags.
      attribute_flags: attribute files hold a row of 0 and 1 per sequence; otherwise they hold names.
      submission: what its server takes; None: it has none.
    """

    name: str
    layout: str
    splits: Mapping[str, Split]
    origin: int
    metrics: str = 'one_pass'
    convention: str = 'otb'
    protocols: tuple[str, ...] = ('one_pass', 'tre', 'sre')
    layout_options: Mapping[str, object] = dataclasses.field(default_factory=dict)
    absence_flags: bool = False
    attributes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    attribute_flags: bool = False
    submission: Submission | None = None

    @property
    def told_by_names(self) -> bool:
        """Whether its splits lie in one folder and are told apart by the names of their sequences."""
        return any(split.names for split in self.splits.values())

    def split(self, name: str) -> Split:
        """The split of that name.

        Raises:
          ValueError: an unknown name; the message has the known ones.
        """
        if name not in self.splits:
            raise ValueError(f'{self.name} has no split {name}; it has {", ".join(self.splits)}')
        return self.splits[name]

    def default_split(self, root: str | os.PathLike) -> str:
        """Name of the split in a folder: the first that has a folder of its own in it, or that the folder is named for.

        Args:
          root: the benchmark's folder, or the one of a single split.
        """
        first = next(iter(self.splits))
        if self.told_by_names:
            return first
        for name in self.splits:
            if any(os.path.isdir(os.path.join(root, above, name)) for above in ('', 'anno')):
                return name
        name = os.path.basename(os.path.abspath(root))
        return name if name in self.splits else first

    def split_of(self, names: Iterable[str], root: str | os.PathLike, split: str | None = None) -> Split:
        """The split that a folder's sequences belong to.

        Args:
          names: of all sequences in the folder, in any spelling that `sequence_names.match` knows.
          root: the folder.
          split: the one that was asked for; None: found out.

        Returns:
          Where splits are told apart by names: the one whose names these are, or else the first that has all of them.
          A part of one says in its title how much it is, and has no published results: they are over the whole, and a
          few common names (Car4) may be another benchmark's. A folder with other sequences gets a split of its own,
          with the folder's name in its title; EAO lengths are then those of the first split.

        Raises:
          ValueError: an unknown split.
        """
        if split is not None:
            return self.split(split)
        first = self.split(self.default_split(root))
        if not self.told_by_names:
            return first
        names = set(names)
        found = [each for each in self.splits.values() if len(sequence_names.match(names, each.names)) == len(names)]
        for each in found:
            if len(names) == len(each.names):
                return each
        if found:
            title = f'{found[0].title}, {len(names)} of {len(found[0].names)} sequences'
            return dataclasses.replace(found[0], title=title, published=())
        folder = os.path.basename(os.path.abspath(root))
        return Split(f"{folder}, a folder in {self.name}'s layout", eao_lengths=first.eao_lengths, for_tuning=True)

    def check_protocol(self, protocol: str) -> None:
        """Raises ValueError where a protocol cannot be run on this benchmark."""
        if protocol not in self.protocols:
            raise ValueError(f'{self.name} has no protocol {protocol}; it has {", ".join(self.protocols)}')

"""The sources that a config names, what share of the pairs each gives, and how far apart its pairs may lie."""

import dataclasses
import logging
import os
import re
from dataclasses import dataclass

import numpy as np

from sctrpn_jax import config
from sctrpn_jax.data import folder, generated, pairs, regions

_log = logging.getLogger(__name__)

_WEIGHT_POWER = 0.5  # of a source's number of rows: large sources give more pairs, and small ones are still seen
_OTHERS = '*'  # in `data.sources`: every source under the root that no other entry names
_LEAST_SIDE = 4.0  # image pixels; smaller boxes show nothing that could be matched


@dataclass(frozen=True, eq=False)
class Mixture:
    """S sources.

    Attributes:
      sources: to draw from.
      weights: S shares of the pairs; they sum to 1.
      intervals: S (least, largest) distances between the two rows of a pair, frames.
    """

    sources: list[pairs.Source]
    weights: list[float]
    intervals: list[tuple[int, int]]

    def index(self) -> pairs.PairIndex:
        """What `pairs.draw_pair` needs, NumPy arrays."""
        return pairs.make_index(self.sources, self.weights, self.intervals)

    def locate(self, row: int) -> tuple[pairs.Source, int]:
        """The source of a row of the index, and the row's number in it."""
        ends = np.cumsum([len(source.frame) for source in self.sources])
        number = int(np.searchsorted(ends, row, side='right'))
        return self.sources[number], row - int(ends[number] - len(self.sources[number].frame))


@dataclass(frozen=True)
class Entry:
    """One of `data.sources`: name under the root, factor on its weight, interval (None: the config's), split."""

    name: str
    weight: float = 1.0
    interval: tuple[int, int] | None = None
    split: str = 'train'


def parse_entry(text: str) -> Entry:
    """`NAME[:weight=W][:interval=[LEAST-]LARGEST][:split=SPLIT]` as an Entry; the name `*` stands for all others.

    Raises:
      ValueError: another form.
    """
    name, *options = text.split(':')
    made = {}
    for option in options:
        key, _, value = option.partition('=')
        if key == 'weight' and re.fullmatch(r'\d+(\.\d+)?', value):
            made[key] = float(value)
        elif key == 'interval' and re.fullmatch(r'(\d{1,9}-)?\d{1,9}', value):
            least, _, largest = value.rpartition('-')
            made[key] = (int(least or 1), int(largest))
        elif key == 'split' and value:
            made[key] = value
        else:
            name = ''
    if not name or 'interval' in made and made['interval'][0] > made['interval'][1]:
        raise ValueError(
            f'data.sources has {text!r}; expected NAME[:weight=2][:interval=10-100][:split=train], '
            f'the interval in frames'
        )
    return Entry(name, **made)


def _find(root: str) -> list[str]:
    """Names of the sources under a root."""
    if not os.path.isdir(root):
        raise ValueError(
            f'config.data.root {root!r} is no folder; '
            'give --config.data.root=DIR, a folder of sources (docs/datasets.md)'
        )
    return sorted(name for name in os.listdir(root) if _kind(os.path.join(root, name)))


def _kind(path: str) -> str:
    if os.path.isfile(os.path.join(path, 'boxes.csv')):
        return 'folder'
    # Kept light: the library of prepared sets is imported only where there is one.
    return 'prepared' if os.path.isfile(os.path.join(path, '1.0.0', 'prepared.json')) else ''


def _open(path: str, split: str) -> pairs.Source:
    if _kind(path) == 'folder':
        return folder.read_folder(path, _LEAST_SIDE)
    from sctrpn_jax.data.prepared import source as prepared  # imports tensorflow_datasets, which not every machine has

    return prepared.PreparedSource(os.path.join(path, '1.0.0'), split, _LEAST_SIDE)


def _spread(entries: list[Entry], found: list[str]) -> list[Entry]:
    """The entries, with `*` replaced by one entry for each source that no other entry names."""
    named = {entry.name for entry in entries}
    others = [name for name in found if name not in named]
    return [
        dataclasses.replace(entry, name=name)
        for entry in entries
        for name in (others if entry.name == _OTHERS else [entry.name])
    ]


def make_mixture(data: config.DataConfig) -> Mixture:
    """The mixture that a config names.

    Raises:
      ValueError: a source is missing or has nothing usable, or an entry is malformed.
    """
    everywhere = (1, data.max_interval)
    if not data.root:
        return Mixture([generated.GeneratedSource()], [1.0], [everywhere])
    found = _find(data.root)
    entries = _spread([parse_entry(text) for text in data.sources or ('*',)], found)
    missing = [entry.name for entry in entries if not _kind(os.path.join(data.root, entry.name))]
    if missing or not entries:
        what = f'has no source {missing[0]!r}' if missing else 'has no folder with a boxes.csv and no prepared set'
        raise ValueError(f'config.data.root {data.root!r} {what}; sources in it: {", ".join(found[:20]) or "none"}')
    sources = [_open(os.path.join(data.root, entry.name), entry.split) for entry in entries]
    for source in sources:
        if source.refused:
            _log.warning('%s: %d rows refused; first: %s', source.name, len(source.refused), source.refused[0])
    rows = np.array([len(source.frame) for source in sources], float)
    weights = rows**_WEIGHT_POWER * [entry.weight for entry in entries]
    moving = rows > [len(source.starts) - 1 for source in sources]
    if data.video_share > 0 and moving.any() and not moving.all():
        weights[moving] *= data.video_share / weights[moving].sum()
        weights[~moving] *= (1 - data.video_share) / weights[~moving].sum()
    weights = weights / weights.sum()
    intervals = [entry.interval or everywhere for entry in entries]
    if data.region_share > 0:
        sources = [*sources, *(regions.RegionSource(source) for source in sources)]
        weights = np.concatenate([weights * (1 - data.region_share), weights * data.region_share])
        intervals = 2 * intervals
    return Mixture(sources, weights.tolist(), intervals)

"""What makes each sequence hard, as the benchmarks annotate it, and scores by attribute.

OTB has lists of names (attributes.json, the toolkit's attr_list.txt, or attrs.txt beside each annotation); UAV123 and
LaSOT have a row of flags per sequence. Flag files of OTB are not read: those in circulation contradict its own list.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping

from sctrpn_jax.data.benchmarks import record, sequence_names
from sctrpn_jax.data.layouts import listing
from sctrpn_jax.metrics import one_pass


def read_attributes(benchmark: record.Benchmark, path: str | os.PathLike) -> dict[str, frozenset[str]]:
    """Attributes by sequence.

    Args:
      benchmark: one that has attributes.
      path: where it has names, a JSON file {sequence: [names]}, a list with one row `<sequence>`, tab,
        `<abbreviations>` per sequence, or a folder with `<sequence>/attrs.txt`. Where it has flags, a folder with one
        row of them in each `<sequence>.txt`: UAV123's `anno/<subset>/att` (or `anno/<subset>`), the LaSOT toolkit's
        `annos/att`.

    Returns:
      Sequence -> full names of its attributes.

    Raises:
      ValueError: `path:line: reason` of what cannot be read, or no attribute at all.
    """
    path, names = os.fspath(path), benchmark.attributes
    if not benchmark.attribute_flags:
        found = _folders(path, names) if os.path.isdir(path) else _file(path, names)
    else:
        inner = os.path.join(path, 'att')
        folder = inner if os.path.isdir(inner) else path
        files = [file for file in listing.names_in(folder, folders=False) if file.endswith('.txt')]
        found = {file[:-4]: _flags(os.path.join(folder, file), names) for file in files}
    if not found:
        raise ValueError(f'{path}: no attributes; expected those of {benchmark.name}, {", ".join(names)}')
    return found


def scores_by_attribute(
    scores: Mapping[str, one_pass.Scores], attributes: Mapping[str, Iterable[str]], convention: str = 'otb'
) -> dict[str, tuple[one_pass.Scores, int]]:
    """Mean scores of the sequences that have each attribute.

    Args:
      scores: sequence -> scores, of one tracker.
      attributes: sequence -> names of its attributes; sequences in any spelling that `sequence_names.match` knows.
      convention: that of the scores.

    Returns:
      Name -> (mean, how many sequences), in alphabetical order; attributes of no scored sequence are not in it.

    Raises:
      ValueError: a sequence of `scores` is not in `attributes`.
    """
    meant = sequence_names.match(attributes, scores)
    known = {sequence: attributes[name] for name, sequence in meant.items()}
    groups: dict[str, list[one_pass.Scores]] = {}
    for sequence, each in scores.items():
        if sequence not in known:
            raise ValueError(f'sequence {sequence!r}: no attributes; {len(attributes)} other sequences have some')
        for name in known[sequence]:
            groups.setdefault(name, []).append(each)
    return {name: (one_pass.mean_scores(groups[name], convention), len(groups[name])) for name in sorted(groups)}


def _file(path: str, names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    text = listing.read_text(path)
    if not path.endswith('.json'):
        lines = enumerate(text.split('\n'), 1)
        rows = {number: line.split('\t') for number, line in lines if line.strip()}
        return {row[0].strip(): _named(f'{path}:{number}', ' '.join(row[1:]), names) for number, row in rows.items()}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: not JSON ({error})') from None
    if not isinstance(content, dict):
        raise ValueError(f'{path}: got {type(content).__name__}, expected an object of sequence: [attributes]')
    for sequence, each in content.items():
        unknown = [name for name in each if name not in names.values()] if isinstance(each, list) else [each]
        if unknown:
            raise ValueError(f'{path}: {sequence} has {unknown[0]!r:.80}; accepted are {", ".join(names.values())}')
    return {sequence: frozenset(each) for sequence, each in content.items()}


def _folders(path: str, names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    found = {}
    for name in listing.names_in(path, folders=True):
        file = os.path.join(path, name, 'attrs.txt')
        if os.path.isfile(file):
            found[name] = _named(f'{file}:1', listing.read_text(file), names)
    return found


def _named(where: str, text: str, names: Mapping[str, str]) -> frozenset[str]:
    """Full names of abbreviations, separated by commas or spaces."""
    short = re.findall(r'[^,\s]+', text)
    unknown = [each for each in short if each not in names]
    if unknown:
        raise ValueError(f'{where}: got {unknown[0][:80]!r}, accepted are {", ".join(names)}')
    return frozenset(names[each] for each in short)


def _flags(path: str, names: Mapping[str, str]) -> frozenset[str]:
    flags = re.findall(r'[^,\s]+', listing.read_text(path))
    if len(flags) != len(names) or not set(flags) <= {'0', '1'}:
        raise ValueError(f'{path}:1: got {",".join(flags)[:80]!r}, expected {len(names)} flags, 0 or 1')
    return frozenset(name for name, flag in zip(names.values(), flags, strict=True) if flag == '1')

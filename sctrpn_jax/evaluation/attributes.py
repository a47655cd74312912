"""What makes each sequence hard, as the benchmarks annotate it, and scores by attribute.

OTB has lists of names (attributes.json, the toolkit's attr_list.txt, or attrs.txt beside each annotation), UAV123 and
LaSOT a row of flags a sequence. Flag files of OTB are not read: those in circulation contradict its own list.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping

from sctrpn_jax.data.layouts import listing
from sctrpn_jax.evaluation import result_files
from sctrpn_jax.metrics import one_pass

# Abbreviation -> name. OTB's are those of jwlim/tracker_benchmark, data/attr_desc.txt.
OTB = {
    'IV': 'Illumination Variation',
    'SV': 'Scale Variation',
    'OCC': 'Occlusion',
    'DEF': 'Deformation',
    'MB': 'Motion Blur',
    'FM': 'Fast Motion',
    'IPR': 'In-Plane Rotation',
    'OPR': 'Out-of-Plane Rotation',
    'OV': 'Out-of-View',
    'BC': 'Background Clutters',
    'LR': 'Low Resolution',
}
# In the order of the flags: the benchmark's perfPlot.m; counted over the 123 sequences they are those of its paper.
UAV123 = {
    'SV': 'Scale Variation',
    'ARC': 'Aspect Ratio Change',
    'LR': 'Low Resolution',
    'FM': 'Fast Motion',
    'FOC': 'Full Occlusion',
    'POC': 'Partial Occlusion',
    'OV': 'Out-of-View',
    'BC': 'Background Clutter',
    'IV': 'Illumination Variation',
    'VC': 'Viewpoint Change',
    'CM': 'Camera Motion',
    'SOB': 'Similar Object',
}
# In the order of the flags: HengLan/LaSOT_Evaluation_Toolkit, run_tracker_performance_evaluation.m.
LASOT = {
    'IV': 'Illumination Variation',
    'POC': 'Partial Occlusion',
    'DEF': 'Deformation',
    'MB': 'Motion Blur',
    'CM': 'Camera Motion',
    'ROT': 'Rotation',
    'BC': 'Background Clutter',
    'VC': 'Viewpoint Change',
    'SV': 'Scale Variation',
    'FOC': 'Full Occlusion',
    'FM': 'Fast Motion',
    'OV': 'Out-of-View',
    'LR': 'Low Resolution',
    'ARC': 'Aspect Ratio Change',
}
BENCHMARKS = {'otb': OTB, 'uav123': UAV123, 'lasot': LASOT}


def read_attributes(benchmark: str, path: str | os.PathLike) -> dict[str, frozenset[str]]:
    """Attributes by sequence.

    Args:
      benchmark: a key of `BENCHMARKS`.
      path: OTB: a JSON file {sequence: [names]}, a list with a row `<sequence>`, tab, `<abbreviations>` each, or a
        folder with `<sequence>/attrs.txt`. UAV123: `anno/<subset>/att` (or `anno/<subset>`), LaSOT: the toolkit's
        `annos/att`, with one row of flags in `<sequence>.txt`.

    Returns:
      Sequence -> full names of its attributes.

    Raises:
      ValueError: `path:line: reason` of what cannot be read, or no attribute at all.
    """
    if benchmark not in BENCHMARKS:
        raise ValueError(f'benchmark: got {benchmark!r}, accepted are {", ".join(BENCHMARKS)}')
    path, names = os.fspath(path), BENCHMARKS[benchmark]
    if benchmark == 'otb':
        found = _folders(path, names) if os.path.isdir(path) else _file(path, names)
    else:
        inner = os.path.join(path, 'att')
        folder = inner if os.path.isdir(inner) else path
        files = [file for file in listing.names_in(folder, folders=False) if file.endswith('.txt')]
        found = {file[:-4]: _flags(os.path.join(folder, file), names) for file in files}
    if not found:
        raise ValueError(f'{path}: no attributes; expected those of {benchmark}, {", ".join(names)}')
    return found


def scores_by_attribute(
    scores: Mapping[str, one_pass.Scores], attributes: Mapping[str, Iterable[str]], convention: str = 'otb'
) -> dict[str, tuple[one_pass.Scores, int]]:
    """Mean scores of the sequences that have each attribute.

    Args:
      scores: sequence -> scores, of one tracker.
      attributes: sequence -> names, as `read_attributes`; names of sequences match as those of result files.
      convention: that of the scores.

    Returns:
      Name -> (mean, how many sequences), in alphabetical order; attributes of no scored sequence are not in it.

    Raises:
      ValueError: a sequence of `scores` is not in `attributes`.
    """
    meant = result_files.match_names(attributes, scores)
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
    """Full names of abbreviations, parted by commas or spaces."""
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

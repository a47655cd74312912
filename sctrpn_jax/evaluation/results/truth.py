"""Ground truth by sequence: read with the frames of a benchmark, or from annotation files alone."""

import dataclasses
import os
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.data.benchmarks import record, registry, sequence_names
from sctrpn_jax.data.layouts import listing, rows
from sctrpn_jax.evaluation.results import result_files


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    """Ground truth of one sequence.

    A folder of annotations gives the numbers of its files, by which conventions tell zeros from NaN. A benchmark's own
    folder gives NaN for both.

    Attributes:
      boxes: [T, 4] xywh, 0-based; NaN or without size where there is no box.
      absent: [T] bool, frames flagged as without a visible target; None: the benchmark has no such flags.
    """

    boxes: np.ndarray
    absent: np.ndarray | None = None


def read_truth(
    benchmark: str, root: str | os.PathLike, names: Iterable[str] = (), split: str | None = None
) -> tuple[dict[str, Truth], record.Split]:
    """Ground truth, and the split of the benchmark that it is.

    Args:
      benchmark: one of `data.benchmarks.registry.every()`.
      root: a folder of `<sequence>.txt` annotations, one that has them in `annotations`, or the benchmark's own.
      names: of some sequences, or `-NAME` for all but that one; (): all.
      split: of the benchmark; None: the one that the folder holds.

    Returns:
      Sequence -> truth, in the order of `names`; and the split.

    Raises:
      ValueError: neither kind of folder, a damaged row, an unknown name, or a sequence of the split that is missing.
    """
    known, names = registry.get(benchmark), list(names)
    wanted, without = sequence_names.choice(names)
    found = _read_annotations(known, root, without)
    if found is None:
        sequences = sequences_lib.read_sequences(benchmark, root, names or None, split)
        found = {each.name: sequence_truth(known, each) for each in sequences}
        there = found
        if names and split is None and known.told_by_names:
            there = sequences_lib.names_in(benchmark, root)
        return found, known.split_of(there, root, split)
    if split is not None and known.told_by_names:
        found = _of_split(found, known.split(split), root)
    about = known.split_of(found, root, split)
    if unknown := [name for name in wanted if name not in found]:
        raise ValueError(f'no sequence {unknown[0]!r} in {os.fspath(root)}; there are {", ".join(sorted(found)[:20])}')
    return {name: found[name] for name in wanted or found}, about


def sequence_truth(benchmark: record.Benchmark, sequence: sequences_lib.Sequence) -> Truth:
    """Ground truth of a sequence that was read with its frames.

    Frames are absent where the benchmark flags them beside its boxes (LaSOT, GOT-10k). UAV123 has NaN boxes alone, and
    toolkits judge those in other ways.
    """
    flagged = benchmark.absence_flags and sequence.visible is not None
    return Truth(sequence.boxes, sequence.visible == 0 if flagged else None)


def _read_annotations(
    benchmark: record.Benchmark, root: str | os.PathLike, without: Sequence[str]
) -> dict[str, Truth] | None:
    """The truth in a folder of text files and nothing else; None where there is no such folder."""
    for folder in (os.path.join(root, 'annotations'), os.fspath(root)):
        files = listing.names_in(folder, folders=False) if os.path.isdir(folder) else []
        files = [file for file in files if file.endswith('.txt')]
        if files and not listing.names_in(folder, folders=True):
            paths = {file[:-4]: os.path.join(folder, file) for file in files}
            sequence_names.check_there(without, paths, root)
            left = {name: path for name, path in paths.items() if name not in without}
            return {name: _annotation(path, benchmark.origin, name, left) for name, path in left.items()}
    return None


def _annotation(path: str, origin: int, name: str, names: Collection[str]) -> Truth:
    boxes = result_files.plain_boxes(listing.read_text(path))
    if boxes is None:
        try:
            found = rows.read_rows(path)
        except ValueError as error:
            raise ValueError(f'{error}{sequence_names.go_on_without([name], names)}') from None
        if found.refused:
            raise ValueError(found.refused[0] + sequence_names.go_on_without([name], names))
        boxes = found.values
    return Truth(boxes - [origin, origin, 0, 0])


def _of_split(found: dict[str, Truth], split: record.Split, root: str | os.PathLike) -> dict[str, Truth]:
    meant = sequence_names.match(found, split.names)
    if missing := sorted(set(split.names) - set(meant.values())):
        named = ', '.join(missing[:5]) + (', ...' if len(missing) > 5 else '')
        raise ValueError(f'{os.fspath(root)}: {len(missing)} sequences of {split.title} are missing: {named}')
    return {name: found[name] for name in found if name in meant}

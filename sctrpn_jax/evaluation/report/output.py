"""A report as files in one folder, each written whole or not at all."""

import os
import pathlib

from sctrpn_jax import bounded
from sctrpn_jax.evaluation.report import data, page, tables
from sctrpn_jax.system import files

_MAKERS = {
    'report.json': data.to_json,
    'report.csv': tables.trackers_csv,
    'sequences.csv': tables.sequences_csv,
    'attributes.csv': tables.attributes_csv,
    'report.md': tables.trackers_markdown,
    'report.html': page.page,
}


def write_report(report: data.Report, folder: str | os.PathLike) -> dict[str, pathlib.Path]:
    """Writes report.json, report.csv, sequences.csv, attributes.csv, report.md and report.html.

    Args:
      report: what to write.
      folder: made where it is missing.

    Returns:
      File name -> path.

    Raises:
      OSError: the folder cannot be written to.
    """
    paths = {name: pathlib.Path(folder) / name for name in _MAKERS}
    for name, make in _MAKERS.items():
        files.write_text(paths[name], make(report))
    return paths


def read_report(path: str | os.PathLike) -> data.Report:
    """The report of a report.json.

    Raises:
      ValueError: `path: reason` of a file that holds none.
      OSError: it cannot be read.
    """
    try:
        report = data.from_json(bounded.read_bytes(path, bounded.JSON_BYTES).decode())
        points = {kind.key: len(kind.x) for kind in report.curves}
        for tracker in report.trackers:
            for key, values in tracker.curves.items():
                if points.get(key) != len(values):
                    raise ValueError(f'curve {key!r:.80} of {tracker.name!r:.80} has {len(values)} points')
    except ValueError as error:
        raise ValueError(f'{os.fspath(path)}: {error}') from None
    return report

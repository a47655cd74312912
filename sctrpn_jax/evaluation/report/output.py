"""A report as files in one folder, each written whole or not at all."""

import os
import pathlib
from collections.abc import Mapping

from sctrpn_jax import bounded
from sctrpn_jax.evaluation.report import data, page, tables
from sctrpn_jax.system import files

_MAKERS = {
    'report.json': data.to_json,
    'report.csv': tables.trackers_csv,
    'sequences.csv': tables.sequences_csv,
    'attributes.csv': tables.attributes_csv,
    'report.md': tables.trackers_markdown,
}


def write_report(
    report: data.Report, folder: str | os.PathLike, pictures: Mapping[str, str] | None = None
) -> dict[str, pathlib.Path]:
    """Writes report.json, report.csv, sequences.csv, attributes.csv, report.md and report.html.

    Args:
      report: what to write.
      folder: made where it is missing.
      pictures: sequence -> picture of its worst frames, a path within `folder`, for the page to link to.

    Returns:
      File name -> path.

    Raises:
      OSError: the folder cannot be written to.
    """
    texts = {name: make(report) for name, make in _MAKERS.items()}
    texts['report.html'] = page.page(report, pictures)
    paths = {name: pathlib.Path(folder) / name for name in texts}
    for name, text in texts.items():
        files.write_text(paths[name], text)
    return paths


def read_report(path: str | os.PathLike) -> data.Report:
    """The report of a report.json.

    Raises:
      ValueError: `path: reason` of a file that holds none.
      OSError: it cannot be read.
    """
    try:
        report = data.from_json(bounded.read_bytes(path, bounded.JSON_BYTES).decode())
        kinds = {kind.key: kind for kind in report.curves}
        for tracker in report.trackers:
            for scored in (tracker, *tracker.attributes.values()):
                for key, values in scored.curves.items():
                    kind = kinds.get(key)
                    if kind is None or len(values) != len(kind.x) or kind.metric not in scored.values:
                        raise ValueError(f'curve {key!r:.80} of {tracker.name!r:.80}: {len(values)} points do not fit')
    except ValueError as error:
        raise ValueError(f'{os.fspath(path)}: {error}') from None
    return report

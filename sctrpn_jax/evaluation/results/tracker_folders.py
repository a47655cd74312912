"""Where the results of trackers lie: one folder per tracker, or a single tracker's."""

import os
import pathlib


def tracker_folders(folder: str | os.PathLike) -> dict[str, pathlib.Path]:
    """Trackers in a results folder: its folders, or the folder itself where the files lie in it.

    Returns:
      Name -> folder, sorted.

    Raises:
      ValueError: no results in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f'no results; expected a folder {folder}')
    if has_results(folder):
        return {folder.resolve().name: folder}
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and has_results(path)}
    if not found:
        raise ValueError(
            f"no results in {folder}; expected <sequence>.txt or .csv files, VOT's baseline/ or longterm/, or one "
            'folder per tracker'
        )
    return found


def has_results(folder: str | os.PathLike) -> bool:
    """Whether a folder is one tracker's: VOT's, or one-pass results, beside which TRE and SRE may lie."""
    folder = pathlib.Path(folder)
    files = [path for path in folder.iterdir() if path.is_file() and path.suffix in ('.txt', '.csv')]
    made = {'report.csv', 'sequences.csv', 'attributes.csv'}  # a report's own tables are no results
    nested = any((path / f'{path.name}_001.txt').is_file() for path in folder.iterdir() if path.is_dir())
    of_vot = any((folder / experiment).is_dir() for experiment in ('baseline', 'longterm'))
    return of_vot or nested or any(path.name not in made for path in files)

"""What folders and list files name, each read once: no image is touched."""

import dataclasses
import os
import re

from sctrpn_jax import bounded

_IMAGES = ('.jpg', '.jpeg', '.png', '.bmp')
_NUMBER = re.compile('[0-9]{1,15}')


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Images of a folder, named by frame number (`0001.jpg`, `12.jpg`).

    Attributes:
      folder: where they lie.
      paths: frame number -> path, ascending by number, so that 2.jpg comes before 10.jpg.
      refused: one line per image that has no number, or the number of another.
    """

    folder: str
    paths: dict[int, str]
    refused: tuple[str, ...] = ()

    def within(self, first: int, last: int) -> 'Images':
        """Those with numbers first to last, both included."""
        paths = {number: path for number, path in self.paths.items() if first <= number <= last}
        return dataclasses.replace(self, paths=paths)


def read_text(path: str | os.PathLike) -> str:
    """Text of a file, UTF-8 with damaged bytes replaced; ValueError, naming it, where it cannot be read."""
    try:
        bounded.check_file(path, bounded.TEXT_BYTES)
        with open(path, encoding='utf-8-sig', errors='replace') as file:
            return file.read()
    except FileNotFoundError:
        raise ValueError(f'no annotation; expected {os.fspath(path)}') from None
    except OSError as error:
        raise ValueError(f'{os.fspath(path)}: cannot be read ({error.strerror})') from error


def names_in(folder: str | os.PathLike, folders: bool) -> list[str]:
    """Sorted names of the folders, or of the files, in a folder; hidden ones do not belong to a dataset.

    Raises:
      ValueError: there is no such folder.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() == folders and entry.name[0] != '.')
    except OSError as error:
        raise ValueError(f'expected a folder {os.fspath(folder)} ({error.strerror})') from error


def numbered_images(folder: str | os.PathLike) -> Images:
    """Lists a folder of images.

    Raises:
      ValueError: no image in it.
    """
    folder = os.fspath(folder)
    try:
        names = [name for name in names_in(folder, folders=False) if name.lower().endswith(_IMAGES)]
    except ValueError:
        names = []
    paths: dict[int, str] = {}
    refused, twice = [], set()
    for name in names:
        stem, path = os.path.splitext(name)[0], os.path.join(folder, name)
        if not _NUMBER.fullmatch(stem):
            refused.append(f'{path}: its name is no frame number')
        elif int(stem) in paths:
            twice.add(int(stem))
            refused.append(f'{path}: frame {int(stem)} is {os.path.basename(paths[int(stem)])} too; neither is used')
        else:
            paths[int(stem)] = path
    paths = {number: paths[number] for number in sorted(paths.keys() - twice)}
    if not paths:
        raise ValueError(f'no images; expected them in {folder}, named by frame number')
    return Images(folder, paths, tuple(refused))


def read_names(path: str | os.PathLike) -> tuple[list[str], list[str]]:
    """Names in a list file, one per line, in its order.

    Returns:
      The names, and one line each for what was refused: a name given twice, or one that cannot be a folder's.

    Raises:
      ValueError: no name in it.
    """
    found: dict[str, None] = {}
    refused = []
    for line, text in enumerate(read_text(path).split('\n'), 1):
        name = text.strip()
        if not name:
            continue
        if name in found:
            refused.append(f'{os.fspath(path)}:{line}: {name!r} is named twice')
        elif name in ('.', '..') or re.search(r'[/\\\0]', name):
            refused.append(f'{os.fspath(path)}:{line}: {name[:80]!r} is no name of a folder')
        else:
            found[name] = None
    if not found:
        raise ValueError(f'{os.fspath(path)}: names no sequence; expected one name per line')
    return list(found), refused


def check_split(split: str, splits: tuple[str, ...]) -> None:
    """ValueError where a split is not one of the published ones."""
    if split not in splits:
        raise ValueError(f'split: got {split!r}, accepted are {", ".join(splits)}')

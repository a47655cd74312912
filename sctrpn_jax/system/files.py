"""Files that appear whole or not at all, and stay after a power failure."""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A name to write to, `path` with `.partial`; it becomes `path` at the end of the block, and an error removes it.

    Args:
      path: an old file of that name is replaced; the folder is made where it is missing.

    Raises:
      OSError: the folder cannot be written to, the disk is full.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Always the same name: what a kill has left is overwritten when the work is done again.
    partial = path.with_name(f'{path.name}.partial')
    try:
        with named(path):
            yield partial
            put(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def named(path: str | os.PathLike) -> Iterator[None]:
    """Names the file in an OSError of the block that names none: those of `write` and `flush` say no more than why."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def put(partial: str | os.PathLike, path: str | os.PathLike) -> None:
    """Gives a finished file or folder its name once its bytes are on disk; one of that name is replaced.

    Raises:
      OSError: the bytes cannot be written.
    """
    sync(partial)
    os.replace(partial, path)
    sync(pathlib.Path(path).parent)


def sync(path: str | os.PathLike) -> None:
    """Returns when a file's bytes, or a folder's names, are on disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text as UTF-8, whole or not at all; bytes of file names that are no text are shown escaped."""
    with replacing(path) as partial:
        partial.write_text(text, encoding='utf-8', errors='backslashreplace', newline='')

"""Files from elsewhere, read within limits: what a header claims is checked before anything of that size is read.

A file may be damaged, or made to do harm. It costs no more memory than a sound one, and is one `ValueError` that names
it. No pickle is read.
"""

import json
import math
import os
import pathlib
import stat
import typing
import zipfile
from collections.abc import Mapping

import numpy as np

JSON_DEPTH = 50
JSON_BYTES = 2**26  # the largest of ours, a report with every curve, has 2**23
TEXT_BYTES = 2**31  # the largest annotation file that is published, YouTube-BB's, has 2**29
ARRAY_BYTES = 2**32  # the table of the largest published set, TrackingNet's 14 million boxes, has 2**30
MAX_PIXEL = 1e6  # no image is as wide; a larger number is a damaged one
_HEADER_BYTES = 10_000  # of one array: NumPy's own limit
_READABLE = 'biufU'  # kinds of NumPy types that hold no objects and no records


class Header(typing.NamedTuple):
    """What an archive says of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype


def check_file(path: str | os.PathLike, limit: int = ARRAY_BYTES) -> None:
    """Refuses what is no file of its own (a folder, a pipe, which may never end), or is too large.

    Args:
      path: of the file.
      limit: bytes.

    Raises:
      OSError: nothing is there (FileNotFoundError), or it must not be looked at.
      ValueError: it is no file, or a larger one.
    """
    about = os.stat(path)
    if not stat.S_ISREG(about.st_mode):
        raise ValueError(f'{os.fspath(path)}: not a file')
    if about.st_size > limit:
        raise ValueError(f'{os.fspath(path)}: {about.st_size:,} bytes; accepted are {limit:,}')


def read_bytes(path: str | os.PathLike, limit: int = ARRAY_BYTES) -> bytes:
    """The bytes of a file; errors are those of `check_file`."""
    check_file(path, limit)
    return pathlib.Path(path).read_bytes()


def check_folder(folder: str | os.PathLike) -> None:
    """Refuses a folder in which something is neither a file nor a folder: libraries wait for a pipe for ever.

    Raises:
      ValueError: the first such thing.
    """
    for path in sorted(pathlib.Path(folder).rglob('*')):
        if not (path.is_file() or path.is_dir()):
            raise ValueError(f'{path}: neither a file nor a folder')


def read_json(path: str | os.PathLike, form: str) -> typing.Any:
    """The content of a JSON file.

    Args:
      path: of the file.
      form: what it should be, for messages: `a config`.

    Raises:
      FileNotFoundError: nothing is there.
      ValueError: it cannot be read, or is no JSON.
    """
    check_file(path, JSON_BYTES)
    try:
        return parse_json(read_bytes(path, JSON_BYTES).decode())
    except (OSError, ValueError) as error:
        raise damaged(path, f'{form} in JSON', error) from None


def parse_json(text: str | bytes) -> typing.Any:
    """The content of a JSON text; ValueError where it is none, or nested more than `JSON_DEPTH` deep."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError('nested too deeply') from None
    level, depth = [content], 0
    while level := [inner for each in level for inner in _inner(each)]:
        depth += 1
        if depth > JSON_DEPTH:  # what walks through it later does so by recursion
            raise ValueError('nested too deeply')
    return content


def _inner(content: typing.Any) -> typing.Iterable:
    return content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()


def damaged(where: str | os.PathLike, form: str, error: Exception) -> ValueError:
    """One line for what a reader said of a file that is not of its form."""
    lines = str(error).strip().splitlines() or ['']
    return ValueError(f'{os.fspath(where)}: not {form} ({type(error).__name__}: {lines[0][:120]})')


class ArrayFile:
    """The arrays of an .npz; headers are read at once, an array when it is asked for. A context manager.

    Args:
      source: path, or the bytes of a file.
      form: what the file should be, for messages: `a weights file of this project`.
      where: names the file in messages; None: the path.

    Attributes:
      headers: of every array by name.

    Raises:
      FileNotFoundError: nothing is there.
      ValueError: no such archive; arrays of objects; a header that does not go with the bytes there are, or arrays of
        more than `ARRAY_BYTES` together.
    """

    def __init__(self, source: str | os.PathLike | typing.BinaryIO, form: str, where: str | None = None):
        self._form, self._archive = form, None
        self._where = str(source) if where is None else where
        if isinstance(source, str | os.PathLike):
            check_file(source, ARRAY_BYTES)
        try:
            self._archive = zipfile.ZipFile(source)
            self._entries = {info.filename.removesuffix('.npy'): info for info in self._archive.infolist()}
            if len(self._entries) < len(self._archive.infolist()):
                raise ValueError('two arrays of the same name')
            claimed = sum(info.file_size for info in self._entries.values())
            if claimed > ARRAY_BYTES:
                raise ValueError(f'arrays of {claimed:,} bytes; accepted are {ARRAY_BYTES:,}')
            self.headers = {name: self._header(name) for name in self._entries}
        except Exception as error:  # damaged bytes raise a dozen kinds
            self.close()
            raise damaged(self._where, form, error) from None

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            with self._archive.open(self._entries[name]) as stream:
                return np.lib.format.read_array(stream, allow_pickle=False, max_header_size=_HEADER_BYTES)
        except Exception as error:  # as above
            raise damaged(self._where, self._form, error) from None

    def __enter__(self) -> 'ArrayFile':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets the file go."""
        if self._archive is not None:
            self._archive.close()

    def _header(self, name: str) -> Header:
        info = self._entries[name]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f'{name}: compressed in a way that NumPy does not write')
        with self._archive.open(info) as stream:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
            shape, _, dtype = read(stream, max_header_size=_HEADER_BYTES)
            begin = stream.tell()
        if dtype.kind not in _READABLE or min(shape, default=0) < 0:
            raise ValueError(f'{name}: shape {shape} of {dtype}')
        if math.prod(shape) * dtype.itemsize != info.file_size - begin:
            raise ValueError(f'{name}: shape {shape} of {dtype} in {info.file_size - begin} bytes')
        return Header(shape, dtype)


class Shaped(typing.Protocol):
    """An array, or what is known of one before it is read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""

    @property
    def dtype(self) -> np.dtype:
        """Of the elements."""


def check_fit(where: str | os.PathLike, found: Mapping[str, Shaped], wanted: Mapping[str, Shaped]) -> None:
    """Refuses arrays that are not those of a network.

    Args:
      where: names their file.
      found: name -> array or header.
      wanted: name -> what has the shape; any floating-point type of 16 or 32 bits will do.

    Raises:
      ValueError: the first name that is missing, or not wanted, or has another shape or type.
    """
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found or name not in wanted or tuple(found[name].shape) != tuple(wanted[name].shape):
            got, want = ('none' if name not in each else list(each[name].shape) for each in (found, wanted))
            raise ValueError(f'{os.fspath(where)}: weights of another network: {name} is {got}, wanted is {want}')
        dtype = np.dtype(found[name].dtype)
        if dtype.kind != 'f' or dtype.itemsize > 4:
            raise ValueError(f'{os.fspath(where)}: {name} is of type {dtype}; accepted are float16 and float32')


def check_finite(where: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """ValueError where an array has a NaN or an infinite number; the message has its name."""
    for name in sorted(arrays):
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f'{os.fspath(where)}: {name} has numbers that are not finite')

"""One process at a time works on a folder: a lock that the operating system takes back when its process ends."""

import contextlib
import errno
import fcntl
import logging
import os
import pathlib
import platform
import time
from collections.abc import Iterator

_log = logging.getLogger(__name__)

FILE = '.lock'
_WAIT_SECONDS = 0.05  # from a look at a lock to the next
# What a file system without locks answers (some mounts of Lustre, FUSE).
_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


class LockedError(ValueError):
    """Another process works on the folder."""


@contextlib.contextmanager
def hold(folder: str | os.PathLike, name: str = FILE, wait: float = 0.0) -> Iterator[None]:
    """Locks a folder until the block or the process ends; its file `.lock` says who holds it.

    The lock is `flock`'s: the kernel frees it when the process ends, however it ends, and child processes that are
    spawned do not inherit it. On NFS it holds among machines. Of several processes that work together, one holds it.
    On a file system that has no locks, a warning is logged and the block runs without.

    Args:
      folder: made where it is missing.
      name: of the file; each name is a lock of its own.
      wait: seconds to wait for a holder that will soon be done.

    Raises:
      LockedError: another process holds it; the message says which, on which machine and since when.
      OSError: the folder cannot be written to.
    """
    path = pathlib.Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _take(path, time.monotonic() + wait)
    try:
        yield
    finally:
        if file is not None:
            path.unlink(missing_ok=True)  # before it is free: the next process makes a new one
            os.close(file)


def _take(path: pathlib.Path, end: float) -> int | None:
    """The open file that is the lock; None where the file system has no locks."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder may have removed the file after it was opened here.
            if _has_name(file, path):
                os.ftruncate(file, 0)
                os.write(file, f'process {os.getpid()} on {platform.node()} since {_now()}'.encode())
                return file
            os.close(file)
        except BlockingIOError:
            holder = os.read(file, 300).decode(errors='replace').strip() or 'another process'
            os.close(file)
            if time.monotonic() < end:
                time.sleep(_WAIT_SECONDS)
                continue
            raise LockedError(f'{path.parent} is in use by {holder}; let it end, or give another folder') from None
        except OSError as error:
            os.close(file)
            if error.errno not in _NO_LOCKS:
                raise
            _log.warning('%s: this file system has no locks (%s); start no second process on it', path, error.strerror)
            return None


def _has_name(file: int, path: pathlib.Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _now() -> str:
    return time.strftime('%Y-%m-%d %H:%M:%S %z')

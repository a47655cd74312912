"""Work shared among processes that end with the one that started them, however it ends."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator

import cv2

_WATCH_SECONDS = 2.0


def _start(parent: int, initializer: Callable[..., None] | None, arguments: tuple) -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism

    def watch():
        # A worker whose parent was killed would wait for work for ever.
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if initializer:
        initializer(*arguments)


@contextlib.contextmanager
def process_pool(
    count: int, initializer: Callable[..., None] | None = None, arguments: tuple = ()
) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """A pool of fresh processes (spawned: JAX's threads do not survive a fork).

    Args:
      count: of processes, at least 1.
      initializer: called first in each.
      arguments: of it.

    Raises:
      OSError: a process ended early; what was not begun is cancelled.
    """
    pool = concurrent.futures.ProcessPoolExecutor(
        count, multiprocessing.get_context('spawn'), _start, (os.getpid(), initializer, arguments)
    )
    try:
        yield pool
    except concurrent.futures.process.BrokenProcessPool as error:
        raise OSError('a worker process ended early (out of memory?); the same command goes on') from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

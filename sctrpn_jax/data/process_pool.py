"""Work shared among processes that end with the one that started them, however it ends."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
import time
import typing
from collections.abc import Callable, Iterable, Iterator

import cv2

from sctrpn_jax.system import interrupts

_WATCH_SECONDS = 2.0  # from a look at the parent process to the next
_SIGNAL_SECONDS = 0.5  # from a look for signals to the next


def start_worker(parent: int, initializer: Callable[..., None] | None = None, arguments: tuple = ()) -> None:
    """What a worker process does first: one thread, no Ctrl-C of its own, and an end with its parent.

    Args:
      parent: number of the process that started it.
      initializer: called then.
      arguments: of it.
    """
    cv2.setNumThreads(1)  # the processes are the parallelism
    # A terminal sends Ctrl-C to all processes; the parent decides what becomes of the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

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
      Interrupted: a signal came inside `interrupts.deferred`; the processes are ended where they are.
    """
    pool = concurrent.futures.ProcessPoolExecutor(
        count, multiprocessing.get_context('spawn'), start_worker, (os.getpid(), initializer, arguments)
    )
    try:
        yield pool
    except concurrent.futures.process.BrokenProcessPool as error:
        interrupts.check()  # the signal went to all processes
        raise OSError('a worker process ended early (out of memory?); the same command goes on') from error
    except KeyboardInterrupt:
        for child in multiprocessing.active_children():
            child.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def as_completed(futures: Iterable[concurrent.futures.Future]) -> Iterator[concurrent.futures.Future]:
    """Futures as each is done, with a look for signals twice per second.

    Raises:
      Interrupted: a signal came inside `interrupts.deferred`.
    """
    waiting: typing.Any = set(futures)
    while waiting:
        done, waiting = concurrent.futures.wait(waiting, _SIGNAL_SECONDS, concurrent.futures.FIRST_COMPLETED)
        yield from done
        interrupts.check()

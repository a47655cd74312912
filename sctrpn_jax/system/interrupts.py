"""Ctrl-C (SIGINT) and SIGTERM, which schedulers send: work ends between two steps, when all it has can be saved.

    with interrupts.deferred():
        for item in work:
            interrupts.check()  # the only place where a signal ends the loop
            step(item)

A second signal leaves at once.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
import types
from collections.abc import Iterator

_SIGNALS = signal.SIGINT, signal.SIGTERM
# `timeout`, schedulers and wrappers send a signal to the process and to its group, so that it arrives twice.
_SAME_SIGNAL_SECONDS = 0.2
_NOTICE = b'\ninterrupted: this step ends and is saved; a second signal leaves at once\n'


class Interrupted(KeyboardInterrupt):
    """A signal ended the work.

    Attributes:
      exit_code: 128 plus the signal's number, as shells have it: 130 after SIGINT, 143 after SIGTERM.
    """

    def __init__(self, signal_number: int):
        super().__init__(signal.Signals(signal_number).name)
        self.exit_code = 128 + signal_number


_deferring = False
_noted: int | None = None  # the signal that came first while deferring
_noted_at = 0.0


def raise_on_terminate() -> None:
    """From now on SIGTERM raises `Interrupted`, as Ctrl-C raises KeyboardInterrupt; it would end Python on the spot."""
    if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, _receive)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Notes signals inside the block, where `check` and `noted` look for them; the second ends the process.

    Only the main thread receives signals: in another, and inside another such block, this changes nothing. A signal
    that is ignored (`nohup`, a job in the background of a script) stays ignored.

    Raises:
      Interrupted: at the end of the block, where a signal came and nothing else is raised.
    """
    global _deferring, _noted
    if _deferring or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    _deferring, _noted = True, None
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, _receive)
        yield
    finally:
        # First, and in one statement: a signal that comes while handlers are put back is raised.
        last, _noted, _deferring = _noted, None, False
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not one of Python's
    if last is not None:
        raise Interrupted(last)


def noted() -> bool:
    """Whether a signal came since the block began."""
    return _noted is not None


def check() -> None:
    """Raises `Interrupted` where a signal came since the block began."""
    if _noted is not None:
        raise Interrupted(_noted)


def _receive(number: int, frame: types.FrameType | None) -> None:
    global _noted, _noted_at
    if not _deferring:
        raise Interrupted(number)
    now = time.monotonic()
    if _noted is None:
        _noted, _noted_at = number, now
        with contextlib.suppress(OSError):
            os.write(2, _NOTICE)  # not print, which may be what was interrupted
    elif now - _noted_at > _SAME_SIGNAL_SECONDS:
        for child in multiprocessing.active_children():
            child.kill()
        os._exit(128 + number)

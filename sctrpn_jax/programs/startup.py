"""What a program sets up before anything heavy is imported: memory, kept compilations, quiet libraries.

Memory matters on a CPU. A training step takes and frees hundreds of megabytes, a tracking step forty to sixty. By
default glibc returns blocks of more than 32 MiB to the kernel, which hands them out again page by page, each filled
with zeros: on two cores that is a third of the time of a training run, and of a live frame.
"""

import logging
import os
import pathlib
import platform
import sys

from sctrpn_jax.system import interrupts

# glibc 2.35 reads the first of these; the others keep freed memory (thresholds in bytes).
_FIRST_GLIBC = (2, 35)
TUNABLES = ':'.join(
    f'glibc.malloc.{name}'
    for name in ('hugetlb=1', f'mmap_threshold={2**33}', f'trim_threshold={2**34}', f'top_pad={2**28}')
)


def begin(network: bool) -> None:
    """Sets up the process; call it once, before importing JAX, NumPy or OpenCV.

    Compiled programs are kept in `$XDG_CACHE_HOME/sctrpn_jax` (or `~/.cache/sctrpn_jax`). Every variable that the user
    has set (`JAX_COMPILATION_CACHE_DIR`, `GLIBC_TUNABLES`) stays as it is.

    Args:
      network: whether the program runs the network. If so, it starts again with other memory settings: glibc reads
        them when a process starts. The process keeps its number, its arguments and its open standard streams.
    """
    cache = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', str(pathlib.Path(cache) / 'sctrpn_jax'))
    # OpenCV's and FFmpeg's own messages would repeat less clearly what our errors say.
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    os.environ.setdefault('OPENCV_LOG_LEVEL', 'SILENT')
    if network:
        _start_with_memory_settings()
    interrupts.raise_on_terminate()
    _quieten_libraries()
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter('%(asctime)s %(message)s', '%H:%M:%S'))
    log = logging.getLogger('sctrpn_jax')
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


def _quieten_libraries() -> None:
    """Shows errors that libraries log, but not the tracebacks of what orbax raises again, where it can be caught."""
    others = logging.StreamHandler()
    others.setLevel(logging.ERROR)
    others.addFilter(lambda record: record.name not in ('absl', 'asyncio'))  # what orbax logs through
    logging.getLogger().addHandler(others)

    def report(unraisable: 'sys.UnraisableHookArgs') -> None:
        # Threads of tensorstore call into an event loop that orbax closes when a write fails.
        if str(unraisable.exc_value) != 'Event loop is closed':
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = report


def _start_with_memory_settings() -> None:
    """Starts the program again; does nothing where the settings are made already, or without glibc 2.35."""
    library, version = platform.libc_ver()
    if library != 'glibc' or tuple(map(int, version.split('.')[:2])) < _FIRST_GLIBC or 'GLIBC_TUNABLES' in os.environ:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {'GLIBC_TUNABLES': TUNABLES})

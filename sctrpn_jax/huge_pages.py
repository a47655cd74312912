"""Memory of a step on a CPU: kept by the process and in huge pages, instead of fetched anew at every step.

A training step takes and frees hundreds of megabytes, one of tracking forty to sixty. By default glibc hands blocks of
more than 32 MiB back to the kernel, which gives them again page by page, each filled with zeros: on two cores a third
of a training run's time, and of a live frame's.
"""

import os
import platform
import sys

# glibc 2.35 reads the first of these; the others keep freed memory (thresholds in bytes).
_FIRST_GLIBC = (2, 35)
TUNABLES = ':'.join(
    f'glibc.malloc.{name}'
    for name in ('hugetlb=1', f'mmap_threshold={2**33}', f'trim_threshold={2**34}', f'top_pad={2**28}')
)


def enable() -> None:
    """Starts the program again with these settings; does nothing where they are set already, or without glibc 2.35.

    glibc reads them when a process starts, so there is no other way to set them from inside. The process keeps its
    number, arguments and open standard streams.
    """
    library, version = platform.libc_ver()
    if library != 'glibc' or tuple(map(int, version.split('.')[:2])) < _FIRST_GLIBC or 'GLIBC_TUNABLES' in os.environ:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {'GLIBC_TUNABLES': TUNABLES})

"""Timing that does not depend on one lucky run: medians and percentiles over many, memory at the ends."""

import pathlib
import time
from collections.abc import Callable

import numpy as np


def seconds_of(call: Callable[[int], object], least_seconds: float, warm_up: int = 3) -> np.ndarray:
    """Wall times of repeated calls.

    Args:
      call: gets 0, 1, 2, ... and returns when its work is done.
      least_seconds: calls go on until they took as long together.
      warm_up: calls before the clock starts.

    Returns:
      [R] seconds, R >= 1.
    """
    for i in range(warm_up):
        call(i)
    times: list[float] = []
    i = warm_up
    while not times or sum(times) < least_seconds:
        start = time.perf_counter()
        call(i)
        times.append(time.perf_counter() - start)
        i += 1
    return np.array(times)


def summary(seconds: np.ndarray) -> dict[str, float]:
    """Milliseconds: median, the quartiles around it, and the 95th and 99th percentiles."""
    quantiles = {'p25': 25, 'median': 50, 'p75': 75, 'p95': 95, 'p99': 99}
    return {f'{name}_ms': float(np.percentile(seconds, at) * 1e3) for name, at in quantiles.items()}


def resident_mib() -> float:
    """Memory of this process that is in use, MiB; NaN where the system does not say."""
    try:
        lines = pathlib.Path('/proc/self/status').read_text().splitlines()
    except OSError:
        return float('nan')
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith('VmRSS'))

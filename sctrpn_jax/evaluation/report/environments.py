"""Where and how fast: versions, the machine in one line, frames per second."""

import importlib.metadata
import os
import pathlib
import platform
from collections.abc import Mapping

import cv2
import jax
import numpy as np

from sctrpn_jax.evaluation.report import data

_PACKAGES = ('sctrpn_jax', 'jax', 'jaxlib', 'flax', 'numpy')


def timing(seconds: Mapping[str, np.ndarray], hardware: str = '') -> data.Timing:
    """Frames per second from [T] seconds by sequence, of which the first, that is given, does not count."""

    def rate(arrays) -> float | None:
        frames, total = sum(len(each) - 1 for each in arrays), sum(float(np.sum(each[1:])) for each in arrays)
        return round(frames / total, 6) if total > 0 else None

    return data.Timing(rate(list(seconds.values())), hardware, {name: rate([each]) for name, each in seconds.items()})


def describe_environment() -> data.Environment:
    """Versions of what the numbers depend on, and the machine: devices, processor, cores."""
    versions = {'python': platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = 'not installed'
    versions['opencv'] = cv2.__version__
    devices = jax.devices()
    accelerator = '' if devices[0].platform == 'cpu' else f'{len(devices)} x {devices[0].device_kind}, '
    return data.Environment(versions, f'{accelerator}{_processor()}, {os.cpu_count()} cores')


def _processor() -> str:
    try:
        lines = pathlib.Path('/proc/cpuinfo').read_text().split('\n')
    except OSError:
        lines = []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()

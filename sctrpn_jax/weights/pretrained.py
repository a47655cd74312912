"""Trained networks that come with the package."""

import pathlib

from sctrpn_jax import config as config_lib
from sctrpn_jax.weights import network_file as weights_file

DEFAULT = 'sctrpn_lite'


def load_pretrained(name: str = DEFAULT) -> tuple[dict, config_lib.Config]:
    """Variables and config for `track_sequence` or `Tracker`.

    Args:
      name: one of `available()`.

    Raises:
      ValueError: no network of that name.
    """
    if name not in available():
        raise ValueError(f'{name!r}: no such pretrained network; there are: {", ".join(available()) or "none"}')
    return weights_file.read(_folder() / f'{name}.npz')


def available() -> list[str]:
    """Names of the networks that come with the package."""
    return sorted(path.stem for path in _folder().glob('*.npz'))


def _folder() -> pathlib.Path:
    return pathlib.Path(__file__).parent / 'networks'

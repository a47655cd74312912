"""Trained networks that come with the package; each has the name of the config that its recipe stands in."""

import pathlib

from sctrpn_jax import config as config_lib

DEFAULT = 'sctrpn_lite'
_FOLDER = pathlib.Path(__file__).parent / 'networks'


def load_pretrained(name: str = DEFAULT) -> tuple[dict, config_lib.Config]:
    """Variables and config for `track_sequence` or `Tracker`.

    Args:
      name: one of `available()`.

    Raises:
      ValueError: no network of that name.
    """
    from sctrpn_jax.weights import network_file  # it needs JAX, and `available` is asked before JAX is loaded

    if name not in available():
        raise ValueError(f'{name!r}: no such pretrained network; there are: {", ".join(available()) or "none"}')
    return network_file.read(_FOLDER / f'{name}.npz', check=False)


def available() -> list[str]:
    """Names of the networks that come with the package."""
    return sorted(path.stem for path in _FOLDER.glob('*.npz'))

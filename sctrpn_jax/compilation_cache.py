"""Compiled programs kept on disk between runs of the command-line programs."""

import os
import pathlib

import jax


def enable() -> None:
    """Keeps compiled programs in $XDG_CACHE_HOME/sctrpn_jax (or ~/.cache/sctrpn_jax); JAX's own setting wins."""
    if jax.config.jax_compilation_cache_dir:
        return
    root = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    jax.config.update('jax_compilation_cache_dir', str(pathlib.Path(root) / 'sctrpn_jax'))

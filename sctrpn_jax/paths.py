"""Where the shared folder (real sequences, training data, ImageNet weights) is: one setting."""

import os
import pathlib

_REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def shared_dir() -> pathlib.Path:
    """The folder named by the environment variable SCTRPN_SHARED, else `shared` beside the repository."""
    return pathlib.Path(os.environ.get('SCTRPN_SHARED') or _REPOSITORY.parent / 'shared')

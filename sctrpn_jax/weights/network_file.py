"""A trained network in one safe file: an .npz of half-precision arrays and the config as JSON; no pickle."""

import json
import os
import pathlib
import zipfile

import jax
import numpy as np

from sctrpn_jax import config as config_lib


def write(path: str | os.PathLike, variables: dict, config: config_lib.Config) -> None:
    """Writes parameters as float16 and running statistics as float32 (their range exceeds half precision).

    Args:
      path: of the .npz; replaced in one step.
      variables: of `SCTRPN`.
      config: it was trained with; of the folders and files it names, the last part of the path is kept.

    Raises:
      ValueError: a parameter that is not finite in half precision.
    """
    arrays = {}
    for keys, value in jax.tree.flatten_with_path(variables)[0]:
        name = '/'.join(key.key for key in keys)
        value = np.asarray(value)
        arrays[name] = value.astype(np.float16) if name.startswith('params/') else value
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f'{name}: not finite in half precision')
    path = pathlib.Path(path)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.npz')
    try:
        np.savez_compressed(temporary, config=json.dumps(_without_places(config_lib.to_dict(config))), **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _without_places(kept: dict) -> dict:
    """The file goes to others, on whose machines the paths of this one mean nothing."""
    for section, name in (
        (kept['model']['backbone'], 'weights'),
        (kept['data'], 'root'),
        (kept['validation'], 'root'),
        (kept['train'], 'start_from'),
    ):
        section[name] = pathlib.PurePath(section[name]).name
    return kept


def read(path: str | os.PathLike) -> tuple[dict, config_lib.Config]:
    """Variables (float32) and config of a file that `write` made.

    Raises:
      ValueError: missing, or not such a file.
    """
    try:
        # Opened here: NumPy would leave the file of a damaged archive open.
        with open(path, 'rb') as file, np.load(file, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        config = config_lib.from_dict(json.loads(str(arrays.pop('config'))))
    except FileNotFoundError:
        raise ValueError(f'{path}: no such file') from None
    except (KeyError, OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f'{path}: not a weights file of this project ({error})') from None
    variables = {}
    for name, value in arrays.items():
        *folders, leaf = name.split('/')
        place = variables
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = value.astype(np.float32)
    return variables, config

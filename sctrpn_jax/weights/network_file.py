"""A trained network in two safe files: NAME.npz with the arrays in half precision, NAME.json with its config.

The config lies beside the arrays, so that a renamed field does not change the large file. No pickle is read or written.
"""

import json
import os
import pathlib
import typing

import jax
import numpy as np

from sctrpn_jax import __version__, bounded, config_values
from sctrpn_jax import config as config_lib
from sctrpn_jax.models import sctrpn
from sctrpn_jax.system import files


def config_path(path: str | os.PathLike) -> pathlib.Path:
    """Where the config of a weights file lies: `NAME.json` beside `NAME.npz`."""
    return pathlib.Path(path).with_suffix('.json')


def write(path: str | os.PathLike, variables: dict, config: config_lib.Config) -> None:
    """Writes parameters as float16 and running statistics as float32, whose range exceeds half precision.

    Args:
      path: of the .npz; both files are replaced in one step each.
      variables: of `SCTRPN`.
      config: it was trained with; of the folders and files it names, the last part of the path is kept.

    Raises:
      ValueError: a parameter that is not finite in half precision.
    """
    arrays: dict[str, typing.Any] = {}
    for keys, value in jax.tree.flatten_with_path(variables)[0]:
        name = '/'.join(key.key for key in keys)
        value = np.asarray(value)
        arrays[name] = value.astype(np.float16) if name.startswith('params/') else value
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f'{name}: not finite in half precision')
    with files.replacing(path) as partial, files.replacing(config_path(path)) as partial_config:
        with partial.open('wb') as file:
            np.savez_compressed(file, **arrays)
        partial_config.write_bytes(pack_config(config))


def pack_config(config: config_lib.Config) -> bytes:
    """The JSON of `NAME.json`: a config and the version that wrote it.

    Args:
      config: of the folders and files that it names, the last part of the path is kept.
    """
    kept = _without_places(config_values.to_dict(config))
    return (json.dumps({'sctrpn_jax': __version__, 'config': kept}, indent=1) + '\n').encode()


# What to do with files of another version, after "use that version, or".
RENAME = 'write its config, with the names that CHANGELOG.md gives, into the .json: {"sctrpn_jax": .., "config": {..}}'


def parse_config(content: object, where: str, instead: str = RENAME) -> config_lib.Config:
    """Config of what `pack_config` made, or of a checkpoint.

    Args:
      content: the parsed JSON.
      where: the file, for messages.
      instead: what else a user of another version's file can do.

    Raises:
      ValueError: another form, or one that another version wrote.
    """
    if not isinstance(content, dict) or 'sctrpn_jax' not in content:
        raise ValueError(f'{where}: written by sctrpn_jax 0.1; {_advice("0.1", instead)}')
    writer = str(content['sctrpn_jax'])[:20]
    try:
        return config_values.check(config_values.from_dict(content.get('config'), config_lib.Config))
    except ValueError as error:
        hint = '' if writer == __version__ else f' (written by sctrpn_jax {writer}; {_advice(writer, instead)})'
        raise ValueError(f'{where}: {error}{hint}') from None


def _advice(writer: str, instead: str) -> str:
    return f'this is {__version__}. Use version {writer}, or {instead}'


def _without_places(kept: dict) -> dict:
    """The files go to others, on whose machines the paths of this one mean nothing."""
    for section, name in (
        (kept['model']['backbone'], 'weights'),
        (kept['data'], 'root'),
        (kept['train'], 'validation_root'),
        (kept['train'], 'start_from'),
    ):
        section[name] = pathlib.PurePath(section[name]).name
    return kept


def wanted_arrays(config: config_lib.Config) -> dict[str, jax.ShapeDtypeStruct]:
    """Every array of a config's network by name, without any being made."""
    model = sctrpn.SCTRPN(config.model)
    return by_name(jax.eval_shape(lambda: sctrpn.init_variables(model, 0)))


def by_name(variables: dict) -> dict[str, typing.Any]:
    """Arrays of nested dicts by their keys, joined by `/`."""
    return {'/'.join(str(key.key) for key in keys): leaf for keys, leaf in jax.tree.flatten_with_path(variables)[0]}


def read(path: str | os.PathLike, check: bool = True) -> tuple[dict, config_lib.Config]:
    """Variables (float32) and config of files that `write` made.

    Args:
      path: of the .npz.
      check: compare the arrays with the network of the config. It takes half a second, and of the networks that come
        with the package a test does it.

    Raises:
      ValueError: missing, not such files, or arrays that are not those of the config's network; the message says which
        version wrote them, and what to do.
    """
    try:
        with bounded.ArrayFile(path, 'a weights file of this project') as file:
            # Version 0.1 kept the config among the arrays; the .json counts.
            old = file.headers.pop('config', None) is not None
            config = _read_config(path, old)
            if check:
                bounded.check_fit(path, file.headers, wanted_arrays(config))
            arrays = {name: file[name] for name in file.headers}
    except FileNotFoundError:
        raise ValueError(f'{path}: no such file') from None
    bounded.check_finite(path, arrays)
    variables: dict = {}
    for name, value in arrays.items():
        *folders, leaf = name.split('/')
        place = variables
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = value.astype(np.float32)
    return variables, config


def _read_config(path: str | os.PathLike, old: bool) -> config_lib.Config:
    where = config_path(path)
    try:
        content = bounded.read_json(where, 'a config')
    except FileNotFoundError:
        said = f'{path}: written by sctrpn_jax 0.1, which kept the config in it; {_advice("0.1", RENAME)}'
        raise ValueError(said if old else f'{where}: no such file; it holds the config of {path}') from None
    return parse_config(content, str(where))

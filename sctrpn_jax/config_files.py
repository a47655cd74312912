"""Config files, found by path or by the name of a shipped one: Python files whose `get_config()` returns a `Config`."""

import difflib
import pathlib
import runpy
import typing
from collections.abc import Iterable

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values

_PACKAGE = pathlib.Path(__file__).resolve().parent


def shipped_folder() -> pathlib.Path:
    """Where the shipped configs lie: inside an installed package, beside the package in a checkout."""
    inside = _PACKAGE / 'configs'
    return inside if inside.is_dir() else _PACKAGE.parent / 'configs'


def find(name: str, section: str = '') -> pathlib.Path:
    """The file of a config.

    Args:
      name: a path, or the name of a shipped config without `.py`, such as `sctrpn_lite`.
      section: sub-folder of the shipped configs to look in, such as `ablations`.

    Raises:
      ValueError: there is no such file; the message lists the shipped names.
    """
    if pathlib.Path(name).is_file():
        return pathlib.Path(name)
    folder = shipped_folder() / section
    shipped = sorted(path.stem for path in folder.glob('*.py'))
    if name in shipped:
        return folder / f'{name}.py'
    near = difflib.get_close_matches(pathlib.Path(name).stem, shipped, 1)
    hint = f'; did you mean {near[0]}?' if near else ''
    raise ValueError(f'--config: no file {name!r}, and no shipped config of that name ({", ".join(shipped)}){hint}')


def call(path: pathlib.Path, function: str) -> typing.Any:
    """Runs a config file and calls one of its functions without arguments.

    Raises:
      ValueError: the file or the function fails, in one line, or there is no such function.
    """
    try:
        module = runpy.run_path(str(path), run_name=path.stem)
        if function not in module:
            raise ValueError(f'it has no {function}()')
        return module[function]()
    # A config file is the user's own Python: whatever it raises is theirs to see, in one line.
    except (Exception, SystemExit) as error:
        what = ' '.join(str(error).split())
        raise ValueError(
            f'{path}: {what}' if isinstance(error, ValueError) else f'{path}: {type(error).__name__}: {what}'
        ) from error


def load(name: str, changes: Iterable[tuple[str, str]] = ()) -> config_lib.Config:
    """A config with some fields changed, checked.

    Args:
      name: a path, or the name of a shipped config without `.py`.
      changes: (field, text) as the command line gives them: `('train.phases[0].epochs', '3')`.

    Raises:
      ValueError: no such file, a file that fails, a field that does not exist, or a value that cannot work.
    """
    path = find(name)
    config = call(path, 'get_config')
    if not isinstance(config, config_lib.Config):
        raise ValueError(f'{path}: get_config() returned {type(config).__name__}; expected sctrpn_jax.config.Config')
    for field, text in changes:
        config_values.set_field(config, field, text)
    return config_values.check(config)

"""What the programs in bin/ share: flags parsed so that a mistake is one clear line and exit code 2."""

import dataclasses
import pathlib
import sys
import typing

from absl import app, flags
from absl import logging as absl_logging

from sctrpn_jax import config as config_lib

BAD_INPUT = 2


def fail(message: object) -> int:
    """Prints one line, `program: message`, to stderr; returns the exit code for bad input."""
    print(f'{pathlib.Path(sys.argv[0]).name}: {" ".join(str(message).split())}', file=sys.stderr)
    return BAD_INPUT


def require(*holders: flags.FlagHolder) -> None:
    """Exits with one line where a flag has no value."""
    missing = [f'--{holder.name}' for holder in holders if not holder.value]
    if missing:
        sys.exit(fail(f'give {", ".join(missing)} (see --help)'))


def run(
    main: typing.Callable[[list[str]], int | None],
    define: typing.Callable[[], object] = lambda: None,
    words: typing.Sequence[str] = (),
) -> None:
    """`app.run` whose mistakes in flags are one line; main's result is the exit code.

    Args:
      main: gets what is left of the command line: the program, and one of `words` where there are any.
      define: defines flags that read the command line themselves.
      words: of which one must be given.
    """
    # Libraries tell pages of their own life at INFO.
    absl_logging.set_verbosity(absl_logging.ERROR)
    app.run(main, flags_parser=lambda argv: _parse(argv, define, words))


def _parse(argv: list[str], define: typing.Callable[[], object], words: typing.Sequence[str]) -> list[str]:
    try:
        for argument, following in zip(argv[1:], [*argv[2:], ''], strict=False):
            _check_field(argument)
            _check_file(argument, following)
        define()
        left = flags.FLAGS(argv)
    # A config file is Python: besides its flags, whatever it raises is the user's to see in one line.
    except (flags.Error, KeyError, AttributeError, TypeError, ValueError, OSError, SyntaxError, ImportError) as error:
        message = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
        if 'Traceback' in message:  # ml_collections quotes the whole of it; the last line is what went wrong
            message = f'{message.split("Traceback")[0].strip()} {message.strip().splitlines()[-1]}'
        sys.exit(fail(message))
    if words and (len(left) != 2 or left[1] not in words):
        sys.exit(fail(f'got {" ".join(left[1:]) or "no word"!r}; accepted is one of {", ".join(words)} (see --help)'))
    if left[1:] and not words:
        sys.exit(fail(f'got {left[1]!r} without a flag name before it (see --help)'))
    return left


def _check_field(argument: str) -> None:
    """Raises ValueError for `--config.a.b=...` where there is no such field."""
    name = argument.lstrip('-').split('=')[0]
    if not argument.startswith('-') or not name.startswith('config.'):
        return
    place: typing.Any = config_lib.Config()
    path = 'config'
    for part in name.split('.')[1:]:
        names = [field.name for field in dataclasses.fields(place)] if dataclasses.is_dataclass(place) else []
        if part.split('[')[0] not in names:
            what = f'its fields are {", ".join(names)}' if names else 'it has no fields'
            raise ValueError(f'{path} has no field {part!r}; {what}')
        place, path = getattr(place, part.split('[')[0]), f'{path}.{part}'


def _check_file(argument: str, following: str) -> None:
    """Raises ValueError for `--config FILE[:TEXT]` where there is no such file."""
    name, equals, value = argument.lstrip('-').partition('=')
    path = (value if equals else following).split(':')[0]
    if argument.startswith('-') and name == 'config' and not pathlib.Path(path).is_file():
        raise ValueError(f'--config: no file {path!r}; give a Python file that has get_config(), as those in configs/')

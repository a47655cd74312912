"""The command line of every program: a mistake is one line with what is accepted, and exit code 2."""

import argparse
import csv
import difflib
import math
import os
import re
import sys
import typing
from collections.abc import Callable, Iterable

BAD_INPUT = 2
_LONGEST = 300  # characters of a message
_REQUIRED = 'the following arguments are required: '


def fail(program: str, message: object) -> int:
    """Prints one line, `program: message`, to stderr; returns the exit code for bad input.

    Of a message that is too long the middle is left out: what is wrong comes first, and what to do last. Characters
    that would move the cursor or colour the screen are shown as they are written in Python.
    """
    text = ' '.join(str(message).split())
    text = ''.join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    if len(text) > _LONGEST:
        text = f'{text[: _LONGEST - 105]} ... {text[-100:]}'
    print(f'{program}: {text}', file=sys.stderr)
    return BAD_INPUT


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest known word; empty where none is near."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f'; did you mean {near[0]}?' if near else ''


class Parser(argparse.ArgumentParser):
    """A parser that knows `--config.section.field=value`, takes - and _ in flag names as the same, and suggests."""

    def __init__(self, **settings: typing.Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)
        self.takes_changes = False
        self._words: dict[str, Parser] = {}

    def add_word(self, word: str, module_help: str) -> 'Parser':
        """A parser of its own for the arguments after a word: `sctrpn studies stress ...`.

        Args:
          word: that must be given first.
          module_help: what it does, with examples; its first line is shown in the list of words.
        """
        if not self._words:
            self._places = self.add_subparsers(dest='word', metavar='WORD', required=True, title='words')
        first = module_help.split('\n', 1)[0].rstrip('.')
        self._words[word] = self._places.add_parser(word, help=first[0].lower() + first[1:], description=module_help)
        return self._words[word]

    def error(self, message: str) -> typing.NoReturn:
        """One line to stderr, and the end of the process."""
        message = message.removeprefix('argument ')
        if message.startswith(_REQUIRED):
            message = f'give {message.removeprefix(_REQUIRED)} (see --help)'
        sys.exit(fail(self.prog, message))

    def parse_known_args(
        self, args: Iterable[str] | None = None, namespace: typing.Any = None
    ) -> tuple[typing.Any, list[str]]:
        """As argparse's, but everything must be known; the changes of config fields are in `namespace.changes`."""
        left = list(sys.argv[1:] if args is None else args)
        if self._words and not (left and left[0] in (*self._words, '-h', '--help')):
            word = left[0] if left else 'no word'
            self.error(f'got {word!r}; accepted is one of {", ".join(self._words)}{suggestion(word, self._words)}')
        spelled = {option.replace('-', '_'): option for option in self._option_string_actions}
        kept: list[str] = []
        changes: list[tuple[str, str]] = []
        while left:
            word = left.pop(0)
            flag, equals, value = word.partition('=')
            if self.takes_changes and flag.startswith('--config.'):
                if not equals and not left:
                    self.error(f'{flag}: give a value, as in {flag}=VALUE')
                changes.append((flag.removeprefix('--config.'), value if equals else left.pop(0)))
            elif re.match(r'-[0-9.]', word) and kept and kept[-1] in self._option_string_actions:
                kept[-1] += f'={word}'  # a negative number, as in --box -3,5,20,10, is a value and not a flag
            else:
                flag = spelled.get(flag.replace('-', '_'), flag)
                if flag.startswith('--') and flag not in self._option_string_actions and not self._words:
                    self.error(f'no flag {flag}{suggestion(flag, self._option_string_actions)} (see --help)')
                kept.append(f'{flag}{equals}{value}')
        namespace, unknown = super().parse_known_args(kept, namespace)
        if unknown:
            self.error(f'got {unknown[0]!r} without a flag name before it (see --help)')
        if self.takes_changes:
            namespace.changes = changes
        return namespace, []


def names(text: str) -> list[str]:
    """Words separated by commas; one that has a comma in it stands in double quotes, as in `"a,b",c`."""
    try:
        parts = next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise argparse.ArgumentTypeError(f'got {text!r:.80}; {error}') from None
    return [part.strip() for part in parts if part.strip()]


def one_of(known: Iterable[str]) -> Callable[[str], str]:
    """A type for flags that accept one of some words."""
    known = tuple(known)

    def parse(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f'got {text!r}; accepted are {", ".join(known)}{suggestion(text, known)}')
        return text

    return parse


def some_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """A type for flags that accept several of some words, separated by commas."""
    single = one_of(known)
    return lambda text: [single(word) for word in names(text)]


def whole_number(least: int, most: int = 1_000_000) -> Callable[[str], int]:
    """A type for flags that accept a whole number."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            accepted = f'{least} or more' if value < least else f'{least} to {most}'
            raise argparse.ArgumentTypeError(f'got {text!r:.80}; accepted is a whole number, {accepted}')
        return value

    return parse


def whole_numbers(least: int, most: int = 1_000_000) -> Callable[[str], list[int]]:
    """A type for flags that accept whole numbers separated by commas."""
    single = whole_number(least, most)
    return lambda text: [single(word) for word in names(text)]


def number(least: float, most: float = 1e6) -> Callable[[str], float]:
    """A type for flags that accept a finite number."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            accepted = f'{least:g} to {most:g}' if value > most else f'{least:g} or more'
            raise argparse.ArgumentTypeError(f'got {text!r:.80}; accepted is a number, {accepted}')
        return value

    return parse


def size(text: str) -> tuple[int, int]:
    """A type for flags that accept WIDTHxHEIGHT in pixels."""
    width, _, height = text.partition('x')
    if not all(re.fullmatch('0*[1-9][0-9]{0,4}', part) for part in (width, height)):
        raise argparse.ArgumentTypeError(
            f'got {text!r:.80}; give WIDTHxHEIGHT in pixels, both above 0 and below 100,000, such as 640x360'
        )
    return int(width), int(height)


def checkpoint(text: str) -> str:
    """A type for flags that accept a run folder, a weights file or the name of a pretrained network."""
    from sctrpn_jax.weights import pretrained

    known = pretrained.available()
    if text not in known and not os.path.exists(text):
        raise argparse.ArgumentTypeError(
            f'no checkpoint at {text!r}; give the --workdir of a training run, a weights file (.npz) or a pretrained '
            f'network ({", ".join(known)}){suggestion(text, known)}'
        )
    return text


def checkpoints(text: str) -> list[str]:
    """A type for flags that accept several of what `checkpoint` accepts, separated by commas."""
    return [checkpoint(word) for word in names(text)]


def add_config(parser: Parser, text: str, required: bool = True) -> None:
    """Adds `--config` and the changes of its fields."""
    parser.add_argument('--config', metavar='FILE|NAME', required=required, help=text)
    parser.takes_changes = True
    parser.epilog = '--config.section.field=value changes one field of the config (sctrpn_jax/config.py has them all).'


def add_checkpoint(parser: Parser, several: bool = False) -> None:
    """Adds `--checkpoint`: one network, or several to compare."""
    kind, many = (checkpoints, ' Several: separated by commas.') if several else (checkpoint, '')
    parser.add_argument(
        '--checkpoint',
        type=kind,
        help='Work directory of a training run, a weights file (.npz), or the name of a pretrained network. '
        f'Left out: sctrpn_lite.{many}',
    )


def add_benchmark(parser: Parser, required: bool = True) -> None:
    """Adds `--benchmark` and `--root`."""
    from sctrpn_jax.data.benchmarks import registry

    known = tuple(registry.every())
    parser.add_argument('--benchmark', required=required, type=one_of(known), help=f'One of {", ".join(known)}.')
    parser.add_argument('--root', required=required, help='Folder of the benchmark, in its published layout.')


def add_sequences(parser: Parser) -> None:
    """Adds `--sequences`."""
    parser.add_argument(
        '--sequences',
        type=names,
        help='Names of sequences, separated by commas; one with a comma in it stands in double quotes. -NAME: all but '
        'that one (--sequences=-NAME). Left out: all.',
    )


def add_models(parser: Parser) -> None:
    """Adds `--models`."""
    parser.add_argument('--models', metavar='DIR', help="Folder of NanoTrack's two model files (tracker nano).")


def add_origin(parser: Parser) -> None:
    """Adds `--origin`."""
    parser.add_argument(
        '--origin',
        type=number(0),
        help="Coordinate of the first pixel in other trackers' result files, 0 or 1. Left out: as the benchmark's.",
    )

"""Which sequence a name means, however a toolkit spells it, and which sequences a user chooses."""

import csv
import io
import re
import shlex
from collections.abc import Collection, Iterable


def match(given: Iterable[str], expected: Iterable[str]) -> dict[str, str]:
    """Which expected sequence each given name means.

    The case of letters does not matter, and the number at the end of a name may stand behind `-`, `.` or `_`. That
    number may be left out, or added, where there is only one such sequence and one such name (Human4 and Human4-2).

    Returns:
      Given name -> expected name, without those that mean none.
    """
    given, expected = list(given), list(expected)
    meant = {_key(name): name for name in expected}
    keys = {_key(name) for name in given}
    similar, rivals = _by_stem(meant), _by_stem(keys)
    for key in keys - meant.keys():
        stem = _stem(key)
        if len(similar.get(stem, ())) == len(rivals[stem]) == 1 and stem in (key, similar[stem][0]):
            meant[key] = meant[similar[stem][0]]
    exact = set(expected)
    return {name: name if name in exact else meant[_key(name)] for name in given if _key(name) in meant}


def choice(names: Iterable[str] | None) -> tuple[list[str], list[str]]:
    """(wanted, left out) of the names that a user gives: `Bolt`, or `-Bolt` for all but that one.

    Raises:
      ValueError: names of both kinds.
    """
    names = list(names or ())
    without = [name[1:] for name in names if name.startswith('-')]
    if without and len(without) < len(names):
        raise ValueError(f'sequences: got {", ".join(names)}; give names to take or names to leave out (-NAME)')
    return ([], without) if without else (names, [])


def check_there(without: Iterable[str], there: Collection[str], where: object) -> None:
    """ValueError where a sequence that is to be left out is not there."""
    for name in without:
        if name not in there:
            raise ValueError(f'no sequence {name!r} in {where} to leave out; there are {", ".join(sorted(there)[:20])}')


def go_on_without(broken: Collection[str], there: Collection[str]) -> str:
    """How to use the rest of a set, to follow on what is wrong with some of its sequences; empty: there is no rest."""
    if len(broken) >= len(there):
        return ''
    text = io.StringIO()
    csv.writer(text, lineterminator='').writerow([f'-{name}' for name in list(broken)[:5]])
    what, more = 'it' if len(broken) == 1 else 'them', ',...' if len(broken) > 5 else ''
    return f'; to go on without {what}: --sequences={shlex.quote(text.getvalue())}{more}'


def _key(name: str) -> str:
    """A name in lower case, with Jogging.1 and Jogging_1 as jogging-1."""
    return re.sub(r'[-._](?=[0-9]+$)', '-', name.casefold())


def _stem(key: str) -> str:
    return re.sub(r'-[0-9]+$', '', key)


def _by_stem(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(_stem(key), []).append(key)
    return found

"""Which sequence a name means, however a toolkit spells it."""

import re
from collections.abc import Iterable


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

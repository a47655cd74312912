"""Files appear whole or not at all, are on disk before they have their name, and there is one writer of them."""

import ast
import os
import pathlib

import pytest

from sctrpn_jax.system import files

PACKAGE = pathlib.Path(files.__file__).parents[1]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / 'new' / 'a.json'
    files.write_text(path, 'old')
    with pytest.raises(OSError, match='full'), files.replacing(path) as partial:
        partial.write_text('half')
        raise OSError('full')
    assert path.read_text() == 'old' and list(path.parent.iterdir()) == [path]


def test_what_a_kill_has_left_is_overwritten(tmp_path):
    (tmp_path / 'a.txt.partial').write_text('a long half of something')
    files.write_text(tmp_path / 'a.txt', 'ä\r\n\udce4')
    assert (tmp_path / 'a.txt').read_bytes() == b'\xc3\xa4\r\n\\udce4' and len(list(tmp_path.iterdir())) == 1


def test_bytes_are_on_disk_before_the_name_is_given_and_the_name_after(tmp_path, monkeypatch):
    calls = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda file: calls.append(os.readlink(f'/proc/self/fd/{file}')) or sync(file))
    monkeypatch.setattr(os, 'replace', lambda *names: calls.append('named') or replace(*names))
    files.write_text(tmp_path / 'a.txt', 'text')
    assert calls == [str(tmp_path / 'a.txt.partial'), 'named', str(tmp_path)]


def test_a_full_disk_is_an_error_and_not_a_short_file(tmp_path, monkeypatch):
    def full(file):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        files.write_text(tmp_path / 'a.txt', 'text')
    assert not list(tmp_path.iterdir())


def test_nothing_else_in_the_package_renames_a_file():
    found = []
    for path in sorted(PACKAGE.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            renames = isinstance(node, ast.Attribute) and node.attr in ('replace', 'rename', 'renames', 'move')
            if renames and isinstance(node.value, ast.Name) and node.value.id in ('os', 'shutil'):
                found.append(path.relative_to(PACKAGE).as_posix())
    assert found == ['system/files.py']

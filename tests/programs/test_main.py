"""The command `sctrpn`: its eleven programs, their help, and mistakes that are told before heavy imports."""

import argparse
import importlib
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from sctrpn_jax.programs import arguments, main

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BIN = """#!/usr/bin/env python3
import sys

from sctrpn_jax.programs import main

if __name__ == '__main__':
    sys.exit(main.run('{name}', sys.argv[1:]))
"""


def parser_of(name):
    module = importlib.import_module(f'sctrpn_jax.programs.{name}')
    parser = arguments.Parser(prog=f'sctrpn {name}', description=module.__doc__)
    module.add_arguments(parser)
    return parser


def parsers_of(name):
    parser = parser_of(name)
    return [parser, *parser._words.values()]


def test_every_program_has_its_five_lines_in_bin():
    found = {path.name: path for path in (REPOSITORY / 'bin').iterdir() if path.is_file()}
    assert set(found) == set(main.PROGRAMS) and len(found) == 11
    for name, path in found.items():
        assert path.read_text() == BIN.format(name=name) and os.access(path, os.X_OK)


def test_help_lists_every_program(capsys):
    assert main.dispatch(['--help']) == 0
    said = capsys.readouterr().out
    for name, text in main.PROGRAMS.items():
        assert re.search(rf'^  {name} +{re.escape(text)}$', said, re.MULTILINE)


@pytest.mark.parametrize('name', main.PROGRAMS)
def test_help_of_every_program_and_word(name):
    for parser in parsers_of(name):
        said = parser.format_help()
        assert all(action.help for action in parser._actions if action.option_strings), parser.prog
        assert '  sctrpn ' in said or '\nsctrpn ' in said, parser.prog
        # The whole config is not listed, only how a field is changed.
        assert 'search_size' not in said and max(map(len, said.splitlines())) <= 120


@pytest.mark.parametrize('name', main.PROGRAMS)
def test_the_examples_of_the_help_are_understood(name, tmp_path, monkeypatch):
    for place in ('runs/full', 'runs/lite'):
        (tmp_path / place).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    texts = [importlib.import_module(f'sctrpn_jax.programs.{name}').__doc__]
    texts += [parser.description for parser in parsers_of(name)[1:]]
    examples = [line for text in texts for line in re.findall(r'^ *sctrpn (.+)$', text, re.MULTILINE)]
    assert examples
    for example in examples:
        program, *rest = shlex.split(example)
        assert program == name
        parser_of(name).parse_args(rest)


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        ([], "sctrpn: got 'no program'; accepted is one of demo, track"),
        (['trian'], "got 'trian'; accepted is one of demo, .*; did you mean train\\?"),
        (['--config'], "got '--config'; accepted is one of"),
    ],
)
def test_a_wrong_name_is_one_line(argv, message, capsys):
    assert main.dispatch(argv) == 2
    said = capsys.readouterr().err
    assert re.search(message, said) and said.count('\n') == 1


def test_an_interruption_ends_with_130(call, monkeypatch):
    def interrupted(args):
        raise KeyboardInterrupt

    for name in ('prepare_data', 'reports'):
        module = importlib.import_module(f'sctrpn_jax.programs.{name}')
        monkeypatch.setattr(module, 'main', interrupted)
    assert call('prepare_data', '--dataset=coco', '--data_dir=x') == (
        130,
        '',
        'prepare_data: interrupted; the same command goes on\n',
    )
    assert call('reports', 'pool', '--reports=x') == (130, '', 'reports: interrupted\n')


LIGHT = {
    'a typo': (['track', '--vido=x'], {'numpy'}),
    'a missing video': (['track', '--video=none.mp4', '--box=1,2,3,4', '--checkpoint=sctrpn_lite'], {'cv2', 'numpy'}),
    'a missing network': (['export', '--output=x', '--frame_size=9x9', '--checkpoint=none'], {'numpy'}),
    'a missing config': (['train', '--config=none', '--workdir=x'], {'numpy'}),
    'a missing benchmark': (['evaluate', '--benchmark=otb', '--root=none', '--output=x'], {'numpy'}),
}


@pytest.mark.parametrize(('arguments', 'allowed'), LIGHT.values(), ids=LIGHT)
def test_mistakes_are_told_before_heavy_imports(arguments, allowed, tmp_path):
    code = (
        'import sys\nfrom sctrpn_jax.programs import main\n'
        'try:\n    code = main.run(sys.argv[1], sys.argv[2:])\nexcept SystemExit as error:\n    code = error.code\n'
        'print(code, *{"jax", "flax", "cv2", "numpy", "scipy", "orbax"} & set(sys.modules))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, *arguments],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(REPOSITORY), 'GLIBC_TUNABLES': 'glibc.malloc.check=0'},
        capture_output=True,
        text=True,
    )
    result, *loaded = done.stdout.split()
    assert result == '2' and len(done.stderr.splitlines()) == 1, done.stderr
    assert set(loaded) <= allowed


def is_number(value):
    return value and isinstance(value[0] if isinstance(value, list | tuple) else value, int | float)


@pytest.mark.parametrize('name', main.PROGRAMS)
def test_no_flag_takes_an_absurd_number(name):
    for parser in parsers_of(name):
        for action in (action for action in parser._actions if action.type):
            for example in ('3', '640x360'):
                try:
                    if not is_number(action.type(example)):
                        break
                except argparse.ArgumentTypeError:
                    continue
                for text in ('nan', 'inf', '-inf', '1e999', '1e30', '9' * 200, '9' * 5000, f'{"9" * 30}x{"9" * 30}'):
                    with pytest.raises(argparse.ArgumentTypeError, match='^got '):
                        pytest.fail(f'{parser.prog} {action.option_strings}: {action.type(text)!r}')


@pytest.mark.parametrize(
    ('error', 'said'),
    [
        (
            MemoryError('Unable to allocate 9 TiB'),
            'demo: not enough memory (Unable to allocate 9 TiB); give smaller sizes',
        ),
        (
            RuntimeError('RESOURCE_EXHAUSTED: Out of memory\nmore'),
            'demo: not enough memory (RESOURCE_EXHAUSTED: Out of',
        ),
    ],
)
def test_too_little_memory_is_one_line(error, said, capsys, monkeypatch):
    from sctrpn_jax.programs import demo, startup

    def fail(args):
        raise error

    monkeypatch.setattr(startup, 'begin', lambda network: None)
    monkeypatch.setattr(demo, 'main', fail)
    assert main.run('demo', []) == 2
    line = capsys.readouterr().err
    assert line.startswith(said) and line.count('\n') == 1

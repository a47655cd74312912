"""The command line: one line for a mistake, the nearest word, flags in either spelling, changes of config fields."""

import pytest

from sctrpn_jax.programs import arguments


def make():
    parser = arguments.Parser(prog='sctrpn try')
    parser.add_argument('--frame_size', type=arguments.size, required=True)
    parser.add_argument('--every', type=arguments.whole_number(1), default=1)
    parser.add_argument('--rate', type=arguments.number(0.5))
    parser.add_argument('--by', type=arguments.one_of(('overlap', 'gap')))
    parser.add_argument('--peers', type=arguments.some_of(('mil', 'kcf')))
    parser.add_argument('--sizes', type=arguments.whole_numbers(1))
    parser.add_argument('--names', type=arguments.names)
    parser.add_argument('--video', action=arguments.argparse.BooleanOptionalAction, default=True)
    arguments.add_config(parser, 'A config.', required=False)
    return parser


@pytest.mark.parametrize('flag', ['--frame_size', '--frame-size'])
def test_values(flag):
    command = f'{flag}=640x360 --every 2 --peers kcf,mil --sizes 1,4 --names a,-b, --no-video --rate=.5 --by gap'
    args = make().parse_args(command.split())
    assert (args.frame_size, args.every, args.peers, args.sizes) == ((640, 360), 2, ['kcf', 'mil'], [1, 4])
    assert (args.names, args.video, args.rate, args.by, args.changes) == (['a', '-b'], False, 0.5, 'gap', [])


def test_negative_numbers_are_values(capsys):
    assert make().parse_args(['--frame_size=1x1', '--names', '-3,5,20,10']).names == ['-3', '5', '20', '10']
    with pytest.raises(SystemExit):
        make().parse_args(['--frame_size=1x1', '--every', '-2'])
    assert "--every: got '-2'; accepted is a whole number" in capsys.readouterr().err


def test_changes_keep_their_order_and_spelling():
    command = ['--config.a.b_c=1', '--frame_size', '1x1', '--config.t[0].x', '(1, 2)', '--config', 'lite']
    args = make().parse_args([*command, '--config.a.b_c=--x=y'])
    assert args.changes == [('a.b_c', '1'), ('t[0].x', '(1, 2)'), ('a.b_c', '--x=y')] and args.config == 'lite'


@pytest.mark.parametrize(
    ('command', 'message'),
    [
        ('', 'give --frame_size (see --help)'),
        ('--frame_sise=1x1', 'no flag --frame_sise; did you mean --frame_size? (see --help)'),
        ('--frame=1x1', 'no flag --frame'),  # flags cannot be shortened
        ('--frame_size 1x1 clip.mp4', "got 'clip.mp4' without a flag name before it (see --help)"),
        ('--frame_size', '--frame_size: expected one argument'),
        (
            '--frame_size=1x0',
            "--frame_size: got '1x0'; give WIDTHxHEIGHT in pixels, both above 0 and below 100,000, such as 640x360",
        ),
        ('--frame_size=²x²', 'give WIDTHxHEIGHT'),
        ('--frame_size=6.5x3', 'give WIDTHxHEIGHT'),
        ('--every=0', "--every: got '0'; accepted is a whole number, 1 or more"),
        ('--every=x', "got 'x'; accepted is a whole number"),
        ('--rate=nan', "--rate: got 'nan'; accepted is a number, 0.5 or more"),
        ('--rate=0.4', "got '0.4'; accepted is a number, 0.5 or more"),
        ('--by=gab', "--by: got 'gab'; accepted are overlap, gap; did you mean gap?"),
        ('--peers=mil,kfc', "--peers: got 'kfc'; accepted are mil, kcf; did you mean kcf?"),
        ('--sizes=1,-2', "--sizes: got '-2'"),
        ('--config.a', '--config.a: give a value, as in --config.a=VALUE'),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(command, message, capsys):
    with pytest.raises(SystemExit) as ended:
        make().parse_args(command.split())
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.out == ''
    assert len(said.err.splitlines()) == 1 and said.err.startswith('sctrpn try: ') and message in said.err


def test_words_have_flags_of_their_own(capsys):
    parser = arguments.Parser(prog='try')
    parser.add_word('play', 'Plays.\n\nAt length.').add_argument('--speed', type=arguments.number(0))
    parser.add_word('stop', 'Stops.').add_argument('--at')
    args = parser.parse_args(['play', '--speed=2'])
    assert (args.word, args.speed) == ('play', 2) and not hasattr(args, 'at')
    for command, message in {
        '': "got 'no word'; accepted is one of play, stop",
        'plya': "got 'plya'; accepted is one of play, stop; did you mean play?",
        'play --at 3': 'no flag --at',
        '--speed=2 play': "got '--speed=2'; accepted is one of play, stop",
    }.items():
        with pytest.raises(SystemExit):
            parser.parse_args(command.split())
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(['play', '--help'])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and '--speed' in said and 'At length.' in said and '--at' not in said


def test_a_checkpoint_is_a_place_or_a_pretrained_name(tmp_path):
    assert arguments.checkpoint('sctrpn_lite') == 'sctrpn_lite' and arguments.checkpoint(str(tmp_path)) == str(tmp_path)
    with pytest.raises(arguments.argparse.ArgumentTypeError, match=r'sctrpn_lite\); did you mean sctrpn_lite\?'):
        arguments.checkpoint('sctrpn_light')
    assert arguments.checkpoints(f'sctrpn_lite,{tmp_path}') == ['sctrpn_lite', str(tmp_path)]


def test_a_message_is_one_short_line(capsys):
    assert arguments.fail('sctrpn', 'short\n and  plain') == arguments.BAD_INPUT
    assert capsys.readouterr().err == 'sctrpn: short and plain\n'
    arguments.fail('sctrpn', f'a.txt: got {"x" * 200_000!r}; to go on without it: --sequences=-a')
    line = capsys.readouterr().err
    assert len(line) < 320 and line.count('\n') == 1
    assert line.startswith('sctrpn: a.txt: got') and line.endswith('to go on without it: --sequences=-a\n')
    arguments.fail('sctrpn', 'red \x1b[31m, bell \a, ünïcode, \udcff')
    assert capsys.readouterr().err == 'sctrpn: red \\x1b[31m, bell \\x07, ünïcode, \\udcff\n'


ABSURD = [
    'nan',
    'inf',
    '-inf',
    '1e999',
    '1e30',
    '-1',
    '9' * 5000,
    '9' * 200,
    '٣' * 9,
    '',
    ' ',
    '1_000',
    '0x10',
    'x' * 9000,
]
NUMBERS = {
    'whole': arguments.whole_number(1, 100),
    'several': arguments.whole_numbers(1, 100),
    'number': arguments.number(0.5, 100),
    'size': arguments.size,
}


@pytest.mark.parametrize('kind', NUMBERS)
@pytest.mark.parametrize('text', ABSURD, ids=range(len(ABSURD)))
def test_absurd_numbers_are_refused(kind, text):
    try:
        value = NUMBERS[kind](text)
    except arguments.argparse.ArgumentTypeError as error:
        assert len(str(error)) < 250 and 'got' in str(error)
    else:
        assert kind == 'several' and value == []  # nothing is no number of them


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a,b', ['a', 'b']),
        ('"a,b",c', ['a,b', 'c']),
        ('c, "a, b"', ['c', 'a, b']),
        (',a,,', ['a']),
        ('', []),
        ('"-Car, red",-b', ['-Car, red', '-b']),
    ],
)
def test_names_with_commas_stand_in_quotes(text, expected):
    assert arguments.names(text) == expected


@pytest.mark.parametrize('text', ['"a', '"a"b', 'x' * 200_000])
def test_names_that_are_none_are_one_line(text):
    with pytest.raises(arguments.argparse.ArgumentTypeError, match='^got ') as raised:
        arguments.names(text)
    assert len(str(raised.value)) < 200

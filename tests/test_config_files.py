"""Config files: by path or by the name of a shipped one; what goes wrong in them is one clear line."""

import pytest

from sctrpn_jax import config, config_files


def test_shipped_configs_are_found_by_name_and_by_path(tmp_path):
    for path in config_files.shipped_folder().glob('*.py'):
        assert config_files.find(path.stem) == path and isinstance(config_files.load(path.stem), config.Config)
    assert config_files.find('stages', 'ablations').parent == config_files.shipped_folder() / 'ablations'
    mine = tmp_path / 'mine.py'
    mine.write_text('from sctrpn_jax import config\ndef get_config():\n    return config.Config(seed=7)\n')
    assert config_files.load(str(mine)).seed == 7


def test_changes_are_made_in_their_order():
    made = config_files.load('quickstart', [('seed', '3'), ('train.batch_size', '4'), ('seed', '5')])
    assert (made.seed, made.train.batch_size) == (5, 4)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('def get_config(', r"mine\.py: SyntaxError: '\(' was never closed"),
        ('import nothing_of_the_kind', r"mine\.py: ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
        ('def get_config(size):\n    return size', r'mine\.py: TypeError: get_config\(\) missing 1 required'),
        ('def get_config():\n    raise SystemExit', r'mine\.py: SystemExit'),
        ('def get_config():\n    raise ValueError("two\\nlines")', r'mine\.py: two lines'),
        ('x = 1', r'mine\.py: it has no get_config\(\)'),
        ('def get_config():\n    return {}', r'get_config\(\) returned dict; expected sctrpn_jax\.config\.Config'),
    ],
)
def test_a_file_that_fails_is_one_line(tmp_path, text, message):
    path = tmp_path / 'mine.py'
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as raised:
        config_files.load(str(path))
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    ('name', 'changes', 'message'),
    [
        ('sctrpn_light', [], r"no file 'sctrpn_light', .*\(quickstart, .*did you mean sctrpn_lite\?"),
        ('configs/sctrpn_papr.py', [], r'did you mean sctrpn_paper\?'),
        ('.', [], r"no file '\.'"),
        ('quickstart', [('train.phases[0].epochs', '0')], r'train\.phases\[0\]\.epochs is 0'),
        ('quickstart', [('track.stages', '4')], r'track\.stages is 4'),
    ],
)
def test_wrong_names_and_values(name, changes, message):
    with pytest.raises(ValueError, match=message):
        config_files.load(name, changes)

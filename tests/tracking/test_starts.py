import numpy as np
import pytest

from sctrpn_jax.tracking import starts
from sctrpn_jax.tracking.starts import Start


def write(folder, text):
    path = folder / 'targets.csv'
    path.write_text(text)
    return path


def test_names_or_numbers(tmp_path):
    named = write(tmp_path, 'frame,x,y,w,h,target\n0,1,2,3,4,dog\n12, 5.5,6,7,8 ,"cat, left"\n')
    assert starts.read_starts(named) == [Start('dog', 0, (1, 2, 3, 4)), Start('cat, left', 12, (5.5, 6, 7, 8))]
    plain = write(tmp_path, '\ufeffframe,x,y,w,h\n3,1,2,3,4\n0,5,6,7,8\n')  # as spreadsheets begin a file
    assert starts.read_starts(plain) == [Start('1', 3, (1, 2, 3, 4)), Start('2', 0, (5, 6, 7, 8))]


BAD = {
    'empty': ('', "first line is ''"),
    'no header': ('0,1,2,3,4\n', "first line is '0,1,2,3,4', expected frame,x,y,w,h or frame,x,y,w,h,target"),
    'no row': ('frame,x,y,w,h\n', '0 targets; accepted are 1 to 1000'),
    'too many': ('frame,x,y,w,h\n' + '0,1,2,3,4\n' * 1001, '1001 targets'),
    'a word': ('frame,x,y,w,h\n0,1,2,3,wide\n', 'line 2: got'),
    'too few': ('frame,x,y,w,h,target\n0,1,2,3,4,a\n0,1,2,3,4\n', 'line 3: got'),
    'too much': ('frame,x,y,w,h\n0,1,2,3,4,5\n', 'line 2'),
    'nothing': ('frame,x,y,w,h\n\n', 'line 2'),
    'half a frame': ('frame,x,y,w,h\n0.5,1,2,3,4\n', 'the frame a whole number'),
    'frame below 0': ('frame,x,y,w,h\n-1,1,2,3,4\n', 'the frame a whole number'),
    'no frame': ('frame,x,y,w,h\nnan,1,2,3,4\n', 'line 2'),
    'no end': ('frame,x,y,w,h\ninf,1,2,3,4\n', 'line 2'),
    'a number that is none': ('frame,x,y,w,h\n0,1,2,nan,4\n', 'line 2'),
    'no name': ('frame,x,y,w,h,target\n0,1,2,3,4,\n', 'the name 1 to 40 characters'),
    'bell': ('frame,x,y,w,h,target\n0,1,2,3,4,a\x07\n', 'line 2'),
    'long name': (f'frame,x,y,w,h,target\n0,1,2,3,4,{"a" * 41}\n', 'line 2'),
    'twice': ('frame,x,y,w,h,target\n0,1,2,3,4,a\n9,1,2,3,4,a\n', "two targets are called 'a'"),
}


@pytest.mark.parametrize(('text', 'message'), BAD.values(), ids=BAD)
def test_broken_files_are_refused_by_name(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        starts.read_starts(write(tmp_path, text))
    assert 'targets.csv' in str(caught.value) and '\n' not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(ValueError, match=r'none\.csv'):
        starts.read_starts(tmp_path / 'none.csv')
    (tmp_path / 'bytes.csv').write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match=r'bytes\.csv'):
        starts.read_starts(tmp_path / 'bytes.csv')


def test_targets_fit_the_video():
    sound = [Start('a', 0, (1, 2, 3, 4)), Start('b', 29, (1, 2, 3, 4))]
    starts.check(sound, (64, 48), 30, 'clip')
    starts.check([Start('b', 10**5, (1, 2, 3, 4))], (64, 48), None, 'clip')
    with pytest.raises(ValueError, match='target b: its box is given in frame 29, but clip has the frames 0 to 28'):
        starts.check(sound, (64, 48), 29, 'clip')
    with pytest.raises(ValueError, match='target c: box: .* outside the frame of 64 x 48'):
        starts.check([*sound, Start('c', 0, (64, 2, 3, 4))], (64, 48), 30, 'clip')


def test_the_same_place():
    others = {'a': np.array([0, 0, 10, 10.0]), 'b': np.array([30, 30, 10, 10.0])}
    assert starts.same_place(np.array([31, 30, 10, 10.0]), others) == 'b'  # 9 of 11 columns in common: 0.82
    assert starts.same_place(np.array([32, 30, 10, 10.0]), others) is None  # 8 of 12
    assert starts.same_place(np.array([0, 0, 10, 10.0]), {}) is None

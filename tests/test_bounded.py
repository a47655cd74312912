"""Whatever a file claims, reading it costs no more than a sound one, and damage is one line that names the file."""

import io
import json
import os
import resource
import struct
import zipfile

import numpy as np
import pytest

from sctrpn_jax import bounded

FORM = 'a weights file of this project'


def member(shape, dtype='<f4', data=b'', order=False):
    """Bytes of one .npy whose header claims a shape."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    text += b' ' * (-len(text) % 64) + b'\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(text)) + text + data


def archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, 'w', compression) as file:
        for name, content in members.items():
            file.writestr(f'{name}.npy', content)
    return path


def read(path):
    with bounded.ArrayFile(path, FORM) as file:
        return {name: file[name] for name in file.headers}


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize('save', [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(tmp_path, save):
    rng = np.random.default_rng(0)
    arrays = {
        'a/b': rng.normal(size=(3, 4)).astype(np.float16),
        'turned': np.asfortranarray(rng.normal(size=(5, 6))),
        'none': np.zeros((0, 4), np.int64),
        'one': np.array(3.5, np.float32),
        'text': np.array('{"x": 1}'),
        'large': rng.integers(0, 255, (700, 500), np.uint8),
    }
    save(tmp_path / 'a.npz', **arrays)
    found = read(tmp_path / 'a.npz')
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    with bounded.ArrayFile(io.BytesIO((tmp_path / 'a.npz').read_bytes()), FORM, 'in memory') as file:
        np.testing.assert_array_equal(file['turned'], arrays['turned'])


CLAIMS = {
    'numbers that are not there': {'x': member((10**12,))},
    'more than fit in 64 bits': {'x': member((2**40, 2**40))},
    'fewer than none': {'x': member((-1, -5))},
    'half of them': {'x': member((4,), data=b'\0' * 8)},
    'too many bytes': {'x': member((4,), data=b'\0' * 17)},
    'objects': {'x': member((1,), '|O', b'\0' * 8)},
    'records': {'x': member((1,), "[('a', '<f4')]", b'\0' * 4)},
    'a deep header': {'x': b'\x93NUMPY\x01\x00' + struct.pack('<H', 9000) + b'(' * 9000},
    'no header': {'x': b'hello'},
    'another version': {'x': b'\x93NUMPY\x09\x00' + b'\0' * 20},
}


@pytest.mark.parametrize('members', CLAIMS.values(), ids=CLAIMS)
def test_claims_are_refused_before_anything_is_read(tmp_path, members):
    before = peak()
    with pytest.raises(ValueError, match=r'x\.npz: not a weights file of this project \(\w+: ') as raised:
        read(archive(tmp_path / 'x.npz', members))
    assert '\n' not in str(raised.value) and len(str(raised.value)) < len(str(tmp_path)) + 300
    assert peak() - before < 2**26


def test_a_file_that_inflates_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, 'ARRAY_BYTES', 2**20)
    np.savez_compressed(tmp_path / 'x.npz', **{name: np.zeros(2**17) for name in 'ab'})
    assert (tmp_path / 'x.npz').stat().st_size < 2**14
    with pytest.raises(ValueError, match='arrays of 2,097,[0-9]{3} bytes; accepted are 1,048,576'):
        read(tmp_path / 'x.npz')


def test_names_given_twice_and_other_compressions_are_refused(tmp_path):
    whole = member((1,), data=b'\0' * 4)
    with pytest.warns(UserWarning, match='Duplicate'), zipfile.ZipFile(tmp_path / 'x.npz', 'w') as file:
        file.writestr('a.npy', whole)
        file.writestr('a.npy', whole)
    with pytest.raises(ValueError, match='two arrays of the same name'):
        read(tmp_path / 'x.npz')
    for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(ValueError, match='compressed in a way that NumPy does not write'):
            read(archive(tmp_path / 'x.npz', {'a': whole}, compression))


def test_every_byte_of_an_archive_counts(tmp_path):
    """A flipped bit is refused, or changes nothing that is read."""
    path = tmp_path / 'a.npz'
    arrays = {'a': np.arange(6, dtype=np.float32), 'b': np.ones((2, 2), np.float16)}
    np.savez_compressed(path, **arrays)
    whole, refused = path.read_bytes(), 0
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            found = read(path)
        except ValueError as error:
            assert str(path) in str(error)
            refused += 1
        else:
            # Dates and the like; a name may be another, which `check_fit` sees.
            assert all(np.array_equal(found[name], arrays[name]) for name in found.keys() & arrays.keys())
    assert refused > len(whole) / 2


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'folder').mkdir()
    for name in ('pipe', 'folder'):
        with pytest.raises(ValueError, match=f'{name}: not a file'):
            bounded.read_json(tmp_path / name, 'a config')
        with pytest.raises(ValueError, match=f'{name}: not a file'):
            read(tmp_path / name)
    with open(tmp_path / 'large', 'wb') as file:
        file.truncate(bounded.JSON_BYTES + 1)  # takes no room on the disk
    with pytest.raises(ValueError, match='large: 67,108,865 bytes; accepted are 67,108,864'):
        bounded.read_json(tmp_path / 'large', 'a config')
    with pytest.raises(FileNotFoundError):
        bounded.read_json(tmp_path / 'none', 'a config')


NO_JSON = ['', '{', '[' * 100_000, '{"a":' * 100_000, '[' * 100 + ']' * 100, '1' * 10_000, '"\xff', '{"a" 1}']


@pytest.mark.parametrize('text', [*NO_JSON, '[NaN]', '{"a": 1e999}', '-Infinity'])
def test_no_json_is_one_line(tmp_path, text):
    (tmp_path / 'x.json').write_bytes(text.encode('latin-1'))
    with pytest.raises(ValueError, match=r'x\.json: not a config in JSON \(\w+: ') as raised:
        bounded.read_json(tmp_path / 'x.json', 'a config')
    assert '\n' not in str(raised.value) and len(str(raised.value)) < len(str(tmp_path)) + 300
    (tmp_path / 'x.json').write_text(json.dumps({'a': [1, 2.5, None]}))
    assert bounded.read_json(tmp_path / 'x.json', 'a config') == {'a': [1, 2.5, None]}


def test_arrays_are_compared_with_what_is_wanted():
    wanted = {'a': np.zeros((2, 3), np.float32), 'b': np.zeros(4, np.float32)}
    bounded.check_fit('w', wanted, wanted)
    bounded.check_fit('w', {name: value.astype(np.float16) for name, value in wanted.items()}, wanted)
    for change, message in (
        ({'a': None}, r'^w: weights of another network: a is none, wanted is \[2, 3\]'),
        ({'c': np.zeros(1, np.float32)}, r'c is \[1\], wanted is none'),
        ({'a': np.zeros((3, 2), np.float32)}, r'a is \[3, 2\], wanted is \[2, 3\]'),
        ({'b': np.zeros(4)}, r'b is of type float64; accepted are float16 and float32'),
        ({'b': np.zeros(4, int)}, r'b is of type int64; accepted'),
        ({'b': np.zeros(4, 'U1')}, r'b is of type <U1; accepted'),
    ):
        found = {name: value for name, value in (wanted | change).items() if value is not None}
        with pytest.raises(ValueError, match=message):
            bounded.check_fit('w', found, wanted)
    for number in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match='^w: b has numbers that are not finite'):
            bounded.check_finite('w', wanted | {'b': np.array([0, number, 0, 0])})

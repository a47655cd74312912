"""Damage to files: of bytes, text, JSON and archives of arrays; drawn from a seed, so that it can be repeated."""

import io
import json
import os
import pathlib
import random
import re
import struct
import zipfile

import numpy as np

# Numbers and words that readers trip over.
WORDS = (
    *('nan', 'inf', '-inf', '1e999', '-1', '0', '-0', '1e-30', '1e30', '1000000', '-1000000', '999999', '1e300'),
    *('999999999999999999999', '9' * 5000, '', ' ', 'null', 'true', '0x10', '1_000', '٣', '²', '1,', '"', '""', '\0'),
    *('../..', '/', '/etc/hostname', 'a' * 300, 'x' * 200_000, '\u2028', '\ud800', '1.5.2', '--1', '1e', '%s', '{}'),
)
VALUES = (
    *(None, True, False, -1, 0, 1, 10**12, 10**30, 1e308, -1e-300, float('nan'), float('inf'), 'x', '', [], {}, [[]]),
    *('a' * 200_000, {'a': 1}, [1, 2], ['x'] * 50, '../../x', '\0', '9' * 5000, 2**31, 2**63, 0.5),
)


def mutate(path: pathlib.Path, rng: random.Random) -> str:
    """Damages a file; returns what was done."""
    kinds = [_binary] * 3 + [_file]
    if path.suffix in ('.json', '.jsonl') or path.name in ('metadata', '_METADATA', '_sharding', 'process_0'):
        kinds += [_json] * 5 + [_text]
    elif path.suffix in ('.npz',):
        kinds += [_arrays] * 5 + [_claims] * 2
    elif path.suffix == '.safetensors':
        kinds += [_safetensors] * 4
    elif path.suffix in ('.txt', '.csv', '.tag', '.label', '.ini', '.xml', '.py'):
        kinds += [_text] * 6
    kind = rng.choice(kinds)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not path.is_file() or path.is_symlink():
            break
        done = kind(path, rng)
    return f'{path.name}: {done}'


def _file(path: pathlib.Path, rng: random.Random) -> str:
    """The whole file is something else."""
    what = rng.choice(('gone', 'empty', 'folder', 'pipe', 'link to nothing', 'link to itself', 'another', 'zeros'))
    content = path.read_bytes()
    if what in ('empty', 'zeros'):
        path.write_bytes(b'' if what == 'empty' else bytes(len(content)))
        return what
    other = rng.choice(sorted(each for each in path.parent.iterdir() if each.is_file()))
    path_content = other.read_bytes()
    path.unlink()
    if what == 'folder':
        path.mkdir()
    elif what == 'pipe':
        os.mkfifo(path)
    elif what.startswith('link'):
        path.symlink_to(path if what.endswith('itself') else 'nothing')
    elif what == 'another':
        path.write_bytes(path_content)
    return what


def _binary(path: pathlib.Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    if not data:
        data = bytearray(b'x')
    at = rng.randrange(len(data))
    size = min(rng.choice((1, 1, 2, 4, 16, 256, 4096)), len(data) - at)
    what = rng.choice(('flip', 'cut', 'remove', 'repeat', 'insert', 'zeros', 'ones', 'random', 'swap', 'number'))
    piece = data[at : at + size]
    if what == 'flip':
        data[at] ^= 1 << rng.randrange(8)
    elif what == 'cut':
        del data[at:]
    elif what == 'remove':
        del data[at : at + size]
    elif what == 'repeat':
        data[at:at] = piece * rng.choice((1, 3, 1000 // size + 1))
    elif what == 'insert':
        data[at:at] = rng.randbytes(size)
    elif what == 'swap':
        other = rng.randrange(len(data) - size + 1)
        data[at : at + size], data[other : other + size] = data[other : other + size], piece
    elif what == 'number':  # a length or an offset
        form, number = rng.choice((('<I', 2**32 - 1), ('<Q', 2**63 - 1), ('<I', 2**31), ('>I', 2**30), ('<Q', 10**12)))
        data[at : at + struct.calcsize(form)] = struct.pack(form, number)
    else:
        data[at : at + size] = {'zeros': bytes(size), 'ones': b'\xff' * size, 'random': rng.randbytes(size)}[what]
    path.write_bytes(data)
    return f'{what} {size} at {at}'


def _text(path: pathlib.Path, rng: random.Random) -> str:
    text = path.read_bytes().decode('latin-1')
    lines = text.splitlines(keepends=True) or ['']
    at = rng.randrange(len(lines))
    what = rng.choice(('word', 'word', 'word', 'more', 'less', 'drop', 'twice', 'shuffle', 'ending', 'space', 'code'))
    word = rng.choice(WORDS).encode('utf-8', 'surrogatepass').decode('latin-1')
    if what == 'word':
        words = list(re.finditer(r'[^\s,;<>"]+', lines[at]))
        if words:
            chosen = rng.choice(words)
            lines[at] = lines[at][: chosen.start()] + word + lines[at][chosen.end() :]
    elif what == 'more':
        lines[at] = f'{lines[at].rstrip()}{rng.choice((",", ";", " ", chr(9)))}{word}\n'
    elif what == 'less':
        lines[at] = f'{lines[at].rpartition(",")[0]}\n'
    elif what == 'drop':
        del lines[at]
    elif what == 'twice':
        lines[at:at] = [lines[at]] * rng.choice((1, 2, 1000))
    elif what == 'shuffle':
        rng.shuffle(lines)
    elif what == 'ending':
        lines = [line.rstrip('\r\n') + rng.choice((',\n', ';\n', '\r\n', '\r', '\n\n', ' \n')) for line in lines]
    elif what == 'space':
        lines.insert(
            at, rng.choice(('\n', '   \n', '\0\n', '#\n', ',,,\n', '\x0c\n', '\ufeff\n'.encode().decode('latin-1')))
        )
    content = ''.join(lines).encode('latin-1')
    if what == 'code':
        content = rng.choice(
            (b'\xef\xbb\xbf' + content, content.decode('latin-1').encode('utf-16'), content + b'\xff\xfe')
        )
    path.write_bytes(content)
    return f'{what} in line {at + 1}'


def _json(path: pathlib.Path, rng: random.Random) -> str:
    text = path.read_text(encoding='utf-8', errors='replace')
    lines = text.splitlines() if path.suffix == '.jsonl' else [text]
    at = rng.randrange(len(lines)) if lines else 0
    try:
        content = json.loads(lines[at])
    except (ValueError, IndexError, RecursionError):
        return _text(path, rng)
    what = rng.choice(('value', 'value', 'value', 'drop', 'rename', 'add', 'deep', 'twice', 'root'))
    places = list(_places(content))
    if what == 'root' or not places:
        content = rng.choice(VALUES)
    elif what == 'deep':
        depth = rng.choice((100, 900, 100_000))
        lines[at] = lines[at].replace(json.dumps(_leaf(content, rng)), '[' * depth + ']' * depth, 1)
    else:
        place, key = rng.choice(places)
        if what == 'value':
            place[key] = rng.choice(VALUES)
        elif what == 'drop':
            del place[key]
        elif what == 'twice':
            place[key] = [place[key]] * rng.choice((2, 1000))
        elif isinstance(place, dict):
            place[rng.choice(('', 'x', 'a' * 1000, '\0', '../x'))] = place.pop(key) if what == 'rename' else 1
        else:
            place.insert(key, rng.choice(VALUES))
    if what != 'deep':
        lines[at] = json.dumps(content)
    path.write_text('\n'.join(lines), encoding='utf-8', errors='surrogatepass')
    return what


def _places(content: object) -> list[tuple]:
    """(container, key) of every value inside."""
    found, todo = [], [content]
    while todo:
        place = todo.pop()
        keys = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        found += [(place, key) for key in keys]
        todo += [place[key] for key in keys]
    return found


def _leaf(content: object, rng: random.Random) -> object:
    place, key = rng.choice(_places(content))
    return place[key]


def _arrays(path: pathlib.Path, rng: random.Random) -> str:
    """A sound archive of other arrays."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception:  # damaged already
        return _binary(path, rng)
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    number = rng.choice((np.nan, np.inf, -1, 0, 1e30, 2**31 - 1, -(2**31), 3))
    what = rng.choice(
        ('drop', 'add', 'rename', 'one number', 'all numbers', 'type', 'shape', 'shorter', 'longer', 'text')
    )
    with np.errstate(all='ignore'):
        if what == 'drop':
            del arrays[name]
        elif what == 'add':
            arrays[rng.choice(('x', 'params/x', f'{name}/x', '', '/', '../x', 'a' * 1000))] = array
        elif what == 'rename':
            arrays[rng.choice((f'{name}x', name[:-1], name.upper(), 'config'))] = arrays.pop(name)
        elif what in ('one number', 'all numbers') and array.size and array.dtype.kind in 'fiub':
            array = array.copy()
            place = np.unravel_index(rng.randrange(array.size), array.shape) if what == 'one number' else ...
            array[place] = np.array(number).astype(array.dtype)
            arrays[name] = array
        elif what == 'type':
            kind = rng.choice(('f2', 'f4', 'f8', 'i1', 'i8', 'u8', 'b', 'c8', 'U3', 'S3', 'M8[s]', 'O'))
            try:
                arrays[name] = array.astype(kind)
            except (TypeError, ValueError):
                arrays[name] = np.zeros(array.shape, 'f8')
        elif what == 'shape':
            arrays[name] = rng.choice(
                (array.T, array.ravel(), array[None], array[..., None], np.zeros(()), np.zeros((0, 3)))
            )
        elif what == 'shorter' and array.ndim:
            arrays[name] = array[:-1]
        elif what == 'longer' and array.ndim:
            arrays[name] = np.concatenate([array, array[:1], array[-1:]])
        else:
            arrays[name] = np.array(rng.choice(WORDS[:-5]).replace('\ud800', ''))
    made = io.BytesIO()
    np.savez(made, **{key.replace('\0', ''): value for key, value in arrays.items() if key != 'file'})
    path.write_bytes(made.getvalue())
    return f'{what} of {name}'


def _claims(path: pathlib.Path, rng: random.Random) -> str:
    """A sound archive in which one array claims another shape or type than its bytes have."""
    try:
        with zipfile.ZipFile(path) as file:
            members = {name: file.read(name) for name in file.namelist()}
    except Exception:  # damaged already
        return _binary(path, rng)
    name = rng.choice(sorted(members))
    shape = rng.choice(
        ('(1000000000000,)', '(-1,)', '(2, 3)', '()', '(1048576, 1048576, 1048576)', 'None', '[1]', '(1.5,)')
    )
    dtype = rng.choice(("'<f4'", "'|O'", "'<f2'", "'<U1000000'", "[('a', '<f4')]", "'x'", '7', "'|V8'"))
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    members[name] = b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + members[name][-64:]
    with zipfile.ZipFile(path, 'w', rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))) as file:
        for each, content in members.items():
            file.writestr(each, content)
    return f'{name} claims {dtype} {shape}'


def _safetensors(path: pathlib.Path, rng: random.Random) -> str:
    data = path.read_bytes()
    size = int.from_bytes(data[:8], 'little')
    try:
        header = json.loads(data[8 : 8 + size])
        places = _places(header)
        if not places:
            return _binary(path, rng)
    except ValueError:
        return _binary(path, rng)
    place, key = rng.choice(places)
    what = rng.choice(('value', 'drop', 'length', 'claim'))
    if what == 'drop':
        del place[key]
    elif what != 'length':
        place[key] = (
            rng.choice((*VALUES, [10**12], [0, 10**12], 'BF16', 'F64', 'I64')) if what == 'value' else [10**6, 10**6]
        )
    made = json.dumps(header).encode()
    length = rng.choice((0, 1, 2**63, 2**40, size - 1)) if what == 'length' else len(made)
    path.write_bytes(length.to_bytes(8, 'little') + made + data[8 + size :])
    return f'{what} of {key}'

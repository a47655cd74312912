"""Whatever of a prepared set is damaged: one line that names the file, from the reader and from --verify."""

import json
import shutil

import cv2
import numpy as np
import pytest

from sctrpn_jax.data.prepared import prepare, source, table, verify

IMAGES = 'pets-train.array_record-00000-of-00001'
COUNT = 12


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    """Source folder of a few one-image clips, which are one part."""
    root, rng = tmp_path_factory.mktemp('published'), np.random.default_rng(0)
    (root / 'img').mkdir()
    lines = ['image,track,frame,class,x,y,w,h']
    for i in range(COUNT):
        cv2.imwrite(str(root / 'img' / f'{i}.jpg'), rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
        lines.append(f'img/{i}.jpg,t{i},0,cat,{10 + i},12.5,20,22')
    (root / 'boxes.csv').write_text('\n'.join(lines) + '\n')
    return root


@pytest.fixture(scope='module')
def whole(published, tmp_path_factory):
    job = prepare.Job('folder', str(published), str(tmp_path_factory.mktemp('data')), None, 'pets')
    prepare.prepare(job, [], 0)
    return job.folder


@pytest.fixture
def folder(whole, tmp_path):
    """A copy of the set, to be damaged."""
    return shutil.copytree(whole, tmp_path / 'pets' / '1.0.0')


def cut(share):
    return lambda data: data[: int(share * len(data))]


def edit(change):
    """The JSON with a change, made in place or returned."""

    def apply(data):
        content = json.loads(data)
        made = change(content)
        return json.dumps(content if made is None else made).encode()

    return apply


def first_file(content):
    return content['splits']['train']['files'][0]


DAMAGE = {
    'prepared.json': {
        'cut': cut(0.7),
        'empty': cut(0),
        'a list': edit(lambda c: [c]),
        'no splits': edit(lambda c: c.pop('splits') and None),
        'no crop': edit(lambda c: {name: c[name] for name in ('dataset', 'splits')}),
        'a crop of text': edit(lambda c: c.update(crop='511')),
        'an endless crop': edit(lambda c: c.update(crop=10**9)),
        'no files': edit(lambda c: c['splits']['train'].pop('files') and None),
        'no records': edit(lambda c: c['splits']['train'].pop('records') and None),
        'files without checksums': edit(lambda c: first_file(c).pop('sha256') and None),
        'a file elsewhere': edit(lambda c: first_file(c).update(file='../../x')),
        'other counts': edit(lambda c: first_file(c).update(records=7)),
        'deep': lambda data: b'[' * 100_000,
    },
    'dataset_info.json': {
        'cut': cut(0.5),
        'empty': cut(0),
        'a list': edit(lambda c: [c]),
        'no splits': edit(lambda c: c.pop('splits') and None),
        'other lengths': edit(lambda c: c['splits'][0].update(shardLengths=['1', '2', '3'])),
        'another version': edit(lambda c: c.update(version='2.0.0')),
        'an unknown field': edit(lambda c: c.update(more=1)),
        'a field of another type': edit(lambda c: c.update(description=[1])),
    },
    'features.json': {
        'cut': cut(0.5),
        'empty': cut(0),
        'a list': edit(lambda c: [c]),
        'another class': edit(lambda c: c.update(pythonClassName='os.system')),
        'no path': edit(lambda c: c['featuresDict']['features'].pop('path') and None),
    },
    'tracks-train.npz': {'cut': cut(0.5), 'empty': cut(0), 'other bytes': lambda data: b'PK' + data[7:]},
    IMAGES: {'cut': cut(0.5), 'cut a little': cut(0.999), 'empty': cut(0), 'text': lambda data: b'hello'},
}
CASES = [(name, kind) for name, kinds in DAMAGE.items() for kind in (*kinds, 'gone', 'a folder')]


def test_every_damage_is_one_line_that_names_the_file(folder):
    for name, kind in CASES:
        path = folder / name
        whole = path.read_bytes()
        path.unlink()
        if kind == 'a folder':
            path.mkdir()
        elif kind != 'gone':
            path.write_bytes(DAMAGE[name][kind](whole))
        for read in (source.PreparedSource, verify.verify):
            with pytest.raises(ValueError) as raised:
                read(folder)
            message = str(raised.value)
            assert '\n' not in message and len(message) < len(str(folder)) + 500, message
            # Without prepared.json it is no prepared set, and that is what is said.
            named = str(path) in message or ((name, kind) == ('prepared.json', 'gone') and str(folder) in message)
            assert named, f'{name}, {kind}: {message}'
        path.rmdir() if kind == 'a folder' else path.unlink(missing_ok=True)
        path.write_bytes(whole)
    assert verify.verify(folder)['train']['records'] == COUNT


def test_a_record_that_is_damaged_names_its_file(folder):
    data = bytearray((folder / IMAGES).read_bytes())
    data[20_000] ^= 1
    (folder / IMAGES).write_bytes(data)
    opened, said = source.PreparedSource(folder), set()
    for row in range(COUNT):
        try:
            opened.read(row)
        except ValueError as error:
            said.add(str(error).partition(': ')[0])
    assert said == {str(folder / IMAGES)}


TABLES = {
    'rows that go back': lambda t: t['starts'].__setitem__(1, 10_000),
    'too few names': lambda t: t.update(clip=t['clip'] + 10_000),
    'a record that is not there': lambda t: t['record'].__setitem__(0, 10_000),
    'a record before the first': lambda t: t['record'].__setitem__(0, -2),
    'half a box': lambda t: t['boxes'].__setitem__((0, 2), np.nan),
    'a box without size': lambda t: t['boxes'].__setitem__((0, 2), 0),
    'boxes of another type': lambda t: t.update(boxes=t['boxes'].astype(np.float64)),
    'boxes of three numbers': lambda t: t.update(boxes=t['boxes'][:, :3]),
    'fewer rows': lambda t: t.update(frame=t['frame'][:-1]),
    'no column': lambda t: t.pop('visible'),
    'objects': lambda t: t.update(visible=t['visible'].astype(object)),
}


@pytest.mark.parametrize('change', TABLES.values(), ids=TABLES)
def test_tables_that_do_not_go_together_are_refused(folder, change):
    path = folder / 'tracks-train.npz'
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    change(arrays)
    np.savez_compressed(path, **arrays)
    for read in (source.PreparedSource, verify.verify):
        with pytest.raises(ValueError, match=r'tracks-train\.npz') as raised:
            read(folder)
        assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('plan.json', '{'),
        ('plan.json', '[]'),
        ('plan.json', '{"source": 1}'),
        ('plan.json', '{"source": "x", "splits": []}'),
        ('train-00000.json', '{"file": 1'),
        ('train-00000.json', '[]'),
        ('train-00000.json', '{"file": "x"}'),
        ('train-00000.npz', 'PK'),
    ],
)
def test_what_an_unfinished_set_left_behind_is_checked(published, tmp_path, monkeypatch, name, content):
    job = prepare.Job('folder', str(published), str(tmp_path / 'data'), None, 'pets')
    with monkeypatch.context() as patched:
        patched.setattr(prepare, 'finish', lambda *_: {})
        prepare.prepare(job, [], 0)
    whole = (job.work / name).read_bytes()
    (job.work / name).write_text(content)
    with pytest.raises(ValueError, match=name) as raised:
        prepare.prepare(job, [], 0)
    assert '\n' not in str(raised.value)
    (job.work / name).write_bytes(whole)
    prepare.prepare(job, [], 0)
    assert verify.verify(job.folder)['train']['records'] == COUNT
    assert table.read_table(job.folder / 'tracks-train.npz')

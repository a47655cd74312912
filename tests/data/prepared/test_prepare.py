"""Published trees become prepared sets and come back whole; damage is named; a kill or a full disk loses nothing."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sctrpn_jax.data import images, patches
from sctrpn_jax.data.layouts import registry
from sctrpn_jax.data.prepared import prepare, source, table
from sctrpn_jax.system import interrupts, locks

PROGRAM = pathlib.Path(__file__).resolve().parents[3] / 'bin' / 'prepare_data'


def job_of(dataset, root, data_dir, **options):
    return prepare.Job(dataset, str(root), str(data_dir), **options)


def prepared(dataset, root, data_dir, splits=(), workers=0, **options):
    job = job_of(dataset, root, data_dir, **options)
    summary, _ = prepare.prepare(job, list(splits), workers)
    return job, summary


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != '.npz'}


def arrays(folder, split='train'):
    return vars(table.read_table(folder / f'tracks-{split}.npz'))


def assert_same_set(a, b):
    assert contents(a) == contents(b)
    for name, value in arrays(a).items():
        np.testing.assert_array_equal(value, arrays(b)[name], err_msg=name)


def assert_holds(job, split):
    """Every row of every clip of the layout is in the set, with the bytes of its image."""
    layout = registry.layout(job.dataset)(job.source, split)
    opened = source.PreparedSplit(job.folder, split)
    t = opened.table
    targets = [(clip, target) for key in layout.keys() for clip in [layout.read(key)] for target in clip.targets]
    assert len(targets) == len(t.targets)
    for i, (clip, target) in enumerate(targets):
        rows = slice(t.starts[i], t.starts[i + 1])
        assert (t.clips[t.clip[i]], t.targets[i], t.categories[i]) == (clip.name, target.name, target.category)
        np.testing.assert_array_equal(t.frame[rows], clip.frames[target.rows])
        np.testing.assert_array_equal(t.boxes[rows], target.boxes.astype(np.float32))
        np.testing.assert_array_equal(t.visible[rows], target.visible)
        if target.polygons is not None:
            np.testing.assert_array_equal(t.polygons[rows], target.polygons.astype(np.float32))
        for tag, values in target.tags.items():
            bit = np.uint32(1 << t.tag_names.index(tag))
            np.testing.assert_array_equal((t.tags[rows] & bit) > 0, values)
        for row in (rows.start, rows.stop - 1):
            stored = opened.records[int(t.record[row])]
            path = clip.images[target.rows[row - rows.start]]
            assert stored['image'] == pathlib.Path(path).read_bytes()
            assert stored['path'].decode() == os.path.relpath(path, job.source)


def test_everything_of_a_tree_is_stored(stills, tmp_path):
    job, summary = prepared('folder', stills, tmp_path / 'data', rename='pets')
    assert job.folder == tmp_path / 'data' / 'pets' / '1.0.0'
    counts = {name: summary['splits']['train'][name] for name in ('clips', 'targets', 'rows', 'records', 'refused')}
    assert counts == {'clips': 600, 'targets': 601, 'rows': 601, 'records': 600, 'refused': 0}
    assert len(summary['splits']['train']['files']) == 3
    assert_holds(job, 'train')
    assert not any('.incomplete' in name or '.part' in name for name in os.listdir(job.folder.parent))
    assert 'tensorflow' not in sys.modules


def test_absent_targets_keep_their_frames(lasot, tmp_path):
    job, _ = prepared('lasot', lasot, tmp_path / 'data')
    for split in ('train', 'test'):
        assert_holds(job, split)
    t = source.PreparedSplit(job.folder, 'train').table
    np.testing.assert_array_equal(t.visible, [np.nan, np.nan, 0, np.nan, 0, np.nan])
    assert t.tag_names == ['full_occlusion', 'out_of_view']
    usable = source.PreparedSource(job.folder, 'train')
    np.testing.assert_array_equal(usable.frame - usable.frame[0], [0, 1, 3, 5])


def test_several_processes_write_the_same_files(stills, tmp_path):
    one, _ = prepared('folder', stills, tmp_path / 'one')
    two, _ = prepared('folder', stills, tmp_path / 'two', workers=2)
    assert_same_set(one.folder, two.folder)


def test_crops_are_centred_on_their_targets(stills, tmp_path):
    job, summary = prepared('folder', stills, tmp_path / 'data', crop=511)
    assert job.name == 'folder_crop511' and summary['splits']['train']['records'] == 601
    opened = source.PreparedSplit(job.folder, 'train')
    t = opened.table
    for row in (0, 7, 600):
        patch, box = patches.cut_patch(
            images.read_image(stills / opened.records[int(t.record[row])]['path'].decode()), t.boxes[row], 511
        )
        image = opened.image(int(t.record[row]))
        assert np.abs(image.astype(int) - patch).mean() < 3  # JPEG
        found = opened.box_in_record(row)
        np.testing.assert_allclose(found[:2] + found[2:] / 2, 255.5)
        np.testing.assert_allclose(found[2:], box[2:], rtol=1e-5)
        x, y, scale = t.places[row]
        np.testing.assert_allclose([x, y], t.boxes[row, :2] + t.boxes[row, 2:] / 2)
        np.testing.assert_allclose(scale, patches.patch_scale(t.boxes[row]), rtol=1e-6)
    shared_image = t.image[[i for i, name in enumerate(t.targets) if name in ('t7', 'other')]]
    assert shared_image[0] == shared_image[1]


def test_damage_is_named_and_the_rest_kept(lasot, tmp_path):
    folder = lasot / 'cat' / 'cat-20' / 'img'
    whole = (folder / '00000002.jpg').read_bytes()
    (folder / '00000002.jpg').write_bytes(whole[: len(whole) // 2])
    (folder / '00000004.jpg').unlink()
    (folder / '00000006.jpg').write_bytes(b'')
    lines = (lasot / 'cat' / 'cat-2' / 'groundtruth.txt').read_text().splitlines()
    (lasot / 'cat' / 'cat-2' / 'groundtruth.txt').write_text(
        '\n'.join([*lines[:2], '1,2,x,4', '900,11,20,20', *lines[4:]])
    )
    job, summary = prepared('lasot', lasot, tmp_path / 'data')
    splits = {name: (values['rows'], values['records']) for name, values in summary['splits'].items()}
    names = {name: t for name in splits for t in [source.PreparedSplit(job.folder, name).table.clips]}
    by_clip = {names[name][0]: (splits[name], (job.folder / f'refused-{name}.txt').read_text()) for name in splits}
    rows, refused = by_clip['cat-20']
    assert rows == (3, 3)
    assert all(f'0000000{number}' in refused for number in (2, 6)) and '4' in refused
    rows, refused = by_clip['cat-2']
    # A record is an image with an annotated row; that of the box outside is stored, its row is not.
    assert rows == (4, 5) and 'groundtruth.txt:3: ' in refused and 'shows nothing of the 80x60 image' in refused


def test_nothing_usable_is_an_error_and_can_be_put_right(stills, tmp_path):
    kept = {path: path.read_bytes() for path in stills.glob('img/*')}
    for path in kept:
        path.write_bytes(b'')
    with pytest.raises(ValueError, match=r'nothing usable among 600 clips, 600 lines refused; the first: .*0 bytes'):
        prepared('folder', stills, tmp_path / 'data')
    assert not job_of('folder', stills, tmp_path / 'data').folder.exists()
    for path, data in kept.items():
        path.write_bytes(data)
    job, _ = prepared('folder', stills, tmp_path / 'data')
    assert_holds(job, 'train')


def test_wrong_requests_say_what_is_accepted(stills, tmp_path):
    with pytest.raises(ValueError, match="dataset 'lasott' is not known; accepted are coco, davis"):
        prepared('lasott', stills, tmp_path / 'data')
    with pytest.raises(ValueError, match="has no split 'test'; its splits are train"):
        prepared('folder', stills, tmp_path / 'data', ['test'])
    with pytest.raises(ValueError, match='crop is 100; expected 455 or more'):
        prepared('folder', stills, tmp_path / 'data', crop=100)
    with pytest.raises(ValueError, match='expected lower-case letters'):
        prepared('folder', stills, tmp_path / 'data', rename='../x')
    with pytest.raises(ValueError, match='expected a folder .*nowhere'):
        prepared('folder', tmp_path / 'nowhere', tmp_path / 'data')
    prepared('folder', stills, tmp_path / 'data')
    with pytest.raises(ValueError, match='already prepared'):
        prepared('folder', stills, tmp_path / 'data')


def test_another_source_does_not_go_on_with_an_unfinished_set(stills, lasot, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, '_write_parts', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        prepared('folder', stills, tmp_path / 'data')
    monkeypatch.undo()
    other = tmp_path / 'other'
    other.mkdir()
    (stills / 'img').rename(other / 'img')
    (stills / 'boxes.csv').rename(other / 'boxes.csv')
    with pytest.raises(ValueError, match=r'was begun from .*published.*, now .*other.*delete that folder'):
        prepared('folder', other, tmp_path / 'data')
    lines = (other / 'boxes.csv').read_text().splitlines()
    (other / 'img').rename(stills / 'img')
    (stills / 'boxes.csv').write_text('\n'.join(lines[:300]) + '\n')
    with pytest.raises(ValueError, match='the files of the source have changed since'):
        prepared('folder', stills, tmp_path / 'data')


def run(*arguments, limit='', **options):
    """bin/prepare_data in a process of its own, files limited to some bytes."""
    code = (
        f'import resource, runpy, sys; {limit}sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")'
    )
    command = [sys.executable, '-c', code, str(PROGRAM), *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


def test_a_killed_run_goes_on_and_ends_alike(stills, tmp_path):
    whole, _ = prepared('folder', stills, tmp_path / 'whole')
    job = job_of('folder', stills, tmp_path / 'data')
    arguments = ('--dataset', 'folder', '--source', stills, '--data_dir', tmp_path / 'data', '--workers', 0)
    process = run(*arguments)
    deadline = time.monotonic() + 120
    while not (job.work / 'train-00000.json').exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (job.work / 'train-00000.json').exists() and not job.folder.exists()
    first = (job.work / 'folder-train.array_record-00000-of-00003').stat().st_mtime_ns
    process = run(*arguments)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert 'train: 600 clips, 601 targets, 601 boxes, 600 images' in out
    assert (job.folder / 'folder-train.array_record-00000-of-00003').stat().st_mtime_ns == first
    assert_same_set(whole.folder, job.folder)


@pytest.mark.parametrize('every', [6, pytest.param(1, marks=pytest.mark.all)])
def test_a_signal_at_any_statement_keeps_the_finished_parts(lasot, tmp_path, signal_at, every):
    with signal_at(prepare) as executed:
        whole, _ = prepared('lasot', lasot, tmp_path / 'whole')
    for line in sorted(set(executed))[::every]:
        data = tmp_path / f'{line}'
        with signal_at(prepare, line, (executed.count(line) + 1) // 2), pytest.raises(interrupts.Interrupted):
            prepared('lasot', lasot, data)
        job = job_of('lasot', lasot, data)
        if not job.folder.exists():  # the signal came when there was something left to do
            prepared('lasot', lasot, data)
            assert not job.work.exists()
        assert_same_set(whole.folder, job.folder)
        assert not [path for path in data.rglob('*') if path.name == '.lock' or path.suffix == '.partial'], line


def test_a_signal_to_all_processes_ends_with_one_line(stills, tmp_path):
    whole, _ = prepared('folder', stills, tmp_path / 'whole')
    job = job_of('folder', stills, tmp_path / 'data')
    arguments = ('--dataset', 'folder', '--source', stills, '--data_dir', tmp_path / 'data', '--workers', 2)
    process = run(*arguments, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(job.work.glob('*.array_record*')) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 143 and 'Traceback' not in err, err
    assert err.splitlines()[-1] == 'prepare_data: interrupted; the same command goes on'
    process = run(*arguments)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert_same_set(whole.folder, job.folder)


def test_a_second_preparation_of_a_set_is_refused(stills, tmp_path):
    job = job_of('folder', stills, tmp_path / 'data')
    with locks.hold(job.folder.parent), pytest.raises(locks.LockedError, match=f'in use by process {os.getpid()} on '):
        prepared('folder', stills, tmp_path / 'data')
    prepared('folder', stills, tmp_path / 'data')


def test_a_full_disk_stops_with_a_message_and_the_rest_follows(stills, tmp_path):
    limit = 'resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); '
    arguments = ('--dataset', 'folder', '--source', stills, '--data_dir', tmp_path / 'data', '--workers', 0)
    process = run(*arguments, limit=limit)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert 'Traceback' not in err and 'prepare_data: ' in err.splitlines()[-1] and 'disk full' in err.splitlines()[-1]
    process = run(*arguments)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert_holds(job_of('folder', stills, tmp_path / 'data'), 'train')


@pytest.mark.parametrize(
    'dataset, folder, split',
    [
        ('otb2015', 'OTB', 'test'),
        ('vot2018', 'VOT', 'test'),
        ('uav123', 'UAV123_10fps', 'UAV123_10fps'),
        ('got10k', 'GOT-10k', 'val'),
        ('davis', 'DAVIS', 'val'),
    ],
)
def test_the_real_pieces_are_stored_whole(shared, tmp_path, dataset, folder, split):
    root = shared / 'data' / 'sequences' / folder
    if not root.is_dir():
        pytest.skip(f'no {folder} sequences in the shared folder')
    job, summary = prepared(dataset, root, tmp_path, [split])
    assert summary['splits'][split]['refused'] == 0
    assert_holds(job, split)


def test_the_summary_is_json_and_names_no_clip_twice(stills, tmp_path):
    job, summary = prepared('folder', stills, tmp_path / 'data')
    assert json.loads((job.folder / 'prepared.json').read_text()) == summary
    clips = source.PreparedSplit(job.folder, 'train').table.clips
    assert len(set(clips)) == len(clips)

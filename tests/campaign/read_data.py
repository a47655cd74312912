"""Readers of data sets: published layouts, folders, prepared sets, images and videos."""

import importlib.util
import pathlib

import numpy as np
from worker import Reader

TESTS = pathlib.Path(__file__).resolve().parents[1]


def load(path: str):
    """A test module, for its makers of trees."""
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, TESTS / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def photo(path: pathlib.Path, height: int = 60, width: int = 80, seed: int = 0) -> None:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


def read_layout(name: str, split: str):
    """All clips that can be read; refused ones name their file."""

    def read(folder: pathlib.Path):
        from sctrpn_jax.data.layouts import registry

        opened = registry.layout(name)(folder, split)
        clips, lines = [], list(opened.refused)
        for key in opened.keys():
            try:
                clips.append(opened.read(key))
            except ValueError as error:
                lines.append(str(error))
        lines += [line for clip in clips for line in clip.refused]
        unnamed = [line for line in lines if str(folder) not in line]
        assert not unnamed, f'names no file: {unnamed[0]!r:.200}'
        return clips

    return read


def check_clips(clips, sound) -> None:
    for clip in clips:
        assert len(clip.images) == len(clip.frames) and (np.diff(clip.frames) > 0).all()
        assert clip.targets and len({target.name for target in clip.targets}) == len(clip.targets)
        for target in clip.targets:
            assert len(target.rows) and 0 <= target.rows[0] and target.rows[-1] < len(clip.images)
            there = np.isfinite(target.boxes).all(axis=1)
            assert (there | np.isnan(target.boxes).all(axis=1)).all(), 'half a box'
            assert (target.boxes[there, 2:] > 0).all() and (np.abs(target.boxes[there]) < 1e7).all(), target.boxes
            assert all(np.isnan(value) or 0 <= value <= 1 for value in target.visible)


def rows_layout(name: str) -> Reader:
    """One of those that have rows of numbers per frame."""
    registered = {'otb': 'otb2015', 'vot': 'vot2018'}.get(name, name)

    def build(folder):
        load('data/layouts/test_damage.py').build(folder, name)

    split = {'got10k': 'train', 'nfs': '30', 'uav123': 'UAV123'}.get(name, 'test')
    return Reader(build, read_layout(registered, split), check_clips, ('1.jpg', '2.jpg', '3.jpg', '0.jpg'))


def build_davis(folder: pathlib.Path) -> None:
    made = load('data/layouts/test_davis.py')
    for number in range(3):
        made.save_indexed(made.mask_path(folder, 'ball', number), made.example())
        photo(folder / 'JPEGImages' / '480p' / 'ball' / f'{number:05d}.jpg', 4, 6)
    (folder / 'ImageSets' / '2017').mkdir(parents=True)
    (folder / 'ImageSets' / '2017' / 'val.txt').write_text('ball\n')


def build_coco(folder: pathlib.Path) -> None:
    made = load('data/layouts/test_coco.py')
    polygon = made.an_object(9, image=2, box=None, segmentation=[[2, 3, 8, 3, 8, 9.5]])
    counts = made.an_object(8, image=2, box=None, segmentation={'size': [20, 30], 'counts': [100, 5, 495]})
    made.write(folder, made.content([made.an_object(7), polygon, counts, made.an_object(6, iscrowd=1)]))


def build_imagenet(folder: pathlib.Path) -> None:
    made = load('data/layouts/test_imagenet.py')
    made.snippet(folder, {number: made.xml(made.an_object(), made.an_object('1')) for number in range(3)})
    for path in folder.rglob('*.JPEG'):
        made.write_image(path, 1280, 720)


def build_youtube(folder: pathlib.Path) -> None:
    made = load('data/layouts/test_youtube_bb.py')
    rows = [made.a_row('video', 1000 * i) for i in range(4)] + [made.a_row('video', 5000, **made.ABSENT)]
    made.write(folder, rows, frames=[('video', 1000 * i, '0', '0') for i in range(6)])


def build_folder(folder: pathlib.Path) -> None:
    lines = ['image,track,frame,class,x,y,w,h']
    for i in range(6):
        photo(folder / 'img' / f'{i}.jpg', seed=i)
        lines.append(f'img/{i}.jpg,t{i % 2},{i},cat,{10 + i},12.5,20,22')
    (folder / 'boxes.csv').write_text('\n'.join(lines) + '\n')


def read_folder(folder: pathlib.Path):
    from sctrpn_jax.data import folder as folder_lib

    source = folder_lib.read_folder(folder)
    assert all(str(folder) in line for line in source.refused)
    return source, read_rows(source)


def read_rows(source) -> list:
    found = []
    for row in range(len(source.frame)):
        try:
            found.append(source.read(row))
        except ValueError as error:
            found.append(str(error))
    return found


def check_source(found, sound) -> None:
    source, rows = found
    assert source.starts[0] == 0 and source.starts[-1] == len(source.frame) and (np.diff(source.starts) > 0).all()
    for row in rows:
        if not isinstance(row, str):
            image, box = row
            assert image.dtype == np.uint8 and image.ndim == 3 and np.isfinite(box).all() and (box[2:] > 0).all()


def build_prepared(folder: pathlib.Path) -> None:
    from sctrpn_jax.data.prepared import prepare

    build_folder(folder / 'published')
    prepare.prepare(prepare.Job('folder', str(folder / 'published'), str(folder / 'data'), 511, 'pets'), [], 0)
    for path in (folder / 'published').rglob('*.*'):
        if path.is_file():
            path.unlink()  # it is not read any more, so damage to it would say nothing


def read_prepared(folder: pathlib.Path):
    from sctrpn_jax.data.prepared import source

    opened = source.PreparedSource(folder / 'data' / 'pets_crop511' / '1.0.0')
    return opened, read_rows(opened)


def read_verified(folder: pathlib.Path):
    from sctrpn_jax.data.prepared import verify

    return verify.verify(folder / 'data' / 'pets_crop511' / '1.0.0')


def check_verified(found, sound) -> None:
    assert found == sound


def build_unfinished(folder: pathlib.Path) -> None:
    """A preparation that was killed when its parts were done."""
    from sctrpn_jax.data.prepared import prepare

    build_folder(folder / 'published')
    joined, prepare.finish = prepare.finish, lambda job, plan: {}
    try:
        read_unfinished(folder)
    finally:
        prepare.finish = joined


def read_unfinished(folder: pathlib.Path):
    from sctrpn_jax.data.prepared import prepare, source

    job = prepare.Job('folder', str(folder / 'published'), str(folder / 'data'), None, 'pets')
    plan_path = job.work / 'plan.json'
    if plan_path.is_file():  # the tree lies elsewhere now
        text = plan_path.read_bytes()
        sound = str(folder.parent / 'sound' / 'published').encode()
        plan_path.write_bytes(text.replace(sound, str(folder / 'published').encode()))
    prepare.prepare(job, [], 0)
    if not job.folder.exists():
        return None
    opened = source.PreparedSource(job.folder)
    return opened, read_rows(opened)


def check_unfinished(found, sound) -> None:
    if found is not None:
        check_source(found, sound)


def build_clip(folder: pathlib.Path) -> None:
    for i in range(4):
        photo(folder / f'{i}.{("jpg", "png", "bmp", "tiff")[i]}', seed=i)


def read_video(folder: pathlib.Path):
    from sctrpn_jax.data import video

    path = folder / 'v.mp4' if (folder / 'v.mp4').exists() or not (folder / '1.png').exists() else folder
    with video.open_video(path) as source:
        return list(source)


def build_video(folder: pathlib.Path) -> None:
    import cv2

    writer = cv2.VideoWriter(str(folder / 'v.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 25, (80, 60))
    rng = np.random.default_rng(0)
    for _ in range(8):
        writer.write(cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (80, 60)))
    writer.release()


def check_frames(found, sound) -> None:
    assert found and len({frame.shape for frame in found}) == 1
    assert all(frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3 for frame in found)


READERS = {
    **{
        name: rows_layout(name)
        for name in ('otb', 'vot', 'got10k', 'lasot', 'nfs', 'tcolor128', 'trackingnet', 'uav123')
    },
    'davis': Reader(build_davis, read_layout('davis', 'val'), check_clips),
    'coco': Reader(build_coco, read_layout('coco', 'val2017'), check_clips, ('a.jpg', 'b.jpg')),
    'imagenet': Reader(build_imagenet, read_layout('imagenet_vid', 'train'), check_clips),
    'youtube_bb': Reader(build_youtube, read_layout('youtube_bb', 'train'), check_clips),
    'folder': Reader(build_folder, read_folder, check_source),
    'prepared': Reader(build_prepared, read_prepared, check_source, ('refused-train.txt',)),
    'verify': Reader(build_prepared, read_verified, check_verified, ('refused-train.txt',)),
    'unfinished set': Reader(build_unfinished, read_unfinished, check_unfinished),
    'images': Reader(build_clip, read_video, check_frames),
    'video': Reader(build_video, read_video, check_frames),
}

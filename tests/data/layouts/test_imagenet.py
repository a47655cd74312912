"""ImageNet VID and DET: snippets, tracks and stills from XML, and what is refused by name."""

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import imagenet

TRAIN = 'ILSVRC2015_VID_train_0000/ILSVRC2015_train_00001000'
BOX = '<bndbox><xmax>{2}</xmax><xmin>{0}</xmin><ymax>{3}</ymax><ymin>{1}</ymin></bndbox>'


def an_object(track='0', name='n02084071', box=(0, 81, 888, 718), occluded='0', generated='0', more=''):
    track = '' if track is None else f'<trackid>{track}</trackid>'
    flags = f'<occluded>{occluded}</occluded><generated>{generated}</generated>'
    return f'<object>{track}<name>{name}</name>{BOX.format(*box)}{flags}{more}</object>'


def xml(*objects, size=(1280, 720)):
    stated = '<size><width>{}</width><height>{}</height></size>'.format(*size) if size else ''
    return f'<annotation><folder>f</folder><filename>000000</filename>{stated}{"".join(objects)}</annotation>'


def write(root, kind, split, files, images=None):
    """Writes XML texts or bytes by name without ending, and empty images of the same names."""
    for name in files if images is None else images:
        path = root / 'Data' / kind / split / f'{name}.JPEG'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, text in files.items():
        path = root / 'Annotations' / kind / split / f'{name}.xml'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for top in ('Data', 'Annotations'):
        (root / top / kind / split).mkdir(parents=True, exist_ok=True)
    return root


def snippet(root, texts, key=TRAIN, images=None):
    """A VID snippet of train, annotated by frame number."""
    names = None if images is None else [f'{key}/{number:06d}' for number in images]
    return write(root, 'VID', 'train', {f'{key}/{number:06d}': text for number, text in texts.items()}, names)


def write_image(path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path.with_suffix('.png')), np.zeros((height, width, 3), np.uint8))
    path.with_suffix('.png').rename(path)


def test_a_snippet_is_a_clip_and_a_trackid_a_target(tmp_path):
    other = an_object('1', 'n02691156', (10, 20, 10, 29), occluded='1', generated='1')
    texts = {0: xml(an_object()), 1: xml(), 2: xml(other, an_object(box=(1.5, 2, 3, 4))), 10: xml(other)}
    layout = imagenet.ImageNetVID(snippet(tmp_path, texts), 'train')
    assert layout.keys() == [TRAIN] and layout.refused == ()
    clip = layout.read(TRAIN)
    assert clip.name == TRAIN and clip.frames.tolist() == [0, 1, 2, 10] and clip.refused == ()
    assert clip.images == [f'{tmp_path}/Data/VID/train/{TRAIN}/{number:06d}.JPEG' for number in (0, 1, 2, 10)]
    first, second = clip.targets
    assert (first.name, first.category, second.name, second.category) == ('0', 'n02084071', '1', 'n02691156')
    assert (first.rows.tolist(), second.rows.tolist()) == ([0, 2], [2, 3])
    # xmax and ymax are inside the box.
    np.testing.assert_array_equal(first.boxes, [[0, 81, 889, 638], [1.5, 2, 2.5, 3]])
    np.testing.assert_array_equal(second.boxes, [[10, 20, 1, 10]] * 2)
    assert np.isnan(first.visible).all() and np.isnan(second.visible).all()
    assert (first.tags['occluded'].tolist(), second.tags['occluded'].tolist()) == ([False] * 2, [True] * 2)
    assert (first.tags['generated'].tolist(), second.tags['generated'].tolist()) == ([False] * 2, [True] * 2)


def test_snippets_of_both_splits_are_sorted(tmp_path):
    keys = [f'ILSVRC2015_VID_train_000{batch}/ILSVRC2015_train_0000{number}' for batch in '01' for number in '123']
    for key in reversed(keys):
        snippet(tmp_path, {0: xml(an_object())}, key)
    write(tmp_path, 'VID', 'val', {f'ILSVRC2015_val_0{number}/000000': xml(an_object()) for number in '210'})
    assert imagenet.ImageNetVID(tmp_path, 'train').keys() == keys
    val = imagenet.ImageNetVID(tmp_path, 'val')
    assert val.keys() == [f'ILSVRC2015_val_0{number}' for number in '012']
    assert pickle.loads(pickle.dumps(val)).read('ILSVRC2015_val_02').frames.tolist() == [0]


def test_links_beside_the_published_folders_are_not_read_again(tmp_path):
    snippet(tmp_path, {0: xml(an_object())})
    write(tmp_path, 'VID', 'val', {'ILSVRC2015_val_00/000000': xml(an_object())})
    for top in ('Data', 'Annotations'):  # as pysot's training_dataset/vid/readme.md says
        folder = tmp_path / top / 'VID' / 'train'
        (folder / 'a').symlink_to(folder / 'ILSVRC2015_VID_train_0000')
        (folder / 'e').symlink_to(tmp_path / top / 'VID' / 'val')
    layout = imagenet.ImageNetVID(tmp_path, 'train')
    assert layout.keys() == [TRAIN]
    assert [line.split(': ')[0].split('/')[-1] for line in layout.refused] == ['a', 'e']


def test_frames_without_image_or_annotation_are_refused(tmp_path):
    root = snippet(tmp_path, {number: xml(an_object()) for number in (0, 1, 3, 4)}, images=[0, 2, 4])
    for name in ('extra.JPEG', '4.JPEG'):
        (root / 'Data' / 'VID' / 'train' / TRAIN / name).touch()
    for name in ('extra.xml', '4.xml'):
        (root / 'Annotations' / 'VID' / 'train' / TRAIN / name).write_text(xml(an_object()))
    clip = imagenet.ImageNetVID(root, 'train').read(TRAIN)
    assert clip.frames.tolist() == [0, 4] and clip.targets[0].rows.tolist() == [0, 1]
    annotation = f'{tmp_path}/Annotations/VID/train/{TRAIN}'
    reasons = [
        f'{annotation}/000001.xml: no image',
        f'{annotation}/000002.xml: No such file',
        f'{annotation}/000003.xml: no image',
        f'{annotation}/4.xml: frame 4 is there twice',
        f'{tmp_path}/Data/VID/train/{TRAIN}/extra.JPEG: the name is no frame number',
    ]
    assert len(clip.refused) == len(reasons)
    assert all(line.startswith(reason) for line, reason in zip(sorted(clip.refused), sorted(reasons), strict=True))


@pytest.mark.parametrize(
    'bad, reason',
    [
        (an_object('1', box=(1, 2, 'ten', 4)), "object 2: bndbox/xmax 'ten' is no number"),
        (an_object('1', box=('', 2, 3, 4)), "object 2: bndbox/xmin '' is no number"),
        (an_object('1', box=(1, 2, 'nan', 4)), 'object 2: bndbox/xmax nan is no pixel position'),
        (an_object('1', box=(1, '-inf', 3, 4)), 'object 2: bndbox/ymin -inf is no pixel position'),
        (an_object('1', box=(1, 2, 3, '1e300')), 'object 2: bndbox/ymax 1e+300 is no pixel position'),
        (an_object('1', box=(5, 2, 4, 4)), 'object 2: size 0x3 is not positive'),
        (an_object('1', box=(5, 9, 6, 4)), 'object 2: size 2x-4 is not positive'),
        (an_object('1', occluded='2'), "object 2: occluded '2' is neither 0 nor 1"),
        ('<object><trackid>1</trackid></object>', "object 2: bndbox/xmin 'None' is no number"),
        (an_object(None), 'an object has no trackid'),
        (an_object(' '), 'an object has no trackid'),
        (an_object('0'), "trackid '0' is there twice"),
        (an_object('7', 'n00000000'), "trackid '7' is of 'n00000000', was 'n02084071'"),
    ],
)
def test_a_bad_object_is_refused_by_name(tmp_path, bad, reason):
    texts = {0: xml(an_object('7')), 1: xml(an_object(), bad)}
    clip = imagenet.ImageNetVID(snippet(tmp_path, texts), 'train').read(TRAIN)
    assert [(target.name, target.rows.tolist()) for target in clip.targets] == [('7', [0]), ('0', [1])]
    assert clip.refused == (f'{tmp_path}/Annotations/VID/train/{TRAIN}/000001.xml: {reason}',)


ENTITIES = '<!DOCTYPE a [<!ENTITY b "{}">{}]>'.format(
    'ha' * 9, ''.join(f'<!ENTITY b{i} "{f"&b{i - 1 or str()};" * 9}">' for i in range(1, 9))
)


@pytest.mark.parametrize(
    'text, reason',
    [
        (ENTITIES + xml(an_object(more='<note>&b8;</note>')), 'document type'),
        ('<!DOCTYPE a SYSTEM "file:///etc/hostname">' + xml(an_object()), 'document type'),
        (xml(an_object())[:-20], 'not XML'),
        ('', 'not XML'),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', None),
        (xml(an_object(name='Straße')).encode('latin-1'), 'not XML'),
        (('<?xml version="1.0" encoding="utf-16"?>' + ENTITIES + xml(an_object())).encode('utf-16'), 'NULs'),
        (xml(an_object()).encode() + b'\0', 'NULs'),
        ('<a>' * 20000, 'not XML'),
    ],
)
def test_a_file_that_is_not_read_is_refused_by_name(tmp_path, text, reason):
    root = snippet(tmp_path, {0: text, 1: xml(an_object())})
    clip = imagenet.ImageNetVID(root, 'train').read(TRAIN)
    assert clip.targets[0].boxes.shape == (1, 4) and len(clip.refused) == (reason is not None)
    if reason:
        assert clip.refused[0].startswith(f'{tmp_path}/Annotations/VID/train/{TRAIN}/000000.xml: ')
        assert reason in clip.refused[0]


def test_what_is_no_imagenet_says_what_is_expected(tmp_path):
    for layout, kind in ((imagenet.ImageNetVID, 'VID'), (imagenet.ImageNetDET, 'DET')):
        with pytest.raises(ValueError, match='accepted are train, val'):
            layout(tmp_path, 'test')
        with pytest.raises(ValueError, match=f'expected .*Data/{kind}/val'):
            layout(tmp_path, 'val')
        write(tmp_path, kind, 'val', {})
        write(tmp_path, kind, 'train', {})
        for split in layout.splits:
            with pytest.raises(ValueError, match=rf'expected .*Annotations/{kind}/{split}/.*\.xml and .*\.JPEG'):
                layout(tmp_path, split)
    write(tmp_path, 'VID', 'val', {'ILSVRC2015_val_00/000000': xml()}, [])
    with pytest.raises(ValueError, match='first refusal: .*ILSVRC2015_val_00: no images'):
        imagenet.ImageNetVID(tmp_path, 'val')
    layout = imagenet.ImageNetVID(snippet(tmp_path, {0: xml(), 1: 'x'}), 'train')
    with pytest.raises(ValueError, match=rf'{TRAIN}: no usable object in its 2 files; first refusal: .*000001\.xml'):
        layout.read(TRAIN)
    with pytest.raises(ValueError, match='no snippet'):
        layout.read('../val')


def test_names_may_be_any_text(tmp_path):
    key = 'ILSVRC2015_VID_train_0000/' + 'é日' + 'n' * 240
    snippet(tmp_path, {0: xml(an_object('träck' * 99, '名'))}, key)
    (tmp_path / 'Annotations/VID/train/ILSVRC2015_VID_train_0000').joinpath('bad\udcff').mkdir()
    layout = imagenet.ImageNetVID(tmp_path, 'train')
    assert layout.keys() == [key]
    assert (layout.read(key).targets[0].name, layout.read(key).targets[0].category) == ('träck' * 99, '名')
    assert layout.refused[0].endswith('the name is not UTF-8') and layout.refused[0].encode()


def still(root, name, text, size, split='train'):
    write(root, 'DET', split, {name: text}, [])
    write_image(root / 'Data' / 'DET' / split / f'{name}.JPEG', *size)
    return root


DET = 'ILSVRC2013_train/n01440764/n01440764_1'


def test_an_image_is_a_clip_and_an_object_a_target(tmp_path):
    text = xml(an_object(None, 'n02084071', (0, 1, 9, 4)), an_object(None, 'n01', (3, 3, 3, 3)), size=(500, 375))
    still(tmp_path, DET, text, (500, 375))
    still(tmp_path, 'ILSVRC2014_train_0000/ILSVRC2014_train_00000001', text, (500, 375))
    layout = imagenet.ImageNetDET(tmp_path, 'train')
    assert layout.keys() == [DET, 'ILSVRC2014_train_0000/ILSVRC2014_train_00000001'] and layout.refused == ()
    clip = pickle.loads(pickle.dumps(layout)).read(DET)
    assert clip.images == [f'{tmp_path}/Data/DET/train/{DET}.JPEG'] and clip.frames.tolist() == [0]
    assert [(target.name, target.category) for target in clip.targets] == [('0', 'n02084071'), ('1', 'n01')]
    np.testing.assert_array_equal(
        np.concatenate([target.boxes for target in clip.targets]), [[0, 1, 10, 4], [3, 3, 1, 1]]
    )
    assert clip.targets[0].rows.tolist() == [0] and clip.refused == ()


def test_boxes_are_scaled_to_the_stored_image(tmp_path):
    def boxes(stated, size):
        still(tmp_path, DET, xml(an_object(None, box=(10, 20, 29, 59)), size=stated), size)
        return imagenet.ImageNetDET(tmp_path, 'train').read(DET).targets[0].boxes

    np.testing.assert_array_equal(boxes((100, 80), (200, 160)), [[20, 40, 40, 80]])
    np.testing.assert_array_equal(boxes(None, (200, 160)), [[10, 20, 20, 40]])
    np.testing.assert_array_equal(boxes((0, 0), (200, 160)), [[10, 20, 20, 40]])
    with pytest.raises(ValueError, match=r'n01440764_1\.xml: boxes on 100x80 pixels, but .*\.JPEG has 80x100'):
        boxes((100, 80), (80, 100))


def test_stills_that_lack_something_are_refused(tmp_path):
    text = xml(an_object(None), size=None)
    names = {'a': text, 'b': text, 'c': xml(), 'd': xml(an_object(None, box=(5, 5, 'x', 9))), 'e': 'x'}
    write(tmp_path, 'DET', 'val', names, ['a', 'c', 'd', 'e', 'without'])
    write(tmp_path, 'DET', 'val', {'other/f': text})
    layout = imagenet.ImageNetDET(tmp_path, 'val')
    assert layout.keys() == ['a', 'c', 'd', 'e']
    assert [line.split(': ')[1][:8] for line in layout.refused] == ['no image', 'not of t']
    for key, reason in {
        'c': r'c\.xml: no object',
        'd': r'd\.xml: object 1: ',
        'e': r'e\.xml: not XML',
        'b': 'no image',
    }.items():
        with pytest.raises(ValueError, match=reason):
            layout.read(key)


def test_a_link_to_a_folder_above_is_not_followed_for_ever(tmp_path):
    still(tmp_path, DET, xml(an_object(None), size=None), (9, 9))
    for top in ('Data', 'Annotations'):
        folder = tmp_path / top / 'DET' / 'train' / 'ILSVRC2013_train'
        (folder / 'n00000000').symlink_to(folder)
    layout = imagenet.ImageNetDET(tmp_path, 'train')
    assert layout.keys() == [DET] and len(layout.refused) == 2


fields = st.sampled_from(['', ' 5 ', '-3', '1e7', 'nan', 'inf', '0', '1', '12.5', 'x', '&amp;', '<b/>', '9' * 400])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    objects=st.lists(st.tuples(fields, fields, st.tuples(fields, fields, fields, fields), fields, fields), max_size=5)
)
def test_any_fields_give_a_clip_or_a_value_error(tmp_path, objects):
    root = snippet(tmp_path, {number: xml(an_object(*values)) for number, values in enumerate(objects)})
    (root / 'Annotations' / 'VID' / 'train' / TRAIN).mkdir(parents=True, exist_ok=True)
    (root / 'Data' / 'VID' / 'train' / TRAIN).mkdir(parents=True, exist_ok=True)
    try:
        clip = imagenet.ImageNetVID(root, 'train').read(TRAIN)
    except ValueError as error:
        assert str(root) in str(error)
    else:
        assert clip.targets and all(np.isfinite(target.boxes).all() for target in clip.targets)

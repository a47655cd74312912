"""COCO: what is read from its annotation files, what is left out and how that is said."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import coco


def an_object(number, image=1, box=(1.5, 2, 10, 11.25), category=18, **other):
    return {'id': number, 'image_id': image, 'category_id': category, 'bbox': box and list(box), 'iscrowd': 0, **other}


def content(annotations, images=((1, 'a.jpg'), (2, 'b.jpg'))):
    return {
        'info': {'year': 2017},
        'images': [{'id': number, 'file_name': name, 'width': 30, 'height': 20} for number, name in images],
        'annotations': annotations,
        'categories': [{'id': 18, 'name': 'dog', 'supercategory': 'animal'}, {'id': 1, 'name': 'person'}],
    }


def write(root, value, split='val2017', names=('a.jpg', 'b.jpg')):
    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    (root / split).mkdir(exist_ok=True)
    for name in names:
        (root / split / name).touch()
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    (root / 'annotations' / f'instances_{split}.json').write_bytes(data)
    return root


def test_objects_of_an_image_are_the_targets_of_a_clip(tmp_path):
    objects = [an_object(7), an_object(9, image=2, box=(0, 0, 4, 5), category=1), an_object(8, box=(3, 4, 5, 6))]
    layout = coco.COCO(write(tmp_path, content(objects)), 'val2017')
    assert layout.keys() == ['a.jpg', 'b.jpg'] and layout.refused == ()
    clip = layout.read('a.jpg')
    assert (clip.name, clip.images, clip.frames.tolist()) == ('a.jpg', [f'{tmp_path}/val2017/a.jpg'], [0])
    assert [(target.name, target.category) for target in clip.targets] == [('7', 'dog'), ('8', 'dog')]
    np.testing.assert_array_equal(clip.targets[0].boxes, [[1.5, 2, 10, 11.25]])
    np.testing.assert_array_equal(clip.targets[1].boxes, [[3, 4, 5, 6]])
    assert clip.targets[0].rows.tolist() == [0] and np.isnan(clip.targets[0].visible).all()
    assert layout.read('b.jpg').targets[0].category == 'person'


def test_2014_and_a_folder_images(tmp_path):
    name = 'COCO_val2014_000000000001.jpg'
    write(tmp_path, content([an_object(7)], images=[(1, name)]), 'val2014', [])
    (tmp_path / 'val2014').rmdir()
    (tmp_path / 'images' / 'val2014').mkdir(parents=True)
    (tmp_path / 'images' / 'val2014' / name).touch()
    layout = coco.COCO(tmp_path, 'val2014')
    assert layout.read(name).images == [f'{tmp_path}/images/val2014/{name}']


POLYGON = [[2, 3, 8, 3, 8, 9.5]]
RUNS = {'size': [4, 3], 'counts': [5, 2, 5]}
TEXT = {'size': [4, 3], 'counts': '525'}


@pytest.mark.parametrize('segmentation, box', [(POLYGON, (2, 3, 6, 6.5)), (RUNS, (1, 1, 1, 2)), (TEXT, (1, 1, 1, 2))])
@pytest.mark.parametrize('bbox', [None, [], [5, 5, 0, 0], [5, 5, 3, 0]])
def test_without_a_box_it_is_that_of_the_segmentation(tmp_path, segmentation, box, bbox):
    objects = [an_object(7, box=bbox, segmentation=segmentation)]
    clip = coco.COCO(write(tmp_path, content(objects)), 'val2017').read('a.jpg')
    np.testing.assert_array_equal(clip.targets[0].boxes, [box])


def test_groups_are_left_out_and_counted(tmp_path):
    objects = [an_object(7), an_object(8, iscrowd=1, segmentation=RUNS), an_object(9, image=2, iscrowd=1)]
    layout = coco.COCO(write(tmp_path, content(objects)), 'val2017')
    assert layout.keys() == ['a.jpg'] and len(layout.read('a.jpg').targets) == 1
    file = f'{tmp_path}/annotations/instances_val2017.json'
    assert layout.refused == (
        f'{file}: 2 annotations with iscrowd are groups and left out',
        f'{file}: 1 images without a usable object are left out',
    )


@pytest.mark.parametrize(
    'bad, reason',
    [
        (an_object(8, box=[1, 2, 3]), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 2, 'ten', 4]), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 2, float('nan'), 4]), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 2, float('inf'), 4], segmentation=POLYGON), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 1e300, 3, 4]), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 10**400, 3, 4]), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 2, True, 4]), 'is not \\[x, y, width, height\\]'),
        (an_object(8, box=[1, 2, 0, 4]), 'size 0x4 is not positive'),
        (an_object(8, box=[1, 2, 3, -4], segmentation=POLYGON), 'size 3x-4 is not positive'),
        (an_object(8, box=None), 'neither bbox nor segmentation'),
        (an_object(8, box=None, segmentation=[[1, 2]]), 'three or more points'),
        (an_object(8, box=None, segmentation={'size': [4, 3], 'counts': '52'}), 'run lengths of 7 pixels'),
        (an_object(7), 'has the id twice'),
        (an_object(None), 'no id'),
        (an_object([8]), 'no id'),
        (an_object('\ud800'), 'no id'),
    ],
)
def test_a_bad_object_is_refused_by_name(tmp_path, bad, reason):
    clip = coco.COCO(write(tmp_path, content([an_object(7), bad])), 'val2017').read('a.jpg')
    assert [target.name for target in clip.targets] == ['7']
    (line,) = clip.refused
    assert line.startswith(f'{tmp_path}/annotations/instances_val2017.json: annotation ')
    with pytest.raises(ValueError, match=reason):
        raise ValueError(line)


@pytest.mark.parametrize('bad', [an_object(8, image=3), an_object(8, image=[1]), {'id': 8}, 8, None])
def test_an_object_of_no_image_is_refused(tmp_path, bad):
    layout = coco.COCO(write(tmp_path, content([an_object(7), an_object(6, image=2), bad])), 'val2017')
    (line,) = layout.refused
    assert 'no image 3' in line or 'no image [1]' in line or 'annotation number 2: no image_id' in line


def test_images_that_are_missing_or_doubled_are_refused(tmp_path):
    images = [(1, 'a.jpg'), (2, 'gone.jpg'), (1, 'b.jpg'), (4, 'a.jpg'), (5, '../a.jpg'), ([6], 'b.jpg'), (7, None)]
    images += [(8, 'b.jpg\0'), (9, '\ud800.jpg'), (10, f'{tmp_path}/val2017/b.jpg'), (11, 'x' * 999)]
    objects = [an_object(number, image=number) for number in (1, 2, 4, 5, 8, 9, 10, 11)]
    layout = coco.COCO(write(tmp_path, content(objects, images)), 'val2017')
    assert layout.keys() == ['a.jpg']
    assert len(layout.refused) == len(images) - 1
    assert all(line.startswith(f'{tmp_path}/annotations/instances_val2017.json: image ') for line in layout.refused)
    assert 'gone.jpg' in layout.refused[0] and 'there twice' in layout.refused[1]


def test_names_may_be_any_text_and_lie_in_folders(tmp_path):
    names = ['日本 é.jpg', 'n' * 240 + '.jpg', 'sub/c.jpg']
    (tmp_path / 'val2017' / 'sub').mkdir(parents=True)
    objects = [an_object(f'ß{number}', image=number, category='?') for number in range(3)]
    layout = coco.COCO(write(tmp_path, content(objects, enumerate(names)), names=names), 'val2017')
    assert layout.keys() == names and layout.refused == ()
    assert (layout.read(names[0]).targets[0].name, layout.read(names[0]).targets[0].category) == ('ß0', '')


def test_it_can_be_sent_to_another_process(tmp_path):
    layout = coco.COCO(write(tmp_path, content([an_object(7), an_object(8, image=2)])), 'val2017')
    other = pickle.loads(pickle.dumps(layout))
    assert other.keys() == layout.keys()
    np.testing.assert_array_equal(other.read('b.jpg').targets[0].boxes, layout.read('b.jpg').targets[0].boxes)


def test_what_is_no_coco_says_what_is_expected(tmp_path):
    with pytest.raises(ValueError, match='accepted are train2017, val2017'):
        coco.COCO(tmp_path, 'val')
    with pytest.raises(
        ValueError, match=r'expected .*annotations/instances_val2017\.json and images .*val2017/\*\.jpg'
    ):
        coco.COCO(tmp_path, 'val2017')
    with pytest.raises(ValueError, match=r'no usable object with an image .*val2017/<file_name>'):
        coco.COCO(write(tmp_path, content([])), 'val2017')
    with pytest.raises(ValueError, match=r'no usable object.*first refusal: .*gone\.jpg'):
        coco.COCO(write(tmp_path, content([an_object(7)], [(1, 'gone.jpg')])), 'val2017')
    with pytest.raises(ValueError, match='no usable object of image'):
        coco.COCO(write(tmp_path, content([an_object(7)])), 'val2017').read('b.jpg')


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'{',
        b'[]',
        b'{"images": []}',
        b'{"images": 1, "annotations": {}}',
        b'\xff\xfe',
        b'[' * 99999,
        b'{"image_id": 1}',
    ]
    + [b'{"a": ' + b'1' * 9999 + b'}', json.dumps(content([an_object(7)])).encode()[:-40]],
    ids=range(10),
)
def test_what_is_no_annotation_is_named(tmp_path, data):
    with pytest.raises(ValueError, match=r'instances_val2017\.json: '):
        coco.COCO(write(tmp_path, data), 'val2017')


VALID = json.dumps(
    content([an_object(7, segmentation=POLYGON), an_object(8, image=2, box=None, segmentation=TEXT)])
).encode()


def check(root, data):
    """A valid set, or a ValueError that names the file."""
    try:
        layout = coco.COCO(write(root, data), 'val2017')
    except ValueError as error:
        assert f'{root}/annotations/instances_val2017.json' in str(error)
        return
    for key in layout.keys():
        clip = layout.read(key)
        names = [target.name for target in clip.targets]
        assert names and len(set(names)) == len(names)
        assert all(np.isfinite(target.boxes).all() and (target.boxes[:, 2:] > 0).all() for target in clip.targets)
        ''.join([key, *names, *clip.refused, *layout.refused]).encode()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(VALID)), length=st.integers(0, 30), change=st.binary(max_size=8))
def test_any_change_gives_a_set_or_a_value_error(tmp_path, place, length, change):
    check(tmp_path, VALID[:place] + change + VALID[place + length :])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=99) | st.text(max_size=99).map(lambda text: text.encode(errors='replace')))
def test_any_bytes_give_a_set_or_a_value_error(tmp_path, data):
    check(tmp_path, data)


scalars = st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.sampled_from(['', 'a.jpg', 'x', '\udfff'])
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=6)
entries = st.dictionaries(
    st.sampled_from(['id', 'image_id', 'category_id', 'bbox', 'iscrowd', 'segmentation', 'file_name', 'name']), values
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    images=st.lists(entries | values, max_size=4),
    objects=st.lists(entries | values, max_size=5),
    categories=st.lists(entries | values, max_size=3) | values,
)
def test_any_json_of_the_form_gives_a_set_or_a_value_error(tmp_path, images, objects, categories):
    value = content([an_object(7), *objects])
    check(tmp_path, {**value, 'images': value['images'] + images, 'categories': categories})

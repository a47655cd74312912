"""Images by number, names by list: order, doubles, damage."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import listing


def test_images_are_ordered_by_number_not_by_text(tmp_path, touch):
    touch(tmp_path, range(12), '%d.jpg')
    (tmp_path / '._3.jpg').touch()
    (tmp_path / 'notes.txt').touch()
    (tmp_path / '13.jpg').mkdir()
    found = listing.numbered_images(tmp_path)
    assert list(found.paths) == list(range(12)) and found.refused == ()
    assert [os.path.basename(path) for path in found.paths.values()] == [f'{n}.jpg' for n in range(12)]
    assert list(found.within(3, 5).paths) == [3, 4, 5]


def test_images_that_no_frame_can_be_told_of_are_refused_by_name(tmp_path, touch):
    touch(tmp_path, [1, 2], '%d.png')
    for name in ('0002.JPG', 'thumbnail.jpg', f'{"9" * 40}.jpg', '٣.jpg'):
        (tmp_path / name).touch()
    found = listing.numbered_images(tmp_path)
    assert list(found.paths) == [1]
    assert len(found.refused) == 4
    assert any('frame 2 is 0002.JPG too' in line and '2.png' in line for line in found.refused)
    assert any('thumbnail.jpg: its name is no frame number' in line for line in found.refused)


@pytest.mark.parametrize('name', ['empty', 'missing', 'x' * 5000])
def test_a_folder_without_images_is_named(tmp_path, name):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=rf'no images; expected them in .*{name}'):
        listing.numbered_images(tmp_path / name)


def test_names_keep_their_order_and_doubles_are_refused(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes('\ufeffb\r\n\r\n a \r\nb\r\n../c\r\nÄpfel\r\n.\r\n'.encode())
    names, refused = listing.read_names(path)
    assert names == ['b', 'a', 'Äpfel']
    assert refused == [
        f"{path}:4: 'b' is named twice",
        f"{path}:5: '../c' is no name of a folder",
        f"{path}:7: '.' is no name of a folder",
    ]
    path.write_text(' \n')
    with pytest.raises(ValueError, match=r'list\.txt: names no sequence'):
        listing.read_names(path)
    with pytest.raises(ValueError, match='not a file'):
        listing.read_text(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_list_gives_folder_names_or_names_the_file(tmp_path, data):
    path = tmp_path / 'list.txt'
    path.write_bytes(data)
    try:
        names, refused = listing.read_names(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert names and len(set(names)) == len(names)
        assert all(os.path.basename(name) == name.strip() == name for name in names)
        assert all(line.startswith(f'{path}:') for line in refused)


def test_splits_are_named():
    with pytest.raises(ValueError, match="got 'dev', accepted are train, val"):
        listing.check_split('dev', ('train', 'val'))

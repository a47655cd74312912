"""read_image against Pillow, and files that are no images."""

import numpy as np
import pytest
from PIL import Image

from sctrpn_jax.data.images import read_image


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)


@pytest.mark.parametrize('mode', ['RGB', 'L', 'RGBA', 'P', 'LA'])
def test_png_modes_match_pillow(tmp_path, picture, mode):
    image = Image.fromarray(picture).convert(mode)
    if mode == 'RGBA':
        image.putalpha(128)
    image.save(tmp_path / 'a.png')
    read = read_image(tmp_path / 'a.png')
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.asarray(image.convert('RGB')))


def test_rotation_tag_is_ignored(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / 'a.jpg', exif=exif)
    assert read_image(tmp_path / 'a.jpg').shape == picture.shape


def test_a_name_beyond_ascii(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / 'é 日.png')
    np.testing.assert_array_equal(read_image(tmp_path / 'é 日.png'), picture)


@pytest.mark.parametrize('content', [None, b'', b'not an image', 'half'])
def test_damaged_files_are_named(tmp_path, picture, content):
    file = tmp_path / 'broken.jpg'
    if content == 'half':
        Image.fromarray(np.kron(picture, np.ones((16, 16, 1), np.uint8))).save(file)
        content = file.read_bytes()[: file.stat().st_size // 2]
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r'broken\.jpg'):
        read_image(file)


def test_a_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=f'{tmp_path}: not a file'):
        read_image(tmp_path)

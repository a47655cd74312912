"""Sizes from image headers against Pillow, and what damaged headers give."""

import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sctrpn_jax.data.layouts import image_header


def encoded(width, height, form, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


FORMS = {
    'jpeg': ('JPEG', {}),
    'progressive': ('JPEG', {'progressive': True}),
    'long comments': ('JPEG', {'exif': b'Exif\0\0' + b'\xff\xc0' * 9000, 'comment': b'\xff\xd8' * 300}),
    'png': ('PNG', {}),
    'bmp': ('BMP', {}),
}


@pytest.mark.parametrize('form, options', FORMS.values(), ids=FORMS)
@pytest.mark.parametrize('size', [(1, 1), (31, 20), (300, 17)])
def test_sizes_are_those_of_the_image(tmp_path, form, options, size):
    path = tmp_path / 'é.img'
    path.write_bytes(encoded(*size, form, **options))
    with Image.open(path) as image:
        assert image_header.image_size(path) == size == image.size


def test_fill_bytes_and_marks_without_length_are_passed(tmp_path):
    data = encoded(31, 20, 'JPEG')
    path = tmp_path / 'a.jpg'
    path.write_bytes(data[:2] + b'\xff\x01\xff\xd0\xff\xff\xff' + data[3:])
    assert image_header.image_size(path) == (31, 20)


def test_only_the_header_is_needed(tmp_path):
    data = encoded(310, 200, 'JPEG')
    path = tmp_path / 'a.jpg'
    path.write_bytes(data[: data.index(b'\xff\xc0') + 9])
    assert image_header.image_size(path) == (310, 200)


@pytest.mark.parametrize(
    'data', [b'', b'\xff\xd8', b'\xff\xd8\xff', b'\xff\xd8\xff\xe0\0\1', b'\x89PNG\r\n\x1a\n', b'x' * 99]
)
def test_what_is_no_image_is_named(tmp_path, data):
    path = tmp_path / 'a.jpg'
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r'a\.jpg'):
        image_header.image_size(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'none\.jpg'):
        image_header.image_size(tmp_path / 'none.jpg')
    with pytest.raises(ValueError, match='x{300}'):
        image_header.image_size(tmp_path / ('x' * 300))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 700), change=st.binary(max_size=6), cut=st.integers(0, 700))
def test_a_damaged_header_gives_a_size_or_a_value_error(tmp_path, place, change, cut):
    data = encoded(31, 20, 'JPEG')[: 700 + cut]
    path = tmp_path / 'a.jpg'
    path.write_bytes((data[:place] + change + data[place + len(change) :])[: max(cut, 1) * 3])
    try:
        width, height = image_header.image_size(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert 0 < width < 2**16 and 0 < height < 2**16

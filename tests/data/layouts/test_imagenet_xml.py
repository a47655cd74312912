"""ImageNet's XML: whatever the bytes, objects that can be used or one ValueError with the file's name."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import imagenet_xml

VALID = b"""<annotation><folder>f</folder><filename>000000</filename>
<size><width>1280</width><height>720</height></size>
<object><trackid>0</trackid><name>n02084071</name>
<bndbox><xmax>888</xmax><xmin>0</xmin><ymax>718</ymax><ymin>81</ymin></bndbox>
<occluded>0</occluded><generated>0</generated></object>
<object><trackid>1</trackid><name>n02084071</name>
<bndbox><xmax>3</xmax><xmin>1</xmin><ymax>4</ymax><ymin>2</ymin></bndbox>
<occluded>1</occluded><generated>0</generated></object></annotation>"""


def check(path, data):
    path.write_bytes(data)
    try:
        size, objects, refused = imagenet_xml.read_xml(str(path))
    except ValueError as error:
        assert str(error).startswith(f'{path}: ')
        return
    assert size is None or np.isfinite(size).all()
    assert all(np.isfinite(found.box).all() and min(found.box[2:]) > 0 for found in objects)
    assert all(line.startswith(f'{path}: object ') for line in refused)
    ''.join(refused + [found.track + found.category for found in objects]).encode()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(VALID)), length=st.integers(0, 30), change=st.binary(max_size=8))
def test_any_change_gives_objects_or_a_value_error(tmp_path, place, length, change):
    check(tmp_path / 'a.xml', VALID[:place] + change + VALID[place + length :])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=99) | st.text(max_size=99).map(lambda text: f'<a>{text}</a>'.encode(errors='replace')))
def test_any_bytes_give_objects_or_a_value_error(tmp_path, data):
    check(tmp_path / 'a.xml', data)


def test_the_text_that_is_changed_is_sound(tmp_path):
    path = tmp_path / 'a.xml'
    path.write_bytes(VALID)
    size, objects, refused = imagenet_xml.read_xml(str(path))
    assert size == (1280, 720) and len(objects) == 2 and not refused

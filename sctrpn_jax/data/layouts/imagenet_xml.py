"""One annotation file of ImageNet VID or DET (ILSVRC2015), in the form of PASCAL VOC.

xmin, ymin, xmax, ymax are 0-based pixels and xmax, ymax lie inside the box, so a box is (xmin, ymin, xmax - xmin + 1,
ymax - ymin + 1). Sources: the devkit's eval_vid_detection.m and eval_detection.m measure sides as xmax - xmin + 1;
xmin 0 occurs (ILSVRC2015_train_00001000/000000.xml), and the annotation tool that wrote VID (weiliu89/vatic,
public/tracks.js) holds boxes within 0 .. side - 1. GOT-10k's toolkit reads VID in the same way.
"""

import xml.etree.ElementTree as ET
from typing import NamedTuple

from sctrpn_jax import bounded
from sctrpn_jax.bounded import MAX_PIXEL


class Object(NamedTuple):
    """One object of an image.

    Attributes:
      track: trackid; '' in DET.
      category: WordNet id.
      box: (x, y, w, h), 0-based continuous pixels of the stated size.
      occluded: hidden in part or wholly; False in DET.
      generated: interpolated between boxes drawn by hand; False in DET.
    """

    track: str
    category: str
    box: tuple[float, float, float, float]
    occluded: bool
    generated: bool


def _number(node: ET.Element, tag: str) -> float:
    text = node.findtext(tag)
    try:
        value = float(text or '')
    except ValueError:
        raise ValueError(f'{tag} {str(text)[:60]!r} is no number') from None
    if not abs(value) <= MAX_PIXEL:
        raise ValueError(f'{tag} {value:g} is no pixel position')
    return value


def _flag(node: ET.Element, tag: str) -> bool:
    text = node.findtext(tag, '0').strip()
    if text not in ('0', '1'):
        raise ValueError(f'{tag} {text[:60]!r} is neither 0 nor 1')
    return text == '1'


def _parse_object(node: ET.Element) -> Object:
    left, top, right, bottom = (_number(node, f'bndbox/{side}') for side in ('xmin', 'ymin', 'xmax', 'ymax'))
    width, height = right - left + 1, bottom - top + 1
    if min(width, height) <= 0:
        raise ValueError(f'size {width:g}x{height:g} is not positive')
    track, category = (node.findtext(tag, '').strip() for tag in ('trackid', 'name'))
    return Object(track, category, (left, top, width, height), _flag(node, 'occluded'), _flag(node, 'generated'))


def read_xml(path: str) -> tuple[tuple[float, float] | None, list[Object], list[str]]:
    """Reads an annotation file.

    Returns:
      The image's (width, height) as stated, None where it is not; the objects; one line `path: object n: reason` per
      object that cannot be used.

    Raises:
      ValueError: missing, not XML, or with a document type; the message names the file.
    """
    try:
        data = bounded.read_bytes(path)
    except OSError as error:
        raise ValueError(f'{path}: {error.strerror}') from error
    # Entities of a document type can grow without bound. In UTF-16, which a mark at the start can switch to, the word
    # has NULs in it; other encodings that a file may claim are overruled.
    if b'<!DOCTYPE' in data or b'\0' in data:
        raise ValueError(f'{path}: not read, it has a document type or NULs')
    try:
        root = ET.fromstring(data, ET.XMLParser(encoding='utf-8'))
    except ET.ParseError as error:
        raise ValueError(f'{path}: not XML ({error})') from error
    try:
        size = (_number(root, 'size/width'), _number(root, 'size/height'))
    except ValueError:
        size = None
    objects, refused = [], []
    for number, node in enumerate(root.findall('object'), 1):
        try:
            objects.append(_parse_object(node))
        except ValueError as error:
            refused.append(f'{path}: object {number}: {error}')
    return size, objects, refused

"""Width and height of an image from the first bytes of its file: sets with relative boxes need no more of it."""

import os
from typing import BinaryIO

from sctrpn_jax import bounded
from sctrpn_jax.data import images

_PNG = b'\x89PNG\r\n\x1a\n'
# Start of frame: 0xC0 to 0xCF except tables of Huffman codes (C4) and arithmetic coding (CC) and the reserved C8.
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_IMAGE_STARTS_OR_ENDS = frozenset({0xD9, 0xDA})


def _jpeg_size(file: BinaryIO) -> tuple[int, int]:
    """(width, height) of the first frame header after the start mark; (0, 0) where there is none."""
    while file.read(1) == b'\xff':
        marker = file.read(1)
        while marker == b'\xff':  # fill bytes
            marker = file.read(1)
        code = int.from_bytes(marker)
        if code in _SOF:
            header = file.read(7)  # length (2), precision (1), height (2), width (2)
            return int.from_bytes(header[5:7]), int.from_bytes(header[3:5])
        if code in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(file.read(2))
        if code in _IMAGE_STARTS_OR_ENDS or length < 2:
            break
        file.seek(length - 2, os.SEEK_CUR)
    return 0, 0


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """Size of an image as stored, rotation tags ignored (as `images.read_image`).

    Args:
      path: an image file; of JPEG and PNG only the header is read, anything else is decoded.

    Returns:
      (width, height), pixels.

    Raises:
      ValueError: the file is missing or no image; the message names it.
    """
    try:
        bounded.check_file(path)
        with open(path, 'rb') as file:
            head = file.read(24)
            if head.startswith(b'\xff\xd8'):
                file.seek(2)
                width, height = _jpeg_size(file)
            elif head.startswith(_PNG) and head[12:16] == b'IHDR':
                width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
            else:
                width = height = 0
    except OSError as error:
        raise ValueError(f'cannot read image {os.fspath(path)!r}: {error.strerror}; expected an image file') from error
    if not width or not height:
        height, width = images.read_image(path).shape[:2]
    return width, height

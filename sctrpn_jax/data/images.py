"""Reading one image from disk: RGB bytes, or an error that names the file."""

import os

import cv2
import numpy as np

from sctrpn_jax import bounded


def _is_cut_short(data: np.ndarray) -> bool:
    """Whether a JPEG's last scan has no end marker: OpenCV 4 paints the rest grey and says nothing."""
    text = data.tobytes()
    return text.startswith(b'\xff\xd8') and text.rfind(b'\xff\xd9') < text.rfind(b'\xff\xda')


def read_image(path: str | os.PathLike) -> np.ndarray:
    """An image file as RGB; grayscale, palette, 16-bit and alpha forms are converted.

    Args:
      path: a file in any form OpenCV decodes (JPEG, PNG, BMP, WebP, TIFF ...).

    Returns:
      [H, W, 3] uint8, RGB, 0..255. Rotation tags are ignored, since boxes are given on the stored pixels.

    Raises:
      ValueError: the file is missing, unreadable or no image; the message names it.
    """
    try:
        data = bounded.read_bytes(path)
    except OSError as error:
        raise ValueError(f'cannot read image {os.fspath(path)!r}: {error.strerror}; expected an image file') from error
    return decode_image(data, path)


def decode_image(data: bytes | np.ndarray, name: str | os.PathLike) -> np.ndarray:
    """Encoded bytes of an image as `read_image` gives it.

    Args:
      data: bytes, or [N] uint8.
      name: for the message.

    Raises:
      ValueError: no image, or one that is cut short; the message has the name.
    """
    data = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    try:
        usable = data.size > 0 and not _is_cut_short(data)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if usable else None
    except cv2.error:
        image = None
    if image is None:
        raise ValueError(f'cannot decode image {os.fspath(name)!r} ({data.size} bytes); expected JPEG, PNG or the like')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

"""Square patches cut around boxes on the host, with room for what the augmentation may ask for."""

import math

import cv2
import numpy as np

from sctrpn_jax.geometry import grid

_WHOLE = 1e-2  # patch pixels: a displacement that no grey level shows


def patch_size(crop_size: int, shift: float, scale: float, zoom: float = 0.0) -> int:
    """Side of the patch that holds every crop the augmentation can ask for, pixels.

    Args:
      crop_size: side of the crop, pixels.
      shift: largest displacement of the target from the crop's centre, crop pixels.
      scale: a crop pixel is up to (1 + scale) patch pixels wide,
      zoom: times e^zoom.

    Returns:
      An odd size, with a pixel to spare on each side for the bilinear neighbours: 455 and 145 with pysot's values.
    """
    side = math.ceil((crop_size + 2 * shift) * (1 + scale) * math.exp(zoom)) + 2
    return side + 1 - side % 2


def patch_scale(box: np.ndarray) -> float:
    """Patch pixels per image pixel at SiamFC's scale: the box's context square becomes as wide as the template crop.

    Args:
      box: [4] xywh, image pixels, positive size.
    """
    width, height = float(box[2]), float(box[3])
    pad = (width + height) / 2
    return grid.TEMPLATE_SIZE / math.sqrt((width + pad) * (height + pad))


def cut_patch(image: np.ndarray, box: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Square patch around a box at SiamFC's scale (`patch_scale`).

    A smaller patch of odd size is the middle of a larger one of odd size, to rounding.

    Args:
      image: [H, W, 3] uint8.
      box: [4] xywh, image pixels.
      size: side of the patch, pixels.

    Returns:
      patch [size, size, 3] uint8, the image's mean colour outside of it, and box [4] float32 cxcywh in patch pixels:
      its centre is the patch's.
    """
    x, y, width, height = (float(value) for value in box)
    scale = patch_scale(box)
    centre = np.array([x + width / 2, y + height / 2])
    at, step, published = centre, scale, image
    if (factor := round(1 / scale)) > 1:
        # Averages over whole factor x factor cells counted from the image's corner, whatever the patch: bilinear
        # sampling alone would alias, and cells counted from the patch would differ between patches of two sizes.
        half = size / scale / 2
        tall, wide = image.shape[:2]
        left, top = np.clip(np.floor(centre - half).astype(int) // factor - 1, 0, [wide // factor, tall // factor])
        left, top = min(left * factor, wide - 1), min(top * factor, tall - 1)
        right, bottom = np.clip(np.ceil(centre + half).astype(int) + 2 * factor, [left + 1, top + 1], [wide, tall])
        region = image[top:bottom, left:right]
        more = [-region.shape[0] % factor, -region.shape[1] % factor]
        region = cv2.copyMakeBorder(region, 0, more[0], 0, more[1], cv2.BORDER_REPLICATE)
        image = cv2.resize(region, (region.shape[1] // factor, region.shape[0] // factor), interpolation=cv2.INTER_AREA)
        at, step = (centre - (left, top)) / factor, scale * factor
    # cv2's index i is the continuous position i + 0.5.
    offset = size / 2 - 0.5 - (at - 0.5) * step
    left, top = np.round(-offset).astype(int).tolist()
    inside = min(left, top) >= 0 and left + size <= image.shape[1] and top + size <= image.shape[0]
    whole = max(abs(step - 1) * size, abs(left + offset[0]), abs(top + offset[1])) < _WHOLE
    if inside and whole:  # a stored crop: its pixels are the patch's
        return image[top : top + size, left : left + size], _centred(size, width, height, scale)
    matrix = np.array([[step, 0, offset[0]], [0, step, offset[1]]])
    patch = cv2.warpAffine(
        image,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=cv2.mean(published),
    )
    return patch, _centred(size, width, height, scale)


def _centred(size: int, width: float, height: float, scale: float) -> np.ndarray:
    return np.array([size / 2, size / 2, width * scale, height * scale], np.float32)

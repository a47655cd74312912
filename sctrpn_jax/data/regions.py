"""Any region of an image as a target: what is followed need not be an object that some dataset names."""

import math

import cv2
import numpy as np

from sctrpn_jax.data import pairs

PER_ROW = 2  # regions of an image, times the rows that show it; resident data holds a patch of each
_SIZE, _RATIO = 2.0, 2.5  # largest factors on the row's own target's size and on equal sides, either way
_LEAST_CONTRAST = 15.0  # standard deviation of grey levels: flat regions look alike everywhere
_DRAWS = 8


class RegionSource:
    """Regions drawn at random in the images of a source. Each is a track of one row: a pair is two augmentations of it.

    Attributes:
      name, starts, frame, image, refused: see `pairs.Source`.
      images_of: the source, whose numbers of images these are.

    Args:
      source: whose images and sizes of targets it takes.
    """

    def __init__(self, source: pairs.Source):
        count = PER_ROW * len(source.frame)
        self.images_of = source
        self.name = f'regions of {source.name}'
        self.starts = np.arange(count + 1)
        self.frame = np.zeros(count, np.int64)
        self.image = np.repeat(source.image, PER_ROW)
        self.refused: tuple[str, ...] = ()

    def read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Image [H, W, 3] uint8 and box [4] float32 xywh inside it, the same for a row each time.

        The first of a few draws with contrast, else the one with the most.

        Raises:
          ValueError: the image cannot be read.
        """
        image, box = self.images_of.read(row // PER_ROW)
        side = math.sqrt(float(box[2]) * float(box[3]))
        rng, best, most = np.random.default_rng(row), None, -1.0
        for _ in range(_DRAWS):
            region = _draw(rng, side, image.shape[1], image.shape[0])
            x, y, w, h = region.round().astype(int)
            shown = image[y : y + max(h, 1), x : x + max(w, 1)]
            contrast = float(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY).std())
            if contrast > most:
                best, most = region, contrast
            if most >= _LEAST_CONTRAST:
                break
        return image, best


def _draw(rng: np.random.Generator, side: float, width: int, height: int) -> np.ndarray:
    size = side * _SIZE ** rng.uniform(-1, 1)
    ratio = _RATIO ** rng.uniform(-0.5, 0.5)
    w, h = min(size * ratio, width / 2), min(size / ratio, height / 2)
    return np.array([rng.uniform(0, width - w), rng.uniform(0, height - h), w, h], np.float32)

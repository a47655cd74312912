"""Where the cells of AlexNet's maps lie in a crop, derived from the kernels and strides of its layers.

Plain Python and NumPy, so that a config can be checked before JAX is loaded.
"""

import math

import numpy as np

# The backbone's convolutions conv1..conv5; 3x3 max-pools of stride 2 follow conv1 and conv2 (Sec. 4.2; READING: no
# padding, conv1 with stride 2).
KERNELS = (11, 5, 3, 3, 3)
STRIDES = (2, 1, 1, 1, 1)
POOLED = (1, 2)
POOL_KERNEL, POOL_STRIDE = 3, 2
LAYERS = (3, 4, 5)  # whose maps the stages may use

# Side of the template crop, pixels (SiamFC, SiamRPN): the smallest that leaves conv5 a map of 6 cells with the target's
# surroundings in it. Every size below is derived from it and from the layers.
TEMPLATE_SIZE = 127

STRIDE = math.prod(STRIDES) * POOL_STRIDE ** len(POOLED)  # crop pixels from one cell to the next: 8


def windows(layer: int) -> list[tuple[int, int]]:
    """(kernel, stride) of every convolution and pool from the image to conv`layer`.

    Raises:
      ValueError: a layer that is not 3, 4 or 5.
    """
    if layer not in LAYERS:
        raise ValueError(f'layer: got {layer}, accepted are {", ".join(map(str, LAYERS))}')
    found = []
    for number in range(1, layer + 1):
        found.append((KERNELS[number - 1], STRIDES[number - 1]))
        if number in POOLED:
            found.append((POOL_KERNEL, POOL_STRIDE))
    return found


def feature_size(layer: int, image_size: int) -> int:
    """Cells along a side of a layer's map: 26, 24, 22 of 255 and 10, 8, 6 of 127 for conv3, conv4, conv5.

    Args:
      layer: 3, 4 or 5.
      image_size: side of the crop, pixels.

    Raises:
      ValueError: another layer, or an image too small for one cell.
    """
    size = image_size
    for kernel, stride in windows(layer):
        size = (size - kernel) // stride + 1
        if size < 1:
            raise ValueError(f'image_size: {image_size} pixels leave no cell at conv{layer}')
    return size


def cell_centres(layer: int, image_size: int) -> np.ndarray:
    """Centre of each cell's receptive field along an axis: 8 i + 27.5, 35.5, 43.5 for conv3, conv4, conv5.

    Args:
      layer: 3, 4 or 5.
      image_size: side of the crop, pixels.

    Returns:
      [feature_size(layer, image_size)] float32, continuous crop pixels (pixel i covers [i, i + 1)).

    Raises:
      ValueError: the same as `feature_size`.
    """
    pitch, first = 1, 0.5
    for kernel, stride in windows(layer):
        first += (kernel - 1) / 2 * pitch
        pitch *= stride
    return np.arange(feature_size(layer, image_size), dtype=np.float32) * pitch + first


def map_size(search_size: int) -> int:
    """Cells along a side of the response map: 17 for a search crop of 255 pixels.

    Every stage has it, since the maps of all layers are as much larger for the search as for the template.
    """
    return feature_size(max(LAYERS), search_size) - feature_size(max(LAYERS), TEMPLATE_SIZE) + 1


def fits_grid(search_size: int) -> bool:
    """Whether a search crop's centre lies at the same place in a cell as the template's: sizes 127, 135, .. 255, .."""
    return search_size >= TEMPLATE_SIZE and (search_size - TEMPLATE_SIZE) % STRIDE == 0

"""Contours of a crop inside the compiled step: the rho of Eq. 11 is a count of edge components that a box encloses.

Components are 8-connected, so all mask pixels of a 2x2 block belong together: the blocks, not the pixels, are the
nodes of the union-find, which makes every pass four times cheaper.
"""

import chex
import jax.numpy as jnp
import numpy as np
from jax import lax

from sctrpn_jax.geometry import boxes as box_forms

_NEVER = np.int32(2**30)  # above every linear index
MAX_COMPONENTS = 512  # of one crop: edge maps of photographs have some hundred


def edge_map(image: chex.Array, threshold: chex.Numeric) -> chex.Array:
    """Edges: Sobel magnitude of the grey image over a threshold.

    Grey is 0.299 R + 0.587 G + 0.114 B; the gradients are those of the unscaled 3x3 Sobel kernels (at most 1020 per
    direction), with the border pixels replicated.

    Args:
      image: [H, W, 3] float RGB, 0..255.
      threshold: [] Sobel magnitude; an edge is strictly above.

    Returns:
      [H, W] bool.
    """
    chex.assert_shape(image, (None, None, 3))
    grey = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
    padded = jnp.pad(grey, 1, mode='edge')
    smooth = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    slope = padded[2:] - padded[:-2]
    dx = smooth[:, 2:] - smooth[:, :-2]
    dy = slope[:, :-2] + 2 * slope[:, 1:-1] + slope[:, 2:]
    return jnp.sqrt(dx * dx + dy * dy) > threshold


def label_components(mask: chex.Array) -> chex.Array:
    """8-connected components of a mask.

    Union-find on 2x2 blocks without a queue: each block offers the least label it sees to its own root, then every
    block jumps to the label of its label. Natural edge maps settle in three to five rounds, a spiral that fills a
    255x255 crop in seven.

    Args:
      mask: [H, W] bool.

    Returns:
      [H, W] int32: the least linear index (row * W + column) of the pixel's component; -1 outside the mask.
    """
    chex.assert_rank(mask, 2)
    height, width = mask.shape
    rows, columns = (height + 1) // 2, width // 2 + 1  # always a free column at the right: flat shifts cannot wrap
    count, margin = rows * columns, columns + 1
    codes = _block_codes(mask, rows, columns)
    links = _block_links(codes, columns)

    def shifted(labels, offset):
        return labels[margin + offset : margin + offset + count]

    def least(labels):
        seen = shifted(labels, 0)
        for bit, offset in enumerate(_neighbour_offsets(columns)):
            linked = (links & np.int32(1 << bit)) != 0
            seen = jnp.minimum(seen, jnp.where(linked, shifted(labels, offset), _NEVER))
        return seen

    def unsettled(state):
        labels, seen = state
        return jnp.any(seen != shifted(labels, 0))

    def hook_and_jump(state):
        labels, seen = state
        labels = labels.at[shifted(labels, 0)].min(seen, mode='promise_in_bounds')
        for _ in range(2):
            labels = labels.at[labels].get(mode='promise_in_bounds')
        return labels, least(labels)

    # The margins are nodes of their own, so that a shift is a plain slice of one flat array.
    start = jnp.arange(count + 2 * margin, dtype=jnp.int32)
    _, block_labels = lax.while_loop(unsettled, hook_and_jump, (start, least(start)))

    first = _first_pixels(codes, rows, columns, width)
    table = jnp.full_like(start, _NEVER).at[block_labels].min(first, mode='promise_in_bounds')
    pixels = table[block_labels].reshape(rows, 1, columns, 1)
    pixels = jnp.broadcast_to(pixels, (rows, 2, columns, 2)).reshape(2 * rows, 2 * columns)
    return jnp.where(mask, pixels[:height, :width], -1)


def component_boxes(labels: chex.Array, max_components: int = MAX_COMPONENTS) -> tuple[chex.Array, chex.Array]:
    """Bounding boxes of components.

    Args:
      labels: [H, W] int32 as `label_components` makes them (a 2x2 block holds one label at most).
      max_components: M; of more components the first M in raster order of their first pixel's 2x2 block stay.

    Returns:
      [M, 4] float32 (left, top, right, bottom), pixel edges in the map's frame: a component of the single pixel
        (row 0, column 0) has (0, 0, 1, 1). Zeros where not valid.
      [M] bool, valid.
    """
    chex.assert_rank(labels, 2)
    if max_components < 1:
        raise ValueError(f'max_components: got {max_components}, a positive number is needed')
    height, width = labels.shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    padded = jnp.pad(labels, ((0, 2 * rows - height), (0, 2 * columns - width)), constant_values=-1)
    blocks = padded.reshape(rows, 2, columns, 2)
    a, b, c, d = blocks[:, 0, :, 0], blocks[:, 0, :, 1], blocks[:, 1, :, 0], blocks[:, 1, :, 1]
    label = jnp.maximum(jnp.maximum(a, b), jnp.maximum(c, d))
    y = 2 * jnp.arange(rows, dtype=jnp.int32)[:, None]
    x = 2 * jnp.arange(columns, dtype=jnp.int32)[None, :]
    own = y * width + x
    root = (a == own) | (b == own + 1) | (c == own + width) | (d == own + width + 1)

    # A root's place among the roots. Sums of 0/1, so exact in any matrix-unit format; much faster than a cumsum.
    flags = root.astype(jnp.float32)
    before = flags @ jnp.triu(jnp.ones((columns, columns), jnp.float32), 1)
    totals = jnp.sum(flags, axis=1)
    place = (before + (jnp.cumsum(totals) - totals)[:, None]).astype(jnp.int32)
    place = jnp.where(root, place, max_components)
    roots = jnp.full(max_components, -1, jnp.int32).at[place.reshape(-1)].set(label.reshape(-1), mode='drop')

    left = x + (jnp.maximum(a, c) < 0).astype(jnp.int32)
    right = x + 1 + (jnp.maximum(b, d) >= 0).astype(jnp.int32)
    bottom = y + 1 + (jnp.maximum(c, d) >= 0).astype(jnp.int32)
    extents = jnp.stack([left, -right, -bottom], axis=-1).reshape(-1, 3)
    at = jnp.where(label >= 0, label, height * width).reshape(-1)
    table = jnp.full((height * width, 3), _NEVER).at[at].min(extents, mode='drop')[roots]
    # The least linear index lies in the top row.
    corners = jnp.stack([table[:, 0], roots // width, -table[:, 1], -table[:, 2]], axis=-1)
    valid = roots >= 0
    return jnp.where(valid[:, None], corners, 0).astype(jnp.float32), valid


def count_enclosed(component_corners: chex.Array, valid: chex.Array, boxes: chex.Array) -> chex.Array:
    """Number of components that lie wholly in each box: rho of Eq. 11.

    Args:
      component_corners: [M, 4] (left, top, right, bottom), crop pixels.
      valid: [M] bool.
      boxes: [K, 4] centre form, crop pixels.

    Returns:
      [K] int32; a component whose box touches the border from inside counts.
    """
    chex.assert_shape(component_corners, (valid.shape[0], 4))
    chex.assert_shape(boxes, (None, 4))
    outer = box_forms.cxcywh_to_corners(boxes)[:, None, :]
    inner = component_corners[None, :, :]
    inside = jnp.all(inner[..., :2] >= outer[..., :2], axis=-1) & jnp.all(inner[..., 2:] <= outer[..., 2:], axis=-1)
    return jnp.sum(inside & valid[None, :], axis=-1, dtype=jnp.int32)


# A block's code has one bit a pixel: top left, top right, bottom left, bottom right.
_A, _B, _C, _D = (np.uint16(1), np.uint16(256), np.uint16(2), np.uint16(512))


def _block_codes(mask: chex.Array, rows: int, columns: int) -> chex.Array:
    """[rows * columns] uint16 codes of the 2x2 blocks, the mask padded at the right and bottom."""
    height, width = mask.shape
    padded = jnp.pad(mask.astype(jnp.uint16), ((0, 2 * rows - height), (0, 2 * columns - width)))
    blocks = padded.reshape(rows, 2, columns, 2)
    pairs = blocks[..., 0] | (blocks[..., 1] << np.uint16(8))
    return (pairs[:, 0] | (pairs[:, 1] << np.uint16(1))).reshape(-1)


def _neighbour_offsets(columns: int) -> tuple[int, ...]:
    """Flat offsets of a block's neighbours: E, W, S, N, SE, NW, SW, NE."""
    return (1, -1, columns, -columns, columns + 1, -columns - 1, columns - 1, 1 - columns)


def _block_links(codes: chex.Array, columns: int) -> chex.Array:
    """[N] int32, bit i set where a block touches its i-th neighbour of `_neighbour_offsets`."""
    margin, count = columns + 1, codes.shape[0]
    padded = jnp.pad(codes, margin)
    ways = ((_B | _D, _A | _C), (_C | _D, _A | _B), (_D, _A), (_C, _B))
    sides = [pair for here, there in ways for pair in ((here, there), (there, here))]
    links = jnp.zeros(count, jnp.int32)
    for bit, (offset, (here, there)) in enumerate(zip(_neighbour_offsets(columns), sides, strict=True)):
        neighbour = padded[margin + offset : margin + offset + count]
        touch = ((codes & here) != 0) & ((neighbour & there) != 0)
        links = links | jnp.where(touch, np.int32(1 << bit), 0)
    return links


def _first_pixels(codes: chex.Array, rows: int, columns: int, width: int) -> chex.Array:
    """[N] int32 least linear index of a block's mask pixels (without meaning where it has none)."""
    y = 2 * jnp.arange(rows, dtype=jnp.int32)[:, None]
    x = 2 * jnp.arange(columns, dtype=jnp.int32)[None, :]
    corner = (y * width + x).reshape(-1)
    lower = jnp.where((codes & _C) != 0, corner + width, corner + width + 1)
    return jnp.where((codes & _A) != 0, corner, jnp.where((codes & _B) != 0, corner + 1, lower))

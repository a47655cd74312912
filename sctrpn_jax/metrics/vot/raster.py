"""Overlap of VOT regions by counting pixels, as the toolkits fill them; without masks: each row is one or two spans.

A region is a row of 8 numbers: four corners x1, y1 .. x4, y4, or x, y, w, h and four NaN; all NaN where it is unknown.
Corners are inclusive pixel indices. The conventions differ by up to 0.05 on the same regions:

- `vot2018`: the challenge's Matlab toolkit. A rectangle's corners are x and x + w - 1; corners are rounded half away
  from zero; rows are filled between crossings with non-horizontal edges, both ends included; 0 where the bounding
  boxes, widened to whole pixels, share no area (a common column is none, nor is a region one pixel wide).
- `pysot`: the same rule with corners x and x + w.
- `vot-python`: corners x and x + w - 1; numbers are rounded half to even before that; horizontal edges and lone pixels
  are filled, and a common column counts; two regions without extent overlap by 1, and an unknown one is one of those.
"""

import numpy as np

CONVENTIONS = ('vot2018', 'pysot', 'vot-python')

_CELLS = 1 << 15  # rows of all pairs counted at a time: what stays in the cache
_MAX_HEIGHT = 4_000_000  # rows; only damaged numbers are as far apart
_LARGEST = 1e9  # pixels; what lies beyond may as well lie there, and single precision stays finite
_SORT = ((0, 1), (2, 3), (0, 2), (1, 3), (1, 2))  # exchanges that sort four values


def check_convention(convention: str) -> None:
    """ValueError where a convention is none of `CONVENTIONS`."""
    if convention not in CONVENTIONS:
        raise ValueError(f'convention: got {convention!r}, accepted are {", ".join(CONVENTIONS)}')


def as_regions(rows: np.ndarray) -> np.ndarray:
    """Boxes [..., 4] xywh become regions [..., 8] float64; regions stay.

    Raises:
      ValueError: another number of columns.
    """
    rows = np.asarray(rows, np.float64)
    if rows.ndim < 1 or rows.shape[-1] not in (4, 8):
        raise ValueError(f'regions: got shape {rows.shape}, accepted are [..., 4] (x, y, w, h) and [..., 8]')
    return rows if rows.shape[-1] == 8 else np.concatenate([rows, np.full_like(rows, np.nan)], axis=-1)


def overlap(
    a: np.ndarray, b: np.ndarray, bounds: tuple[float, float] | None = None, convention: str = 'vot2018'
) -> float:
    """`overlaps` of one pair of regions, [8] or [4] each."""
    return float(overlaps(as_regions(a)[None], as_regions(b)[None], bounds, convention)[0])


def overlaps(
    a: np.ndarray, b: np.ndarray, bounds: tuple[float, float] | None = None, convention: str = 'vot2018'
) -> np.ndarray:
    """Pixels in both regions over pixels in either, for N pairs.

    Args:
      a: [N, 8] or [N, 4], frame pixels; a row with infinite or some NaN numbers is unknown.
      b: as many.
      bounds: last column and row that count, the first being 0; None: everywhere. For a frame of w x h the toolkits
        take w - 1 and h - 1, but pysot's accuracy and its tester w and h.
      convention: one of `CONVENTIONS`.

    Returns:
      [N] float64, 0..1. Where a region is unknown NaN, but by `vot-python` 0, and 1 where both are.

    Raises:
      ValueError: shapes that do not fit, an unknown convention, or unbounded regions millions of rows high.
    """
    check_convention(convention)
    a, b = as_regions(a), as_regions(b)
    if a.ndim != 2 or a.shape != b.shape:
        raise ValueError(f'regions: got shapes {a.shape} and {b.shape}, accepted are two of the shape [N, 4 or 8]')
    regions = np.stack([a, b])
    is_box = np.all(np.isnan(regions[..., 4:]), axis=-1)
    known = np.all(np.isfinite(np.where(is_box[..., None], regions[..., [0, 1, 2, 3] * 2], regions)), axis=-1)
    regions = np.clip(np.where(known[..., None], regions, 0), -_LARGEST, _LARGEST)
    is_box &= known
    horizontal = convention == 'vot-python'
    if horizontal:
        corners, size, result, open_ = _place_python(regions, is_box, known, bounds)
    else:
        corners, size, result, open_ = _place_c(regions, is_box, known, bounds, float(convention == 'vot2018'))
    order = np.flatnonzero(open_)
    order = order[np.argsort(size[order, 1], kind='stable')]
    if len(order) and size[order[-1], 1] > _MAX_HEIGHT:
        raise ValueError(f'regions of {size[order[-1], 1]:.0f} rows; accepted are {_MAX_HEIGHT}, or bounds')
    while len(order):
        # Pairs of about the same height together, the highest first.
        pairs = max(1, _CELLS // int(size[order[-1], 1]))
        order, part = order[:-pairs], order[-pairs:]
        result[part] = _share(corners[:, part], size[part], horizontal)
    return result


def _corners(regions: np.ndarray, is_box: np.ndarray, inclusive: float) -> np.ndarray:
    """[2, N, 4, 2] corners of regions [2, N, 8], boxes x to x + w - `inclusive`."""
    x, y, w, h = np.moveaxis(regions[..., :4], -1, 0)
    right, bottom = x + w - inclusive, y + h - inclusive
    boxes = np.stack([x, y, right, y, right, bottom, x, bottom], axis=-1)
    return np.where(is_box[..., None], boxes, regions).reshape(*is_box.shape, 4, 2)


def _place_c(regions, is_box, known, bounds, inclusive):
    """Whole-pixel corners [2, N, 4, 2] in the window of each pair, its size [N, 2], results, and which are open [N]."""
    # Single precision and the order of operations are the C library's: they decide about halves.
    corners = _corners(regions, is_box, inclusive).astype(np.float32)
    low, high = np.floor(corners.min(axis=-2)), np.ceil(corners.max(axis=-2))
    if bounds is not None:
        low, high = np.maximum(low, 0), np.minimum(high, np.asarray(bounds, np.float32))
    origin = low.min(axis=0)
    size = np.trunc(high.max(axis=0) - origin).astype(np.float64) + 1
    local = (corners - origin[:, None]).astype(np.float64)
    local = np.trunc(local + np.copysign(0.5, local))
    known = known.all(axis=0)
    common = high.min(axis=0) - low.max(axis=0)
    shared = (common > 0).all(axis=-1)
    # Two boxes without area (cut down to the last column, say) divide 0 by 0 there, and are counted after all.
    shared |= ((high - low).prod(axis=-1) == 0).all(axis=0) & (common.prod(axis=-1) == 0) & (size >= 1).all(axis=-1)
    return local, size, np.where(known, 0.0, np.nan), known & shared


def _place_python(regions, is_box, known, bounds):
    """As `_place_c`, by the Python toolkit's rule."""
    regions = np.round(regions.astype(np.float32)).astype(np.float64)
    corners = _corners(regions, is_box, 1.0)
    # The last column of a box that rounds to no width comes before its first.
    low = np.where(is_box[..., None], corners[:, :, 0], corners.min(axis=2)).min(axis=0)
    high = np.where(is_box[..., None], corners[:, :, 2], corners.max(axis=2)).max(axis=0)
    without_extent = (low >= high).any(axis=-1)
    if bounds is not None:
        low, high = np.maximum(low, 0), np.minimum(high, np.asarray(bounds, np.float64))
    # Regions that lie apart share no pixel, however far it is from one to the other.
    apart = (corners.min(axis=2).max(axis=0) > corners.max(axis=2).min(axis=0)).any(axis=-1)
    outside = (low >= high).any(axis=-1) | apart
    local = corners - low[:, None]
    local[~known | (is_box & (regions[..., 2:4] < 1).any(axis=-1))] = -1  # in no row: nothing is filled
    return local, high - low + 1, np.where(without_extent, 1.0, 0.0), ~without_extent & ~outside


def _share(corners: np.ndarray, size: np.ndarray, horizontal: bool) -> np.ndarray:
    """[n] overlap of pairs with corners [2, n, 4, 2] in windows of size [n, 2]."""
    row = np.arange(size[:, 1].max())
    last = np.where(row < size[:, 1:], size[:, :1], 0) - 1  # of the window in each row, [n, H]
    a, b = (_spans(part, row, last, horizontal) for part in corners)

    def length(first, final):
        return np.maximum(final - first + 1, 0).sum(axis=-1)

    area = sum(length(*span) for span in (*a, *b))
    both = sum(length(np.maximum(s[0], t[0]), np.minimum(s[1], t[1])) for s in a for t in b)
    return both / np.maximum(area - both, 1)


def _spans(
    corners: np.ndarray, row: np.ndarray, last: np.ndarray, horizontal: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two disjoint spans (first, last column, [n, H] each) that a polygon fills in each row; empty: last < first.

    Crossings of a row with the edges are sorted; each two that follow are a span. Of two equal ones (a corner) the
    first is left out, but where horizontal edges are crossings too (`horizontal`) not of the last two.
    """
    nodes = []
    for i in range(4):
        (x, y), (x0, y0) = corners[:, i, :, None].swapaxes(0, 1), corners[:, i - 1, :, None].swapaxes(0, 1)
        rise = y0 - y
        at = np.trunc(x + (row - y) / np.where(rise == 0, 1, rise) * (x0 - x))
        crossed = (np.minimum(y, y0) <= row) & (row <= np.maximum(y, y0))
        if horizontal:
            at = np.where(rise == 0, x, at)
        else:
            crossed &= rise != 0
        nodes.append(np.where(crossed, at, np.inf))
    for i, j in _SORT:
        nodes[i], nodes[j] = np.minimum(nodes[i], nodes[j]), np.maximum(nodes[i], nodes[j])
    nodes.append(np.array(np.inf))

    filled = []  # whether a span is from crossing 0, 1, 2 to the next
    here: np.ndarray | bool = True  # whether a span may begin at crossing i
    ended: np.ndarray | bool = False  # whether one ends there
    for i in range(3):
        valid = here & (nodes[i + 1] < np.inf)
        skip = valid & (nodes[i] == nodes[i + 1])
        if horizontal:
            skip &= nodes[i + 2] < np.inf
        filled.append(valid & ~skip)
        # A span uses up two crossings.
        here, ended = ended | skip, filled[i]
    first, middle, second = filled
    # A pixel that both spans end in is the first one's.
    touch = first & (nodes[1] == nodes[2])
    spans = [
        (first | middle, np.where(middle, nodes[1], nodes[0]), np.where(middle, nodes[2], nodes[1])),
        (second, np.where(touch, nodes[2] + 1, nodes[2]), nodes[3]),
    ]
    return [
        (np.where(exists, np.maximum(start, 0), 0), np.where(exists, np.minimum(end, last), -1))
        for exists, start, end in spans
    ]

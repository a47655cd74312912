"""Where OTB's robustness evaluation starts a tracker: in other first frames (TRE), or with other first boxes (SRE).

Rules and rounding are those of the Matlab toolkit (splitSeqTRE.m, shiftInitBB.m; Wu, Lim, Yang, CVPR 2013). Boxes are
0-based xywh here; the toolkit's rounding is done on 1-based numbers.
"""

import os
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.data.layouts import listing, rows

SEGMENTS, LEAST_FRAMES = 20, 20
_SHIFT = 0.1  # of the target's side
SCALES = {'scale_8': 0.8, 'scale_9': 0.9, 'scale_11': 1.1, 'scale_12': 1.2}
_CORNERS = {
    'topLeft': (-1, -1, 0, 0),
    'topRight': (0, -1, 1, 0),
    'bottomLeft': (-1, 0, 0, 1),
    'bottomRight': (0, 0, 1, 1),
}
_CENTRES = {'left': (-1, 0), 'right': (1, 0), 'up': (0, -1), 'down': (0, 1)}
PERTURBATIONS = (*_CENTRES, *_CORNERS, *SCALES)  # the twelve, in the toolkit's order


def temporal_starts(truth: np.ndarray, omitted: np.ndarray | None = None, segments: int = SEGMENTS) -> np.ndarray:
    """First frames of TRE's runs, each of which goes on to the end of the sequence.

    They are spread evenly over the frames to start from: those with a box whose four (1-based) values are above 0, not
    omitted, and none after the last such frame that leaves 20 frames. The first run is that of OPE.

    Args:
      truth: [T, 4] xywh.
      omitted: [T] bool, frames in which the target is hidden (`read_omitted`); None: none.
      segments: how many.

    Returns:
      [N] int64 frame indices, ascending: `segments` of them, or fewer where there are not as many frames to start from.

    Raises:
      ValueError: no frame to start from.
    """
    truth = np.asarray(truth, np.float64)
    usable = (truth[:, :2] + 1 > 0).all(axis=1) & (truth[:, 2:] > 0).all(axis=1)
    if omitted is not None:
        usable &= ~np.asarray(omitted, bool)
    frames = np.flatnonzero(usable)
    last = np.searchsorted(frames, len(truth) - LEAST_FRAMES, side='right')  # how many leave enough frames
    if not last or segments < 2:
        raise ValueError(
            f'temporal starts: got {segments} segments of {len(truth)} frames, {len(frames)} of which can be started '
            f'from; accepted are 2 segments or more, and a start with {LEAST_FRAMES - 1} frames after it'
        )
    steps = 1 + np.arange(segments - 1) * last / (segments - 1)
    chosen = np.append(np.floor(steps[steps <= last]).astype(np.int64), last)
    return frames[np.unique(chosen) - 1]


def read_omitted(path: str | os.PathLike, first: int, frames: int) -> np.ndarray:
    """Frames not to start from, of the toolkit's `initOmit/<sequence>.txt`: rows of the first and last image number.

    Args:
      path: the file.
      first: number of the sequence's first image.
      frames: of the sequence.

    Returns:
      [frames] bool.

    Raises:
      ValueError: the file cannot be read, or `path:line: reason`.
    """
    omitted = np.zeros(frames, bool)
    for line, text in enumerate(listing.read_text(path).split('\n'), 1):
        if not text.strip():
            continue
        values = rows.numbers(text)
        if values is None or len(values) != 2 or not all(0 <= value <= 1e9 for value in values):
            raise ValueError(f'{os.fspath(path)}:{line}: got {text.strip()[:80]!r}, expected two image numbers')
        omitted[max(int(values[0]) - first, 0) : max(int(values[1]) - first + 1, 0)] = True
    return omitted


def spatial_starts(box: Sequence[float], size: tuple[int, int]) -> dict[str, np.ndarray]:
    """First boxes of SRE's twelve runs: four shifts, four moved corners (10 % of a side), four scales.

    Args:
      box: (x, y, w, h), 0-based, of the first frame.
      size: (width, height) of the image.

    Returns:
      Perturbation -> [4] xywh, 0-based, in the order of `PERTURBATIONS`.

    Raises:
      ValueError: a start without size, of a box outside the image.
    """
    box = np.asarray(box, np.float64)
    corner, sides = box[:2] + 1, box[2:]
    starts = {}
    for name, (across, down) in _CENTRES.items():
        starts[name] = np.concatenate([corner + (across, down) * np.ceil(_SHIFT * sides), sides])
    for name, moves in _CORNERS.items():
        low, high = corner, corner + sides - 1
        moves = np.array(moves, np.float64)
        # A coordinate that is not moved is not rounded.
        low = np.where(moves[:2] != 0, whole(low + moves[:2] * _SHIFT * sides), low)
        high = np.where(moves[2:] != 0, whole(high + moves[2:] * _SHIFT * sides), high)
        starts[name] = np.concatenate([low, high - low + 1])
    for name, ratio in SCALES.items():
        starts[name] = whole(np.concatenate([corner + sides / 2 - ratio * sides / 2, ratio * sides]))
    image = np.asarray(size, np.float64)
    for name, start in starts.items():
        start[:2] = np.maximum(start[:2], 1)
        start[2:] = np.where(start[:2] + start[2:] - 1 > image, image - start[:2] + 1, start[2:])
        if not (start[2:] > 0).all():
            raise ValueError(f'start {name} of box {box.tolist()} has no size in an image of {tuple(size)} pixels')
        start[:2] -= 1
    return starts


def whole(values: np.ndarray) -> np.ndarray:
    """Rounded as Matlab does, halves away from zero."""
    return np.trunc(values + np.copysign(0.5, values))

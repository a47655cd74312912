"""Real frames scaled and rotated about the target: how well each stage's best box follows a change that is known.

A tracker that does not measure size gives the size it expected, whatever is in the frame. Its overlaps look fair for a
while, then its boxes wander. The size response measured here shows it at once.
"""

import math
import os
from collections.abc import Sequence

import cv2
import numpy as np
import tqdm

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import ablation_report, recall_table
from sctrpn_jax.system import files
from sctrpn_jax.weights import loading

SCALES = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4)
ANGLES = (-10.0, -5.0, 5.0, 10.0)  # degrees, the range of the paper's Sec. 3.2
_KINDS = ('scale', 'angle')
_FOUND = 0.1  # IoU below which the size is that of something else


def warp(frame: np.ndarray, box: np.ndarray, scale: float = 1.0, angle: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A frame scaled and turned about the centre of a box.

    Args:
      frame: [H, W, 3] uint8.
      box: [4] xywh, 0-based frame pixels.
      scale: above 1 the target grows.
      angle: degrees, anticlockwise as it is looked at.

    Returns:
      [H, W, 3] uint8, the frame's mean colour where nothing is known, and the box [4] xywh in it: of the ellipse that
      fills the old one, since a turned target seldom fills the corners of its box.
    """
    x, y, w, h = (float(v) for v in box)
    centre = np.array([x + w / 2, y + h / 2])
    # OpenCV counts from the middle of the first pixel.
    matrix = cv2.getRotationMatrix2D((centre - 0.5).tolist(), angle, scale)
    size = (frame.shape[1], frame.shape[0])
    warped = cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_LINEAR, borderValue=cv2.mean(frame)[:3])
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turned = scale * np.array([math.hypot(w * cos, h * sin), math.hypot(w * sin, h * cos)])
    return warped, np.concatenate([centre - turned / 2, turned])


def measure(
    proposer: recall_table.Proposer, sequences: Sequence[sequences_lib.Sequence], count: int = 4
) -> dict[str, dict]:
    """Overlap and size response of the best box in warped frames, searched for at the size before the warp.

    Args:
      proposer: of the network.
      sequences: with a box in the first frame.
      count: frames of each sequence, evenly spread, the first among them.

    Returns:
      Row of the proposer -> `scale` and `angle` (value -> mean IoU with the true box), `size` (scale -> median of
      measured over true size, where the IoU is above 0.1), `response` (slope of the logarithm of the measured size on
      that of the true one: 1 follows, 0 stays), `frames`.

    Raises:
      ValueError: a first frame without a box, or an image that cannot be read.
    """
    warps = [('scale', value) for value in SCALES] + [('angle', value) for value in ANGLES]
    overlaps: dict[str, dict] = {}
    ratios: dict[str, dict] = {}
    for sequence in tqdm.tqdm(sequences, unit='sequence', disable=None):
        good = sequences_lib.with_box(sequence)
        proposer.init(images.read_image(sequence.frames[0]), sequence.boxes[0])
        for t in np.unique(np.linspace(0, len(good) - 1, count).astype(int)):
            if not good[t]:
                continue
            frame, before = images.read_image(sequence.frames[t]), sequence.boxes[t]
            for kind, value in warps:
                warped, truth = warp(frame, before, **{kind: value})
                rows, *_ = proposer(warped, before)
                for name in proposer.rows:
                    best = np.asarray(rows[name][:1], np.float64)
                    overlap = float(one_pass.overlap(best, truth[None])[0])
                    overlaps.setdefault(name, {}).setdefault((kind, value), []).append(overlap)
                    if overlap > _FOUND:
                        ratio = math.sqrt(best[0, 2:].prod() / truth[2:].prod())
                        ratios.setdefault(name, {}).setdefault((kind, value), []).append(ratio)
    return {name: _summary(found, ratios.get(name, {})) for name, found in overlaps.items()}


def _summary(overlaps: dict, ratios: dict) -> dict:
    means = {kind: {v: float(np.mean(found)) for (k, v), found in overlaps.items() if k == kind} for kind in _KINDS}
    size = {v: float(np.median(found)) for (k, v), found in ratios.items() if k == 'scale'}
    response = math.nan
    if len(size) > 1:
        true = np.log(list(size))
        response = float(np.polyfit(true, true + np.log(list(size.values())), 1)[0])
    return means | {'size': size, 'response': response, 'frames': len(overlaps['scale', 1.0])}


def run(
    checkpoints: Sequence[str | None],
    benchmark: str,
    sequences: Sequence[sequences_lib.Sequence],
    output: str | os.PathLike,
    count: int = 4,
) -> str:
    """`measure` of several networks, as a page.

    Args:
      checkpoints: networks, each for `loading.load_network`.
      benchmark: name of it.
      sequences: of the benchmark.
      output: .md file to write.
      count: frames of each sequence.

    Returns:
      The page.

    Raises:
      ValueError: a network that cannot be loaded, or what `measure` refuses.
    """
    loaded = {name or 'the one shipped': loading.load_network(name) for name in checkpoints}
    parts = ['# Frames scaled and rotated about the target']
    for name, (variables, config) in loaded.items():
        rows = measure(recall_table.Proposer(variables, config, most=1), sequences, count)
        frames = max(row['frames'] for row in rows.values())
        parts += [f'## {name}: {frames} frames of {len(sequences)} sequences of {benchmark}', to_markdown(rows)]
    page = '\n\n'.join(parts) + '\n'
    files.write_text(output, page)
    return page


def to_markdown(rows: dict[str, dict]) -> str:
    """Two tables of `measure`'s rows: sizes by scale with the response, then overlaps by scale and by angle."""
    head = ['measured size / true size at scale', *(f'{value:g}' for value in SCALES), 'response']
    sizes = [
        [name, *(f'{row["size"].get(value, math.nan):.2f}' for value in SCALES), f'{row["response"]:.2f}']
        for name, row in rows.items()
    ]
    places = [('scale', value) for value in SCALES] + [('angle', value) for value in ANGLES]
    names = [f'{value:g}' if kind == 'scale' else f'{value:+g} degrees' for kind, value in places]
    overlaps = [[name, *(f'{row[kind][value]:.3f}' for kind, value in places)] for name, row in rows.items()]
    second = ablation_report.table(['IoU of the best box at scale', *names], overlaps)
    return ablation_report.table(head, sizes) + '\n\n' + second

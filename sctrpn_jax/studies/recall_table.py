"""Table 2 on any benchmark: recall of each stage's proposals, re-ranked ones, and baselines on the same search crops.

The template is the first frame's; each search crop is centred on the box of the frame before, at its size, so that no
tracking failure enters. The paper states neither crop nor IoU threshold: recall is given for IoU 0.5 and 0.7.
"""

import csv
import dataclasses
import functools
import io
import json
import logging
import os
import pathlib
from collections.abc import Callable, Sequence

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import tqdm

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation.run import batched
from sctrpn_jax.geometry import boxes as boxes_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.metrics import proposal_recall
from sctrpn_jax.studies import ablation_report
from sctrpn_jax.system import files
from sctrpn_jax.tracking import compiled
from sctrpn_jax.tracking import look as look_lib
from sctrpn_jax.tracking import proposals as proposals_lib
from sctrpn_jax.weights import loading

_log = logging.getLogger(__name__)

PRINTED_SOURCE = 'Table 2, OTB-2015, IoU threshold not stated'
PRINTED = {
    'SCTRPN': (0.921, 0.932, 0.953, 0.983, 0.991),
    'EdgeBoxes': (0.603, 0.743, 0.813, 0.924, 0.929),
    'SelectiveSearch': (0.246, 0.392, 0.521, 0.732, 0.841),
    'CADM': (0.325, 0.436, 0.574, 0.706, 0.735),  # the first is printed "0325"
    'MSTE': (0.253, 0.424, 0.567, 0.632, 0.653),
}
_MOST = max(proposal_recall.COUNTS)
_RANDOM, _SEARCHED = 'anchors drawn uniformly', 'SelectiveSearch'


class Proposer:
    """The cascade's proposals in one search crop after the other.

    Args:
      variables: of `SCTRPN`.
      config: the run's; how it tracks decides the re-ranked row alone.
      most: proposals of each kind.
    """

    def __init__(self, variables: dict, config: config_lib.Config, most: int = _MOST):
        self._state, self._shape = None, None
        stages = look_lib.network(config).config.cascade.layers
        self.rows = tuple(f'stage {i} (conv{layer})' for i, layer in enumerate(stages, start=1))
        self.rows += ('last stage, re-ranked (Eq. 13)',)
        self._tracker = compiled.CompiledTracker(variables, config)
        self._propose = jax.jit(functools.partial(_propose, config=config, most=most))

    def init(self, frame: np.ndarray, box: np.ndarray) -> None:
        """Takes the template: frame [H, W, 3] uint8 RGB, box [4] xywh, 0-based frame pixels."""
        self._shape = batched.padded_shape(*frame.shape[:2])  # so that frame sizes share what is compiled
        extent = np.array([frame.shape[1], frame.shape[0]], np.int32)
        self._state = self._tracker.init(batched.pad(frame, self._shape), np.asarray(box, np.float32), extent)

    def __call__(self, frame: np.ndarray, previous: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, tuple]:
        """Proposals in the search crop around a box.

        Args:
          frame: [H, W, 3] uint8 RGB, the size of the first.
          previous: [4] xywh, 0-based frame pixels: the target in the frame before.

        Returns:
          Row -> [K, 4] xywh frame pixels, best first, NaN where there are fewer, and `anchors` -> [N, 4] the first
          stage's anchors; the crop [S, S, 3] uint8 RGB; its (centre [2], side) in frame pixels.
        """
        found, anchors, crop, centre, side = jax.device_get(
            self._propose(
                self._tracker.variables, self._state, batched.pad(frame, self._shape), np.asarray(previous, np.float32)
            )
        )
        crop = np.clip(np.rint(crop), 0, 255).astype(np.uint8)
        return {**dict(zip(self.rows, found, strict=True)), 'anchors': anchors}, crop, (centre, side)


def _propose(variables, state, frame, previous, config, most):
    c = config.track
    box = boxes_lib.xywh_to_cxcywh(previous)
    centre, size = box[:2], box[2:]
    state = state.replace(centre=centre, size=size)
    crop, outputs, _, side = look_lib.run_network(variables, state, frame, config, c.search_size)
    anchors = outputs.anchors[0, 0]
    keep = min(most, anchors.shape[0])

    def in_frame(boxes, valid):
        boxes = jax.vmap(lambda box: crop_lib.to_frame(box, centre, side, c.search_size))(boxes)
        return jnp.where(valid[:, None], boxes_lib.cxcywh_to_xywh(boxes), jnp.nan)

    rows = []
    for logits, boxes, mask in zip(outputs.logits[0], outputs.boxes[0], outputs.mask[0], strict=True):
        values, order = jax.lax.top_k(jnp.where(mask, logits, -jnp.inf), keep)
        rows.append(in_frame(boxes[order], values > -jnp.inf))
    scale = c.search_size / side
    # As the tracker ranks them, all of them instead of the few that it keeps.
    ranked = proposals_lib.propose(
        jax.nn.sigmoid(outputs.logits[0]),
        outputs.boxes[0],
        outputs.mask[0, -1],
        crop,
        proposals_lib.Target(state.cues, state.first_size * scale, size * scale),
        dataclasses.replace(c, rerank=True, rerank_each_stage=False),
        keep,
    )
    rows.append(in_frame(ranked.boxes, jnp.arange(keep) < outputs.mask[0, -1].sum()))
    return rows, in_frame(anchors, jnp.ones(anchors.shape[0], bool)), crop, centre, side


def selective_search() -> Callable[[np.ndarray], np.ndarray]:
    """OpenCV's SelectiveSearch (fast): crop [S, S, 3] uint8 RGB -> [K, 4] xywh crop pixels, best first.

    Raises:
      ValueError: this OpenCV has none.
    """
    segmentation = getattr(getattr(cv2, 'ximgproc', None), 'segmentation', None)
    if not hasattr(segmentation, 'createSelectiveSearchSegmentation'):
        raise ValueError(
            f'SelectiveSearch: this OpenCV ({cv2.__version__}) has none; it comes with opencv-contrib-python, which '
            f'takes the place of opencv-python-headless: uninstall that one, then install it'
        )

    def search(crop: np.ndarray) -> np.ndarray:
        made = segmentation.createSelectiveSearchSegmentation()
        made.setBaseImage(cv2.cvtColor(crop, cv2.COLOR_RGB2BGR))
        made.switchToSelectiveSearchFast()
        return np.asarray(made.process(), np.float64).reshape(-1, 4)

    return search


def measure(
    proposer: Proposer,
    sequences: Sequence[sequences_lib.Sequence],
    every: int = 1,
    search: Callable[[np.ndarray], np.ndarray] | None = None,
    seed: int = 0,
) -> dict[str, dict]:
    """Recall of every kind of proposals over the frames of all sequences.

    Args:
      proposer: of the network.
      sequences: with a box in the first frame; frames count that have one, as the frame before.
      every: use every Nth frame of a sequence, from the second on.
      search: another method's proposals (`selective_search` makes one).
      seed: of the uniformly drawn anchors.

    Returns:
      Row -> `recall` (IoU threshold -> one value for each of `proposal_recall.COUNTS`), `proposals` (mean number in a
      frame), `frames`.

    Raises:
      ValueError: no frame counts, a first frame without a box, or an image that cannot be read.
    """
    rng = np.random.default_rng(seed)
    best: dict[str, list[np.ndarray]] = {}
    counts: dict[str, list[int]] = {}
    for sequence in tqdm.tqdm(sequences, unit='sequence', disable=None):
        good = sequences_lib.with_box(sequence)
        proposer.init(images.read_image(sequence.frames[0]), sequence.boxes[0])
        for t in range(1, len(sequence.frames), every):
            if not good[t] or not good[t - 1]:
                continue
            rows, crop, (centre, side) = proposer(images.read_image(sequence.frames[t]), sequence.boxes[t - 1])
            anchors = rows.pop('anchors')
            rows[_RANDOM] = rng.permutation(anchors)[:_MOST]
            if search is not None:
                rows[_SEARCHED] = _to_frame(search(crop), centre, side, len(crop))
            for name, boxes in rows.items():
                best.setdefault(name, []).append(proposal_recall.best_overlaps([boxes], sequence.boxes[t : t + 1]))
                counts.setdefault(name, []).append(int(np.isfinite(boxes).all(axis=1)[:_MOST].sum()))
    if not best:
        raise ValueError('recall of proposals: no frame with a box after another with a box')
    return {
        name: {
            'recall': dict(
                zip(map(str, proposal_recall.THRESHOLDS), proposal_recall.recall(found).tolist(), strict=True)
            ),
            'proposals': float(np.mean(counts[name])),
            'frames': len(found),
        }
        for name, found in best.items()
    }


def _to_frame(boxes: np.ndarray, centre: np.ndarray, side: float, crop_size: int) -> np.ndarray:
    """[K, 4] xywh of crop pixels in frame pixels."""
    scale = side / crop_size
    return np.concatenate([(boxes[:, :2] - crop_size / 2) * scale + centre, boxes[:, 2:] * scale], axis=1)


def run(
    checkpoint: str | None,
    benchmark: str,
    sequences: Sequence[sequences_lib.Sequence],
    workdir: str | os.PathLike,
    every: int = 1,
) -> dict:
    """Table 2 from a checkpoint to `table2.json`, `.md` and `.csv`; without SelectiveSearch where OpenCV has none.

    Args:
      checkpoint: the network, for `loading.load_network`.
      benchmark: name of it.
      sequences: of the benchmark.
      workdir: folder for the tables.
      every: use every Nth frame of a sequence.

    Returns:
      `rows` (what `measure` gives), `left_out` (row -> why), `printed`, and what was measured on.

    Raises:
      ValueError: a network that cannot be loaded, or what `measure` refuses.
    """
    variables, config = loading.load_network(checkpoint)
    search, left_out = None, {}
    try:
        search = selective_search()
    except ValueError as error:
        left_out[_SEARCHED] = str(error)
        _log.warning('%s; the row is left out', error)
    rows = measure(Proposer(variables, config), sequences, every, search)
    report = {
        'checkpoint': checkpoint or 'the one shipped',
        'benchmark': benchmark,
        'sequences': [sequence.name for sequence in sequences],
        'every': every,
        'counts': list(proposal_recall.COUNTS),
        'rows': rows,
        'left_out': left_out,
        'printed': {'source': PRINTED_SOURCE, 'recall': {name: list(values) for name, values in PRINTED.items()}},
    }
    made = {'json': json.dumps(report, indent=1) + '\n', 'md': to_markdown(report), 'csv': to_csv(report)}
    for ending, text in made.items():
        files.write_text(pathlib.Path(workdir) / f'table2.{ending}', text)
    return report


def to_markdown(report: dict) -> str:
    """`run`'s report as a page: what was measured, and the paper's numbers in a table of their own."""
    head = ['proposals', 'in a frame', *(f'{t} @{n}' for t in proposal_recall.THRESHOLDS for n in report['counts'])]
    rows = []
    for name, row in report['rows'].items():
        values = [f'{value:.3f}' for found in row['recall'].values() for value in found]
        rows.append([name, f'{row["proposals"]:.0f}', *values])
    frames = max(row['frames'] for row in report['rows'].values())
    printed = [[name, *(f'{value:.3f}' for value in values)] for name, values in report['printed']['recall'].items()]
    parts = [
        '# Table 2: recall of proposals (IoU threshold @ number)',
        ablation_report.table(head, rows),
        f'{report["checkpoint"]} on {report["benchmark"]}: {frames} frames of {len(report["sequences"])} sequences, '
        'search crops around the true box of the frame before. Anchors dropped by the filter (theta) are no proposals.',
        *(f'Left out: {why}.' for why in report['left_out'].values()),
        f'## As printed ({report["printed"]["source"]})',
        ablation_report.table(['method', *(f'@{n}' for n in report['counts'])], printed),
    ]
    return '\n\n'.join(parts) + '\n'


def to_csv(report: dict) -> str:
    """`run`'s report, one row per method, threshold and number; the paper's rows name their source instead."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['method', 'source', 'threshold', 'number', 'recall'])
    for name, row in report['rows'].items():
        for threshold, values in row['recall'].items():
            for number, value in zip(report['counts'], values, strict=True):
                writer.writerow([name, f'measured, {report["benchmark"]}', threshold, number, value])
    for name, values in report['printed']['recall'].items():
        for number, value in zip(report['counts'], values, strict=True):
            writer.writerow([name, f'printed, {report["printed"]["source"]}', '', number, value])
    return text.getvalue()

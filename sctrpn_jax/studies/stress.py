"""Short sequences made long and hard: played back and forth, the camera shaken, the target out of view, then elsewhere.

Validation sequences of two seconds do not tell what a tracker does in a long video. Played forward, back and forward
again, they tell whether the size drifts; shaken, and with the target away for a while, whether a lost target is found;
with parts of their objects as targets, whether the box stays on what it was put on.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
import tqdm

from sctrpn_jax.data import images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation.run import trackers as trackers_lib
from sctrpn_jax.evaluation.score import confidence
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import ablation_report
from sctrpn_jax.studies import parts as parts_lib
from sctrpn_jax.system import files

HELD = 0.1  # overlap above which the target is still on hand
ABSENT = -1  # in `Stress.order`: a frame of another sequence


@dataclasses.dataclass(frozen=True)
class Stress:
    """What is done to a sequence.

    Attributes:
      passes: forward, back, forward, ..
      shake: standard deviation of the camera's place, in target sizes sqrt(w h); at most twice that; 0: none.
      absent: frames of another sequence that stand in the middle of the second pass.
      jump: frames left out after those, so that the target reappears elsewhere.
      every: show every Nth frame alone, which makes targets faster.
      gray: without colour.
      parts: instead of the sequence, this many frames of a camera over its first picture; the target is a part of the
        object there (`parts.film`). The two halves take the place of the passes.

    Raises:
      ValueError: `parts` with a setting that is for sequences.
    """

    passes: int = 3
    shake: float = 0.0
    absent: int = 0
    jump: int = 0
    every: int = 1
    gray: bool = False
    parts: int = 0

    def __post_init__(self):
        if self.parts and dataclasses.replace(self, parts=0, gray=False) != Stress():
            raise ValueError('parts: go with gray alone; passes, shake, absent, jump and every are for whole sequences')

    def order(self, frames: int) -> list[int]:
        """Frames as they are played, `ABSENT` for those of another sequence.

        Args:
          frames: of the sequence, after `every`.
        """
        forward, back = list(range(1, frames)), list(range(frames - 2, -1, -1))
        passes = [forward if number % 2 == 0 else back for number in range(self.passes)]
        if self.absent and self.passes > 1:
            middle = len(back) // 2
            passes[1] = back[:middle] + [ABSENT] * self.absent + back[min(middle + self.jump, len(back) - 1) :]
        return [0, *(index for played in passes for index in played)]


def shaken(frame: np.ndarray, box: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame of a camera that moved, mirrored beyond its border; the target's box stays inside the frame.

    Args:
      frame: [H, W, 3] uint8.
      box: [4] xywh of the target, pixels.
      shift: [2] (x, y) of the picture, pixels; less where the box would leave the frame.

    Returns:
      Frame and box, moved by whole pixels.
    """
    low = np.minimum(-box[:2], 0)
    high = np.maximum([frame.shape[1], frame.shape[0]] - box[:2] - box[2:], 0)
    dx, dy = np.trunc(np.clip(shift, low, high))
    size = (frame.shape[1], frame.shape[0])
    moved = cv2.warpAffine(frame, np.array([[1, 0, dx], [0, 1, dy]]), size, borderMode=cv2.BORDER_REFLECT)
    return moved, box + [dx, dy, 0, 0]


def play(
    sequence: sequences_lib.Sequence, other: sequences_lib.Sequence, stress: Stress, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """The frames as a tracker sees them, and the true boxes.

    Args:
      sequence: with a box in the first frame.
      other: whose frames are shown while the target is absent.
      stress: what is done.
      seed: of the camera.

    Yields:
      Frame [H, W, 3] uint8 RGB and its box [4] xywh, None where the target is absent or has none.

    Raises:
      ValueError: no box in the first frame, or an image that cannot be read.
    """
    rng = np.random.default_rng(seed)
    for frame, box in _film(sequence, stress, rng) if stress.parts else _play(sequence, other, stress, rng):
        if stress.gray:
            frame = np.repeat(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
        yield frame, box


def _film(sequence, stress, rng):
    sequences_lib.with_box(sequence)  # raises where the first frame has none
    picture, part = images.read_image(sequence.frames[0]), parts_lib.part_of(sequence.boxes[0], rng)
    yield from parts_lib.film(picture, part, stress.parts, rng)


def _play(sequence, other, stress, rng):
    good = sequences_lib.with_box(sequence)[:: stress.every]
    paths, boxes = sequence.frames[:: stress.every], sequence.boxes[:: stress.every]
    shown = [images.read_image(path) for path in paths]
    absent = 0
    for place, index in enumerate(stress.order(len(paths))):
        if index == ABSENT:
            absent += 1
            path = other.frames[absent % len(other.frames)]
            frame, box = cv2.resize(images.read_image(path), shown[0].shape[1::-1]), None
        else:
            frame, box = shown[index], boxes[index] if good[index] else None
            if stress.shake and place and box is not None:
                draw = np.clip(rng.normal(0, stress.shake, 2), -2 * stress.shake, 2 * stress.shake)
                frame, box = shaken(frame, box, draw * np.sqrt(box[2:].prod()))
        yield frame, box


def measure(
    tracker: trackers_lib.OnlineTracker, sequences: Sequence[sequences_lib.Sequence], stress: Stress
) -> dict[str, float]:
    """Follows every sequence as it is played.

    Args:
      tracker: to measure.
      sequences: at least one; the frames of an absent target are those of the sequence seven places on.
      stress: what is done.

    Returns:
      `first`, `last`: mean success AUC of the first and the last pass; `held`: share of the last pass with an overlap
      above `HELD`; `drift`: mean over the held frames of the last pass of log(measured / true size); `roc_auc` and
      `threshold` of `confidence.measure`, absent frames among the lost ones (NaN where all or none are tracked).

    Raises:
      ValueError: what `play` refuses.
    """
    rows, scores, overlaps = [], [], []
    for number, sequence in enumerate(tqdm.tqdm(sequences, unit='sequence', disable=None)):
        found, truth = [], []
        for frame, box in play(sequence, sequences[(number + 7) % len(sequences)], stress, number):
            if not truth:
                tracker.init(frame, box)
                found.append(box)
            else:
                output = tracker.update(frame)
                found.append(np.asarray(output.box, np.float64))
                scores.append(float(output.score))
            truth.append(np.full(4, np.nan) if box is None else box)
        found, truth = np.array(found), np.array(truth)
        known = np.isfinite(truth).all(axis=1)
        overlap = np.where(known, one_pass.overlap(found, np.where(known[:, None], truth, 1.0)), 0.0)
        overlaps.extend(overlap[1:])
        places, length = np.arange(len(known)), stress.parts // 2 or len(sequence.frames[:: stress.every])
        first, last = (part[known[part]] for part in (places[:length], places[-length:]))
        rows.append(_row(found, truth, overlap, first, last))
    made = {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}
    try:
        sure = confidence.measure(np.array(scores), np.array(overlaps))
        return made | {'roc_auc': sure.roc_auc, 'threshold': sure.threshold}
    except ValueError:
        return made | {'roc_auc': np.nan, 'threshold': np.nan}


def _row(found, truth, overlap, first, last) -> dict[str, float]:
    held = last[overlap[last] > HELD]
    sizes = np.sqrt(found[held, 2:].prod(-1) / truth[held, 2:].prod(-1))
    return {
        'first': one_pass.success_auc(found[first], truth[first]),
        'last': one_pass.success_auc(found[last], truth[last]),
        'held': len(held) / len(last),
        'drift': float(np.log(sizes).mean()) if len(held) else np.nan,
    }


def run(
    trackers: Mapping[str, trackers_lib.OnlineTracker],
    benchmark: str,
    sequences: Sequence[sequences_lib.Sequence],
    output: str | os.PathLike,
    stress: Stress,
) -> str:
    """`measure` of several trackers, as a page.

    Args:
      trackers: by name.
      benchmark: name of it.
      sequences: of the benchmark.
      output: .md file to write.
      stress: what is done.

    Returns:
      The page.

    Raises:
      ValueError: what `measure` refuses.
    """
    done = ', '.join(f'{name} {value}' for name, value in dataclasses.asdict(stress).items())
    head = ['tracker', 'first pass', 'last pass', 'held', 'log size', 'ROC AUC', 'threshold']
    rows = []
    for name, tracker in trackers.items():
        found = measure(tracker, sequences, stress)
        rows.append([name, *(f'{value:.3f}' for value in found.values())])
    page = f'# {len(sequences)} sequences of {benchmark}: {done}\n\n{ablation_report.table(head, rows)}\n'
    files.write_text(output, page)
    return page

"""What a tracker says and does while its target is hidden: on generated crossings and on annotated sequences."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import cv2
import numpy as np
import tqdm

from sctrpn_jax.data import crossings, images
from sctrpn_jax.data import sequences as sequences_lib
from sctrpn_jax.evaluation.run import trackers as trackers_lib
from sctrpn_jax.evaluation.score import confidence
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import ablation_report
from sctrpn_jax.system import files
from sctrpn_jax.visualization import overlay

FIRST_SEED = 200  # of the crossings; no scene of training (`generated.GeneratedSource`)
COVERED, CLEAR = 0.3, 0.7  # visible shares below which a target counts as hidden, and above which as seen
AWAY = 0.1  # overlap with the truth below which a target counts as lost where nothing says what is visible
END = 10  # frames at a clip's end that tell whether the target was found again
# The picture: frames around the crossing, and how many clips.
SHOWN, ROWS = (-15, -5, 0, 5, 15, 40), 4


@dataclasses.dataclass(frozen=True)
class Followed:
    """One clip as a tracker saw it, T frames.

    Attributes:
      boxes: [T, 4] xywh, frame pixels: what the tracker gave.
      overlap: [T] IoU with the truth, 0..1; NaN where there is none.
      hidden: [T] bool: what the tracker says.
      visible: [T] share of the target that nothing covers, 0..1; None where it is not known.
    """

    boxes: np.ndarray
    overlap: np.ndarray
    hidden: np.ndarray
    visible: np.ndarray | None = None

    @property
    def away(self) -> np.ndarray:
        """[T] bool: hidden, or lost where it is not known what is visible; never the first frame."""
        away = self.overlap < AWAY if self.visible is None else self.visible < COVERED
        return away & (np.arange(len(away)) > 0)

    @property
    def there(self) -> np.ndarray:
        """[T] bool: in clear view and, where it is not known what is visible, tracked; never the first frame."""
        there = self.overlap > confidence.TRACKED if self.visible is None else self.visible > CLEAR
        return there & (np.arange(len(there)) > 0)

    @property
    def found_again(self) -> bool | None:
        """Tracked in most of the last frames; None where it was never away, or was lost before that."""
        away = np.flatnonzero(self.away)
        if not len(away):
            return None
        if self.visible is not None:
            before = np.flatnonzero(self.visible > CLEAR)
            before = before[before < away[0]]
            if not len(before) or not self.overlap[before[-1]] > confidence.TRACKED:
                return None
        return bool(np.mean(self.overlap[-END:] > confidence.TRACKED) > 0.5)


def follow(
    tracker: trackers_lib.OnlineTracker,
    frames: Iterator[np.ndarray] | Sequence[np.ndarray],
    boxes: np.ndarray,
    visible: np.ndarray | None = None,
) -> Followed:
    """Tracks a clip from its first box.

    Args:
      tracker: whose outputs may have `hidden`; those of others count as never hidden.
      frames: T times [H, W, 3] uint8 RGB.
      boxes: [T, 4] xywh, frame pixels, NaN where there is none.
      visible: [T] share of the target that nothing covers, 0..1.
    """
    found, hidden = [], []
    for number, frame in enumerate(frames):
        if number == 0:
            tracker.init(frame, boxes[0])
            found.append(boxes[0])
            hidden.append(False)
        else:
            output = tracker.update(frame)
            found.append(np.asarray(output.box, np.float64))
            hidden.append(bool(getattr(output, 'hidden', False)))
    known = np.isfinite(boxes).all(axis=1)
    overlap = one_pass.overlap(np.array(found), np.where(known[:, None], boxes, 1.0))
    return Followed(np.array(found), np.where(known, overlap, np.nan), np.array(hidden), visible)


def summary(clips: Sequence[Followed]) -> dict[str, float]:
    """Shares over all clips; NaN where there is nothing to count.

    Returns:
      `called`: of the frames without the target, those called hidden; `false`: of the frames with it, those called
      hidden; `found again`: of the clips that lost or hid the target, those that have it at their end; `overlap`: mean
      over the frames with the target.
    """

    def mean(values):
        values = np.concatenate(values) if len(values) else np.zeros(0)
        return float(values.mean()) if len(values) else np.nan

    again = [clip.found_again for clip in clips if clip.found_again is not None]
    return {
        'called': mean([clip.hidden[clip.away] for clip in clips]),
        'false': mean([clip.hidden[clip.there] for clip in clips]),
        'found again': float(np.mean(again)) if again else np.nan,
        'overlap': mean([clip.overlap[clip.there] for clip in clips]),
    }


def run(
    trackers: Mapping[str, trackers_lib.OnlineTracker],
    output: str | os.PathLike,
    clips: int,
    sequences: Mapping[str, Sequence[sequences_lib.Sequence]],
) -> str:
    """`summary` of several trackers, as a page, and a picture of crossings in which the first one loses the target.

    Args:
      trackers: by name.
      output: .md file to write; the picture, .jpg, gets its place and name.
      clips: number of generated crossings.
      sequences: annotated ones, by the name of their set. They do not say what is hidden, so a lost target counts as
        away, and a tracked one as there.

    Returns:
      The page.

    Raises:
      ValueError: a sequence without a box in its first frame, or an image that cannot be read.
    """
    rows = []
    sets = {f'{clips} generated crossings': None} | dict(sequences)
    for name, tracker in trackers.items():
        for title, real in sets.items():
            made = _crossings(tracker, clips) if real is None else _real(tracker, real)
            if real is None and not rows:
                with files.replacing(pathlib.Path(output).with_suffix('.jpg')) as partial:
                    partial.write_bytes(_picture(made))
            rows.append([name, title, *(f'{value:.3f}' for value in summary(made).values())])
    head = ['tracker', 'clips', 'hidden frames called hidden', 'false alarms', 'found again', 'overlap in clear view']
    page = f'# Hidden targets\n\n{ablation_report.table(head, rows)}\n'
    files.write_text(output, page)
    return page


def _picture(clips: Sequence[Followed]) -> bytes:
    """JPEG of the clips that go worst, a row each: the target's true box in blue, the tracker's dashed where hidden."""
    worst = np.argsort([np.nanmean(clip.overlap[clip.there]) for clip in clips])[:ROWS]
    rows = []
    for number in worst:
        clip, shown = clips[number], crossings.make_crossing(FIRST_SEED + int(number))
        at = [min(crossings.MIDDLE + step, len(shown.frames) - 1) for step in SHOWN]
        drawn = [overlay.draw(shown.frames[t], clip.boxes[t], None, shown.boxes[t], hidden=clip.hidden[t]) for t in at]
        rows.append(np.hstack(drawn))
    return cv2.imencode('.jpg', cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))[1].tobytes()


def _crossings(tracker: trackers_lib.OnlineTracker, count: int) -> list[Followed]:
    seeds = tqdm.tqdm(range(FIRST_SEED, FIRST_SEED + count), unit='crossing', disable=None)
    made = (crossings.make_crossing(seed) for seed in seeds)
    return [follow(tracker, clip.frames, clip.boxes.astype(np.float64), clip.visible) for clip in made]


def _real(tracker: trackers_lib.OnlineTracker, sequences: Sequence[sequences_lib.Sequence]) -> list[Followed]:
    found = []
    for sequence in tqdm.tqdm(sequences, unit='sequence', disable=None):
        good = sequences_lib.with_box(sequence)  # raises where the first frame has none
        boxes = np.where(good[:, None], sequence.boxes, np.nan)
        found.append(follow(tracker, map(images.read_image, sequence.frames), boxes))
    return found

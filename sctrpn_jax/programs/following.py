"""The targets of one video, frame after frame, in constant memory."""

import dataclasses
import logging
import time
from collections.abc import Iterator, Sequence

import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video as video_lib
from sctrpn_jax.tracking import multi_tracker
from sctrpn_jax.tracking import starts as starts_lib

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class TrackedTarget:
    """One target in one frame: box [4] xywh frame pixels, score 0..1; details or None.

    `region` is [3] (centre x, centre y, side) of the search region in frame pixels, `responses` [L, n, n].
    """

    name: str
    box: np.ndarray
    score: float
    hidden: bool = False
    region: np.ndarray | None = None
    responses: np.ndarray | None = None


@dataclasses.dataclass
class TrackedFrame:
    """One frame's result: index from 0, seconds since the first frame, frame [H, W, 3] uint8 RGB, its targets."""

    index: int
    time: float
    frame: np.ndarray
    targets: list[TrackedTarget]


class Following:
    """Follows targets through a video: a file in chunks of one compiled length, a live source frame by frame.

    Args:
      source: an open video, nothing taken from it yet.
      starts: the targets; a name stands once. None may be there: see `start`.
      variables: of `SCTRPN`.
      config: of the checkpoint, its `track` section possibly changed.
      details: give response maps.
      chunk: frames handed to the device at once.
      slots: targets to compile for; None: as many as `starts` has.

    Attributes:
      names: of all targets so far, in the order in which they were given.
      compiling: seconds for it.
      tracking: seconds in the tracker, without `compiling`.
    """

    def __init__(
        self,
        source: video_lib.FrameSource,
        starts: Sequence[starts_lib.Start],
        variables: dict,
        config: config_lib.Config,
        details: bool = False,
        chunk: int = 16,
        slots: int | None = None,
    ):
        self.names = [start.name for start in starts]
        self.compiling = self.tracking = 0.0
        self._source, self._details = source, details
        self._starts: dict[int, list[starts_lib.Start]] = {}
        for start in starts:
            self._starts.setdefault(start.frame, []).append(start)
        self._chunk = 1 if source.live else max(1, min(chunk, source.num_frames or chunk))
        self._tracker = multi_tracker.MultiTracker(variables, config, slots or max(1, len(starts)), details)

    def __iter__(self) -> Iterator[TrackedFrame]:
        """Yields every frame; in the one that a target starts in, it has the given box with score 1.

        Raises:
          ValueError: a bad box; VideoError: the source failed, or ended before a target started. All frames before were
            given.
        """
        begin = time.perf_counter()
        self._tracker.compile(self._source.first, self._chunk)
        self.compiling = time.perf_counter() - begin
        groups = video_lib.chunks(self._source, self._chunk)
        count = 0
        # A file is read while the network runs; a live source has its next frame when it has it.
        for frames, times in groups if self._chunk == 1 else video_lib.ahead(groups):
            begin = time.perf_counter()
            tracked = self._track(frames, times, count)
            self.tracking += time.perf_counter() - begin
            count += len(times)
            yield from tracked
        late = [start for starts in self._starts.values() for start in starts]
        if late:
            raise video_lib.VideoError(
                f'target {late[0].name} starts in frame {late[0].frame}, but {self._source.name} ended after {count} '
                'frames'
            )

    def start(self, tracked: TrackedFrame, name: str, box: np.ndarray) -> None:
        """A target is followed from a frame on, or anew; the frame's own targets are changed too.

        Args:
          tracked: the last one that was given; only where the chunks are of one frame is the tracker still there.
          name: of the target.
          box: [4] xywh frame pixels.

        Raises:
          ValueError: a bad box.
        """
        others = {each.name: each.box for each in tracked.targets if each.name != name}
        same = starts_lib.same_place(box, others)
        if same is not None:
            _log.warning('target %s starts in frame %d where target %s is', name, tracked.index, same)
        self._tracker.start(name, tracked.frame, box)
        made = TrackedTarget(name, np.asarray(box, np.float32), 1.0)
        places = [i for i, each in enumerate(tracked.targets) if each.name == name]
        if places:
            tracked.targets[places[0]] = made
        else:
            tracked.targets.append(made)
        if name not in self.names:
            self.names.append(name)

    def _track(self, frames: np.ndarray, times: list[float], first: int) -> list[TrackedFrame]:
        """Results of a chunk whose first frame has the number `first`."""
        found: list[TrackedFrame] = []
        while len(found) < len(times):
            # Up to the next frame in which targets start, and that one.
            begin = len(found)
            starting = [index for index in range(begin, len(times)) if first + index in self._starts]
            end = starting[0] + 1 if starting else len(times)
            for index, outputs in enumerate(self._tracker.update_many(frames, begin, end), begin):
                targets = [
                    TrackedTarget(
                        str(name),
                        output.box,
                        float(output.score),
                        bool(output.hidden),
                        output.region,
                        output.response_maps if self._details else None,
                    )
                    for name, output in outputs.items()
                ]
                found.append(TrackedFrame(first + index, times[index], frames[index], targets))
            for start in self._starts.pop(first + end - 1, ()):
                self.start(found[-1], start.name, np.asarray(start.box))
        return found

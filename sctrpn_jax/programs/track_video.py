"""Follows the targets of a video; writes boxes, a video and response maps as it goes, and shows them in a window."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import time
from collections.abc import Sequence
from concurrent import futures

import jax
import jax.numpy as jnp
import numpy as np
import tqdm

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video as video_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.programs import following as following_lib
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import results as results_lib
from sctrpn_jax.tracking import starts as starts_lib
from sctrpn_jax.visualization import overlay, response_maps, video_writer
from sctrpn_jax.visualization import window as window_lib

_extract = jax.jit(crop_lib.extract, static_argnames='crop_size')
_SPARE_SLOTS = 4  # in a window, where targets may be added; on a CPU those that are free cost nothing


@dataclasses.dataclass
class Summary:
    """What a run took, in seconds, and found; `compiling` is no part of `tracking`."""

    frames: int = 0
    targets: int = 0
    compiling: float = 0.0
    tracking: float = 0.0
    total: float = 0.0  # from the first tracked frame: reading, tracking, drawing, writing
    found: int = 0  # boxes of the tracker, without the given ones
    scores: float = 0.0  # their sum
    interrupted: bool = False

    def line(self, name: str) -> str:
        """One line for people."""
        tracked = max(self.frames - 1, 0)
        rate = f'{tracked / self.tracking:.1f}' if self.tracking else '-'
        overall = f'{tracked / self.total:.1f}' if self.total else '-'
        score = f'{self.scores / self.found:.2f}' if self.found else '-'
        targets = f', {self.targets} targets' if self.targets > 1 else ''
        return (
            f'{name}: {self.frames} frames{targets}{", then interrupted" if self.interrupted else ""}; tracking {rate} '
            f'frames/s ({overall} with reading and writing), compiled in {self.compiling:.1f} s before; mean score '
            f'{score}'
        )


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What `track_video` leaves behind, each only if asked for.

    Attributes:
      results: CSV file of the boxes with every column of `results.ResultWriter`.
      video: video with the boxes drawn, see `video_writer.VideoWriter`.
      response_maps: folder for pictures of the response maps: `000010.png` and so on; of several targets
        `000010_1.png`, `000010_2.png`, in the order in which they were given.
      response_every: frames from one of these pictures to the next.
      window: show each frame in a window, whose keys are `window.KEYS`.
    """

    results: str | os.PathLike | None = None
    video: str | os.PathLike | None = None
    response_maps: str | os.PathLike | None = None
    response_every: int = 10
    window: bool = False


def track_video(
    source: video_lib.FrameSource,
    starts: Sequence[starts_lib.Start],
    variables: dict,
    config: config_lib.Config,
    outputs: Outputs,
    chunk: int = 16,
) -> Summary:
    """Tracks a video; `q` in the window or a noted signal (`interrupts`) ends it.

    All files are then whole, with the frames so far.

    Args:
      source: an open video, nothing taken from it yet.
      starts: the targets, each name once.
      variables: of `SCTRPN`.
      config: the run's.
      outputs: what to write.
      chunk: frames handed to the device at once; with a window it is one.

    Returns:
      `Summary`.

    Raises:
      ValueError: a bad box or name; VideoError: the source failed or ended before a target started, and what was
        tracked before is on disk.
      OSError: something cannot be written.
    """
    summary = Summary()
    with contextlib.ExitStack() as stack:
        # Everything that can fail on the user's names comes before the wait for the compiler.
        starts_lib.check(starts, source.size, source.num_frames, source.name)
        boxes = None
        if outputs.results:
            boxes = stack.enter_context(results_lib.ResultWriter(outputs.results, results_lib.OPTIONAL))
        drawn = None
        if outputs.video:
            drawn = stack.enter_context(video_writer.VideoWriter(outputs.video, source.size, source.fps))
        maps = pathlib.Path(outputs.response_maps) if outputs.response_maps else None
        if maps:
            maps.mkdir(parents=True, exist_ok=True)
        view = stack.enter_context(window_lib.Window(source.name)) if outputs.window else None
        bar = tqdm.tqdm(desc='compiling', total=source.num_frames, unit='frame', disable=None, leave=False)
        stack.enter_context(bar)
        # Last, so that whatever ends the loop, what is to be drawn is drawn before the video is closed.
        pool = stack.enter_context(futures.ThreadPoolExecutor(1))
        waiting: collections.deque[futures.Future] = collections.deque()
        slots = len(starts) + _SPARE_SLOTS if view else None
        following = following_lib.Following(
            source, starts, variables, config, maps is not None, 1 if view else chunk, slots
        )
        watching = True
        try:
            for tracked in following:
                if tracked.index == 0:
                    bar.set_description('tracking')
                    bar.reset(source.num_frames)
                    begin = time.perf_counter()
                if view:  # first, since the user may draw boxes in this frame
                    watching = _watch(view, following, tracked)
                if boxes:
                    for each in tracked.targets:
                        boxes.write(
                            each.box,
                            each.score,
                            tracked.index,
                            hidden=each.hidden,
                            time=tracked.time,
                            target=each.name,
                        )
                if drawn:
                    waiting.append(pool.submit(_write, drawn, tracked, tuple(following.names)))
                    if len(waiting) > chunk:  # so that a slow disk does not fill the memory
                        waiting.popleft().result()
                if maps and tracked.index % outputs.response_every == 0:
                    _write_maps(maps, tracked, following.names, config)
                summary.frames += 1
                found = [each.score for each in tracked.targets if each.region is not None]
                summary.found += len(found)
                summary.scores += sum(found)
                summary.total = time.perf_counter() - begin
                bar.update()
                if not watching or interrupts.noted():
                    break
        except video_lib.VideoError as error:
            raise video_lib.VideoError(f'{error} (the {summary.frames} frames before it were tracked)') from error
        for drawing in waiting:
            drawing.result()
        if waiting:
            summary.total = time.perf_counter() - begin
    summary.interrupted = interrupts.noted()
    summary.targets = len(following.names)
    summary.compiling, summary.tracking = following.compiling, following.tracking
    return summary


def _watch(view: window_lib.Window, following: following_lib.Following, tracked: following_lib.TrackedFrame) -> bool:
    """Shows a frame and does what the user's keys ask for; False once the user leaves."""
    key = view.show(_draw(tracked, following.names))
    paused = False
    while key != window_lib.QUIT:
        paused ^= key == window_lib.PAUSE
        if key in (window_lib.ADD, window_lib.ANEW):
            box = view.draw_box(_draw(tracked, following.names))
            if box is not None:
                nearest = _nearest(tracked, box) if key == window_lib.ANEW else None
                following.start(tracked, nearest or _new_name(following.names), box)
            key = view.show(_draw(tracked, following.names))
        elif not paused or interrupts.noted():
            return True
        else:
            key = view.wait()
    return False


def _nearest(tracked: following_lib.TrackedFrame, box: np.ndarray) -> str | None:
    """Name of the target whose centre is nearest to a box's; None where there is no target."""

    def distance(each: following_lib.TrackedTarget) -> float:
        return float(np.linalg.norm(each.box[:2] + each.box[2:] / 2 - box[:2] - box[2:] / 2))

    return min(tracked.targets, key=distance).name if tracked.targets else None


def _new_name(names: Sequence[str]) -> str:
    number = len(names) + 1
    while str(number) in names:
        number += 1
    return str(number)


def _write(video: video_writer.VideoWriter, tracked: following_lib.TrackedFrame, names: Sequence[str]) -> None:
    video.write(_draw(tracked, names))


def _draw(tracked: following_lib.TrackedFrame, names: Sequence[str]) -> np.ndarray:
    """The frame with every target in its colour, [H, W, 3] uint8 RGB; with its name where there are several."""
    marks = [
        overlay.Mark(
            each.box,
            each.score,
            each.name if len(names) > 1 else '',
            overlay.COLORS[names.index(each.name) % len(overlay.COLORS)],
            each.hidden,
        )
        for each in tracked.targets
    ]
    return overlay.draw_marks(tracked.frame, marks)


def _write_maps(
    folder: pathlib.Path, tracked: following_lib.TrackedFrame, names: Sequence[str], config: config_lib.Config
) -> None:
    for each in tracked.targets:
        if each.responses is not None:
            number = f'_{names.index(each.name) + 1}' if len(names) > 1 else ''
            figure = draw_responses(tracked.frame, each, config)
            response_maps.write_png(folder / f'{tracked.index:06d}{number}.png', figure)


def draw_responses(frame: np.ndarray, target: following_lib.TrackedTarget, config: config_lib.Config) -> np.ndarray:
    """Fig. 4 of a target tracked with details in a frame [H, W, 3] uint8 RGB, as [H, W, 3] uint8 RGB."""
    size = config.track.search_size
    centre, side = jnp.asarray(target.region[:2]), jnp.asarray(target.region[2])
    fill = jnp.asarray(frame.mean((0, 1)), jnp.float32)
    crop = _extract(frame, centre, side, size, fill)
    scale = size / target.region[2]
    corner = (target.box[:2] - target.region[:2]) * scale + size / 2
    box = np.concatenate([corner, target.box[2:] * scale])
    return response_maps.response_figure(np.asarray(crop), target.responses, box, stride=grid.STRIDE)

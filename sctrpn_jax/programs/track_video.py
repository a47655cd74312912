"""Follows one object through a video; writes boxes, a video and response maps as it goes."""

import collections
import contextlib
import dataclasses
import os
import pathlib
import time
from collections.abc import Iterator
from concurrent import futures

import jax
import jax.numpy as jnp
import numpy as np
import tqdm

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video as video_lib
from sctrpn_jax.geometry import crop as crop_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import compiled, inputs
from sctrpn_jax.tracking import results as results_lib
from sctrpn_jax.visualization import overlay, response_maps, video_writer, window

_extract = jax.jit(crop_lib.extract, static_argnames='crop_size')


@dataclasses.dataclass
class Tracked:
    """One frame's result: index from 0, frame [H, W, 3], box [4] xywh frame pixels, score 0..1; details or None.

    `region` is [3] (centre x, centre y, side) of the search region in frame pixels, `responses` [L, n, n].
    """

    index: int
    frame: np.ndarray
    box: np.ndarray
    score: float
    hidden: bool = False
    region: np.ndarray | None = None
    responses: np.ndarray | None = None


@dataclasses.dataclass
class Summary:
    """What a run took, in seconds, and found; `compiling` is no part of `tracking`."""

    frames: int = 0
    compiling: float = 0.0
    tracking: float = 0.0
    total: float = 0.0  # from the first tracked frame: reading, tracking, drawing, writing
    scores: float = 0.0  # sum over the tracked frames
    interrupted: bool = False

    def line(self, name: str) -> str:
        """One line for people."""
        tracked = max(self.frames - 1, 0)
        rate = f'{tracked / self.tracking:.1f}' if self.tracking else '-'
        overall = f'{tracked / self.total:.1f}' if self.total else '-'
        score = f'{self.scores / tracked:.2f}' if tracked else '-'
        return (
            f'{name}: {self.frames} frames{", then interrupted" if self.interrupted else ""}; tracking {rate} frames/s '
            f'({overall} with reading and writing), compiled in {self.compiling:.1f} s before; mean score {score}'
        )


def track_frames(
    source: video_lib.FrameSource,
    box: np.ndarray,
    variables: dict,
    config: config_lib.Config,
    summary: Summary,
    details: bool = False,
    chunk: int = 16,
) -> Iterator[Tracked]:
    """Tracks frame after frame in constant memory: a file in chunks of one compiled length, a camera frame by frame.

    Args:
      source: an open video, nothing taken from it yet.
      box: [4] xywh, 0-based frame pixels, the target in the first frame.
      variables: of `SCTRPN`.
      config: of the checkpoint, its `track` section possibly changed.
      summary: its `compiling` and `tracking` are counted up.
      details: give response maps and search regions.
      chunk: frames handed to the device at once.

    Yields:
      `Tracked`; the first holds the given box with score 1.

    Raises:
      ValueError: a bad box; VideoError: the source failed, after all frames before the failure were given.
    """
    if source.num_frames:
        chunk = max(1, min(chunk, source.num_frames - 1))
    first = next(source)
    box = inputs.check_box(box, *source.size)
    start = time.perf_counter()
    tracker = compiled.CompiledTracker(variables, config, details)
    variables, jitted = tracker.variables, tracker.jitted
    init = jitted.init.lower(variables, first, box).compile()
    state = init(variables, first, box)
    frames = first if source.live else np.stack([first] * chunk)
    advance = (jitted.step if source.live else jitted.chunk).lower(variables, state, frames).compile()
    summary.compiling += time.perf_counter() - start
    yield Tracked(0, first, box, 1.0)
    index = 1
    # A file is read while the network runs; a camera has its next frame when it has it.
    groups = video_lib.chunks(source, 1) if source.live else video_lib.ahead(video_lib.chunks(source, chunk))
    for frames, count in groups:
        start = time.perf_counter()
        state, output = advance(variables, state, frames[0] if source.live else frames)
        output = jax.device_get(output)
        if source.live:
            output = jax.tree.map(lambda leaf: leaf[None], output)
        summary.tracking += time.perf_counter() - start
        for i in range(count):
            responses = output.response_maps[i] if details else None
            yield Tracked(
                index,
                frames[i],
                output.box[i],
                float(output.score[i]),
                bool(output.hidden[i]),
                output.region[i],
                responses,
            )
            index += 1


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What `track_video` leaves behind, each only if asked for.

    Attributes:
      results: CSV file of the boxes, see `results.ResultWriter`.
      video: video with the boxes drawn, see `video_writer.VideoWriter`.
      response_maps: folder for pictures of the response maps: `000010.png` and so on.
      response_every: frames from one of these pictures to the next.
      window: show each frame in a window.
    """

    results: str | os.PathLike | None = None
    video: str | os.PathLike | None = None
    response_maps: str | os.PathLike | None = None
    response_every: int = 10
    window: bool = False


def track_video(
    source: video_lib.FrameSource,
    box: np.ndarray,
    variables: dict,
    config: config_lib.Config,
    outputs: Outputs,
    chunk: int = 16,
) -> Summary:
    """Tracks a video and writes what is asked for; `q` in the window or a noted signal (`interrupts`) ends it.

    All files are then whole, with the frames so far.

    Args:
      source: an open video, nothing taken from it yet.
      box: [4] xywh, 0-based frame pixels.
      variables: of `SCTRPN`.
      config: the run's.
      outputs: what to write.
      chunk: frames handed to the device at once.

    Returns:
      `Summary`.

    Raises:
      ValueError: a bad box or name; VideoError: the source failed, and what was tracked before is on disk.
      OSError: something cannot be written.
    """
    summary = Summary()
    with contextlib.ExitStack() as stack:
        # Everything that can fail on the user's names comes before the wait for the compiler.
        inputs.check_box(box, *source.size)
        boxes = None
        if outputs.results:
            boxes = stack.enter_context(results_lib.ResultWriter(outputs.results, hidden=True))
        drawn = None
        if outputs.video:
            drawn = stack.enter_context(video_writer.VideoWriter(outputs.video, source.size, source.fps))
        maps = pathlib.Path(outputs.response_maps) if outputs.response_maps else None
        if maps:
            maps.mkdir(parents=True, exist_ok=True)
        bar = tqdm.tqdm(desc='compiling', total=source.num_frames, unit='frame', disable=None, leave=False)
        stack.enter_context(bar)
        # Last, so that whatever ends the loop, what is to be drawn is drawn before the video is closed.
        pool = stack.enter_context(futures.ThreadPoolExecutor(1))
        waiting: collections.deque[futures.Future] = collections.deque()
        try:
            for tracked in track_frames(source, box, variables, config, summary, maps is not None, chunk):
                if tracked.index == 0:
                    bar.set_description('tracking')
                    bar.reset(source.num_frames)
                    start = time.perf_counter()
                if boxes:
                    boxes.write(tracked.box, tracked.score, tracked.hidden)
                picture = _draw(tracked) if outputs.window else None
                if drawn:
                    waiting.append(pool.submit(_write, drawn, tracked, picture))
                    if len(waiting) > chunk:  # so that a slow disk does not fill the memory
                        waiting.popleft().result()
                if maps and tracked.responses is not None and tracked.index % outputs.response_every == 0:
                    figure = draw_responses(tracked, config)
                    response_maps.write_png(maps / f'{tracked.index:06d}.png', figure)
                summary.frames += 1
                summary.scores += tracked.score if tracked.index else 0
                summary.total = time.perf_counter() - start
                bar.update()
                if outputs.window and not window.show(source.name, picture):
                    break
                if interrupts.noted():
                    summary.interrupted = True
                    break
        except video_lib.VideoError as error:
            raise video_lib.VideoError(f'{error} (the {summary.frames} frames before it were tracked)') from error
        for drawing in waiting:
            drawing.result()
        if waiting:
            summary.total = time.perf_counter() - start
    return summary


def _write(video: video_writer.VideoWriter, tracked: Tracked, picture: np.ndarray | None) -> None:
    video.write(_draw(tracked) if picture is None else picture)


def _draw(tracked: Tracked) -> np.ndarray:
    return overlay.draw(tracked.frame, tracked.box, tracked.score, hidden=tracked.hidden)


def draw_responses(tracked: Tracked, config: config_lib.Config) -> np.ndarray:
    """Fig. 4 of a frame tracked with details, [H, W, 3] uint8 RGB."""
    size = config.track.search_size
    centre, side = jnp.asarray(tracked.region[:2]), jnp.asarray(tracked.region[2])
    fill = jnp.asarray(tracked.frame.mean((0, 1)), jnp.float32)
    crop = _extract(tracked.frame, centre, side, size, fill)
    scale = size / tracked.region[2]
    corner = (tracked.box[:2] - tracked.region[:2]) * scale + size / 2
    box = np.concatenate([corner, tracked.box[2:] * scale])
    return response_maps.response_figure(np.asarray(crop), tracked.responses, box, stride=grid.STRIDE)

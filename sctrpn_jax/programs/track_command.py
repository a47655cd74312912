"""What bin/track does, from its flags to its exit code."""

import dataclasses
import os
import sys
from collections.abc import Callable

import cv2

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video as video_lib
from sctrpn_jax.programs import track_video
from sctrpn_jax.tracking import inputs
from sctrpn_jax.training import checkpoint as checkpoint_lib
from sctrpn_jax.visualization import video_writer, window

BAD_INPUT, INTERRUPTED = 2, 130  # exit codes


def parse_box(text: str) -> tuple[float, ...]:
    """`x,y,w,h` as four numbers.

    Raises:
      ValueError: not four numbers.
    """
    try:
        values = tuple(float(part) for part in text.split(','))
    except ValueError:
        values = ()
    if len(values) != 4:
        raise ValueError(f'box: got {text!r}; expected four numbers x,y,w,h (top-left corner and size, pixels)')
    return values


def change_settings(config: config_lib.Config, changes: dict) -> config_lib.Config:
    """A checkpoint's config with some of its `track` section changed.

    Args:
      config: of the checkpoint; left as it is.
      changes: dotted name -> value, as `{'track.window': 0.4}`.

    Raises:
      ValueError: a name that belongs to the checkpoint or does not exist.
    """
    known = {f'track.{field.name}': field.name for field in dataclasses.fields(config_lib.TrackConfig)}
    wrong = sorted(set(changes) - set(known))
    if wrong:
        raise ValueError(f'config.{wrong[0]} cannot be changed here; accepted are config.{", config.".join(known)}')
    track = dataclasses.replace(config.track, **{known[name]: value for name, value in changes.items()})
    return dataclasses.replace(config, track=track)


def run(
    video: str,
    checkpoint: str,
    box: str | None = None,
    results: str | None = None,
    output: str | None = None,
    maps: str | None = None,
    every: int = 10,
    changes: dict | None = None,
    load: Callable[[str], tuple[dict, config_lib.Config]] = checkpoint_lib.load_variables,
) -> int:
    """bin/track: everything from the flags to the exit code.

    Args:
      video: as `video.open_video`.
      checkpoint: as `load`.
      box: `x,y,w,h`; None: the user draws it in a window.
      results: boxes.csv to write.
      output: video to write.
      maps: folder for response maps.
      every: frames from one response map to the next.
      changes: as `change_settings`.
      load: gives variables and config of a checkpoint.

    Returns:
      0; 2 for a bad input (one line on stderr says what); 130 after Ctrl-C, with what was tracked kept.
    """
    # The messages below name what is wrong; OpenCV's and FFmpeg's own would only repeat it less clearly.
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        given = parse_box(box) if box is not None else None
        if every < 1:
            raise ValueError(f'response maps: got every {every} frames; expected 1 or more')
        if output:
            video_writer.check_suffix(output)
        _check_targets(video, results, output, maps)
        with video_lib.open_video(video) as source:
            given = window.select_box(source.first) if given is None else given
            inputs.check_box(given, *source.size)
            variables, config = load(checkpoint)
            config = change_settings(config, changes or {})
            if not (results or output or maps):
                print('track: no results, output or response maps asked for: nothing is written', file=sys.stderr)
            show = source.live and window.window_problem() is None
            summary = track_video.track_video(source, given, variables, config, results, output, maps, every, show)
            print(summary.line(source.name))
            for kind, path in (('boxes', results), ('video', output), ('response maps', maps)):
                if path:
                    print(f'{kind}: {path}')
            return INTERRUPTED if summary.interrupted else 0
    except KeyboardInterrupt:
        print('track: interrupted before the first frame', file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(f'track: {" ".join(str(error).split())}', file=sys.stderr)
        return BAD_INPUT


def _check_targets(video: str, *targets: str | None) -> None:
    """Raises ValueError where a target is the video itself, which would be overwritten."""
    for target in targets:
        if target and os.path.exists(target) and os.path.exists(video) and os.path.samefile(target, video):
            raise ValueError(f'{target!r} is the video itself; give another name to write to')

"""Follows objects through a video.

  sctrpn track --video out/demo.mp4 --box 92,81,51,52 --output tracked.mp4 --results boxes.csv
  sctrpn track --video out/demo.mp4 --box 92,81,51,52 --response_maps maps --config.track.window=0.2
  sctrpn track --video 'img/%04d.jpg' --boxes targets.csv --output tracked.mp4 --results boxes.csv
  sctrpn track --video rtsp://10.0.0.7/stream --show

The first example needs the video that `sctrpn demo` writes. Boxes are x,y,w,h: top-left corner and size in pixels,
counted from 0. Ctrl-C or SIGTERM, or q in the window, ends the tracking; what was tracked is written.
"""

import argparse
import os
import sys
from collections.abc import Iterable

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.programs import arguments
from sctrpn_jax.system import interrupts


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    parser.add_argument(
        '--video',
        required=True,
        help='Video file, folder of images, pattern of their names (img/%%04d.jpg), camera (0, camera:0, /dev/video0) '
        'or address (rtsp://, http://).',
    )
    parser.add_argument(
        '--box',
        type=parse_box,
        action='append',
        help='x,y,w,h of a target in the first frame; may be given several times. Without --box and --boxes: draw it.',
    )
    parser.add_argument(
        '--boxes',
        metavar='FILE',
        help='CSV file of targets that may start later: frame,x,y,w,h or frame,x,y,w,h,target (its name). Frames count '
        'from 0.',
    )
    arguments.add_checkpoint(parser)
    parser.add_argument(
        '--output',
        help='Video to write with the boxes drawn: .mp4 (H.264 where the program ffmpeg is installed), .avi, .mkv '
        '(lossless) or .gif (ffmpeg).',
    )
    parser.add_argument(
        '--results', help='CSV file to write, with the columns frame,x,y,w,h,score,hidden,time (seconds),target.'
    )
    parser.add_argument(
        '--show',
        action='store_true',
        help='Show the tracking in a window. Keys: space to pause, b to draw a box anew, a to add a target, q to quit.',
    )
    parser.add_argument('--response_maps', metavar='DIR', help='Folder for pictures of the response maps.')
    parser.add_argument(
        '--response_every',
        type=arguments.whole_number(1),
        default=10,
        metavar='N',
        help='Write the response maps of every Nth frame. Default: 10.',
    )
    parser.add_argument(
        '--reconnect',
        type=arguments.number(0, 86_400),
        default=20.0,
        metavar='SECONDS',
        help='How long a network stream that stalls or ends is connected to again before tracking ends. Default: 20.',
    )
    parser.takes_changes = True
    parser.epilog = '--config.track.FIELD=value changes how the network tracks (class TrackConfig in config.py).'


def parse_box(text: str) -> tuple[float, ...]:
    """`x,y,w,h` as four numbers.

    Raises:
      argparse.ArgumentTypeError: not four numbers.
    """
    try:
        values = tuple(float(part) for part in text.split(','))
    except ValueError:
        values = ()
    if len(values) != 4:
        raise argparse.ArgumentTypeError(
            f'got {text!r}; expected four numbers x,y,w,h (top-left corner and size, pixels)'
        )
    return values


def change_settings(config: config_lib.Config, changes: Iterable[tuple[str, str]]) -> None:
    """Changes some fields of a checkpoint's `track` section.

    Args:
      config: of the checkpoint; changed in place.
      changes: (field, text): `('track.window', '0.4')`.

    Raises:
      ValueError: a field of another section, or one that does not exist; a value that cannot work.
    """
    for field, text in changes:
        if not field.startswith('track.'):
            raise ValueError(
                f'config.{field} belongs to the network and cannot be changed here; accepted are the fields of '
                'config.track'
            )
        config_values.set_field(config, field, text)
    config_values.check(config)


def chosen_targets(args: argparse.Namespace) -> list:
    """The targets of `--box` and `--boxes` as `starts.Start`, in this order; none where both are left out.

    Raises:
      ValueError: a bad file; two targets of one name.
    """
    from sctrpn_jax.tracking import starts

    given = [starts.Start(str(number), 0, box) for number, box in enumerate(args.box or (), 1)]
    named = starts.read_starts(args.boxes) if args.boxes else []
    both = {each.name for each in given} & {each.name for each in named}
    if both:
        raise ValueError(
            f'{args.boxes}: a target is called {min(both)!r}, as one of --box is (they are called 1, 2, ..); give it '
            'another name'
        )
    return given + named


def main(args: argparse.Namespace) -> int:
    """Opens the video, loads the network, tracks; returns the exit code."""
    change_settings(config_lib.Config(), args.changes)
    targets = {'boxes': args.results, 'video': args.output, 'response maps': args.response_maps}
    for path in filter(None, targets.values()):
        for read in filter(None, (args.video, args.boxes)):
            if os.path.exists(path) and os.path.exists(read) and os.path.samefile(path, read):
                what = 'the video itself' if read == args.video else 'the file of boxes itself'
                raise ValueError(f'{path!r} is {what}; give another name to write to')

    # Everything that can be wrong with the user's files comes before JAX, which takes seconds to import.
    from sctrpn_jax.data import video
    from sctrpn_jax.tracking import starts as starts_lib
    from sctrpn_jax.visualization import video_writer, window

    if args.output:
        video_writer.check_suffix(args.output)
    starts = chosen_targets(args)
    problem = window.window_problem() if args.show else None
    if problem:
        raise ValueError(f'--show: {problem}')
    with video.open_video(args.video, args.reconnect) as source:
        starts = starts or [starts_lib.Start('1', 0, tuple(window.select_box(source.first, source.name)))]
        starts_lib.check(starts, source.size, source.num_frames, source.name)

        from sctrpn_jax.programs import track_video
        from sctrpn_jax.weights import loading

        variables, config = loading.load_network(args.checkpoint)
        change_settings(config, args.changes)
        if not any(targets.values()) and not args.show:
            print('track: no results, output or response maps asked for: nothing is written', file=sys.stderr)
        outputs = track_video.Outputs(
            results=args.results,
            video=args.output,
            response_maps=args.response_maps,
            response_every=args.response_every,
            window=args.show,
        )
        with interrupts.deferred():
            summary = track_video.track_video(source, starts, variables, config, outputs)
            print(summary.line(source.name))
            for kind, path in targets.items():
                if path:
                    print(f'{kind}: {path}')
    return 0

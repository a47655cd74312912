"""Follows one object through a video.

  sctrpn track --video out/demo.mp4 --box 92,81,51,52 --output tracked.mp4 --results boxes.csv
  sctrpn track --video out/demo.mp4 --box 92,81,51,52 --response_maps maps --config.track.window=0.2

The first example needs the video that `sctrpn demo` writes. Boxes are x,y,w,h: top-left corner and size in pixels,
counted from 0. Ctrl-C or SIGTERM, or q in the window of a camera, ends the tracking; what was tracked is written.
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
    parser.add_argument('--video', required=True, help='Video file, folder of images, or camera (0, camera:0).')
    parser.add_argument('--box', type=parse_box, help='x,y,w,h of the target in the first frame. Left out: draw it.')
    arguments.add_checkpoint(parser)
    parser.add_argument('--output', help='Video to write with the boxes drawn: .mp4, .avi or .mkv (lossless).')
    parser.add_argument('--results', help='CSV file to write, with the columns frame,x,y,w,h,score,hidden.')
    parser.add_argument('--response_maps', metavar='DIR', help='Folder for pictures of the response maps.')
    parser.add_argument(
        '--response_every',
        type=arguments.whole_number(1),
        default=10,
        metavar='N',
        help='Write the response maps of every Nth frame. Default: 10.',
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


def main(args: argparse.Namespace) -> int:
    """Opens the video, loads the network, tracks; returns the exit code."""
    change_settings(config_lib.Config(), args.changes)
    targets = {'boxes': args.results, 'video': args.output, 'response maps': args.response_maps}
    for path in filter(None, targets.values()):
        if os.path.exists(path) and os.path.exists(args.video) and os.path.samefile(path, args.video):
            raise ValueError(f'{path!r} is the video itself; give another name to write to')

    # Everything that can be wrong with the user's files comes before JAX, which takes seconds to import.
    from sctrpn_jax.data import video
    from sctrpn_jax.tracking import inputs
    from sctrpn_jax.visualization import video_writer, window

    if args.output:
        video_writer.check_suffix(args.output)
    with video.open_video(args.video) as source:
        box = window.select_box(source.first) if args.box is None else args.box
        inputs.check_box(box, *source.size)

        from sctrpn_jax.programs import track_video
        from sctrpn_jax.weights import loading

        variables, config = loading.load_network(args.checkpoint)
        change_settings(config, args.changes)
        if not any(targets.values()):
            print('track: no results, output or response maps asked for: nothing is written', file=sys.stderr)
        outputs = track_video.Outputs(
            results=args.results,
            video=args.output,
            response_maps=args.response_maps,
            response_every=args.response_every,
            window=source.live and window.window_problem() is None,
        )
        with interrupts.deferred():
            summary = track_video.track_video(source, box, variables, config, outputs)
            print(summary.line(source.name))
            for kind, path in targets.items():
                if path:
                    print(f'{kind}: {path}')
    return 0

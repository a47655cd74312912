"""Tracks a generated clip with the pretrained network; writes out/demo.mp4 and out/response_maps.png.

  sctrpn demo
  sctrpn demo --clips 16 --output CLIPS

The second example writes generated clips in OTB's layout instead, for `sctrpn evaluate` and `sctrpn reports compare`.
"""

import argparse
import time

from sctrpn_jax.programs import arguments


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    parser.add_argument('--output', default='out', help='Folder to write to. Default: out.')
    parser.add_argument(
        '--clips',
        type=arguments.whole_number(1, 10_000),
        metavar='N',
        help='Instead, write N generated clips of 80 frames in the layout of OTB.',
    )


def main(args: argparse.Namespace) -> int:
    """Tracks the clip, or writes clips; returns the exit code."""
    from sctrpn_jax.programs import demo_clip

    if args.clips:
        demo_clip.write_clips(args.output, args.clips)
        print(f'{args.clips} clips: sctrpn evaluate --benchmark otb --root {args.output} --output results/clips')
        return 0
    print('compiling and tracking a generated clip of 90 frames (about a minute on two cores) ...')
    start = time.perf_counter()
    scores = demo_clip.run(args.output)
    print(
        f'done in {time.perf_counter() - start:.0f} s: success AUC {scores["success_auc"]:.3f}, '
        f'precision at 20 px {scores["precision"]:.3f} on this clip'
    )
    print(f'video: {args.output}/demo.mp4\nresponse maps: {args.output}/response_maps.png')
    return 0

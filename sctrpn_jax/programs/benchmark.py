"""Measures speed on this machine.

sctrpn benchmark track --seconds 2
sctrpn benchmark parts --seconds 1
sctrpn benchmark train --config quickstart
sctrpn benchmark data --json speed.json
"""

import argparse
import json
import os
import pathlib
import platform

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_files
from sctrpn_jax.evaluation.job import OPENCV_TRACKERS
from sctrpn_jax.programs import arguments
from sctrpn_jax.system import files

_TRACK = """Measures tracking: compilation, one live frame, whole sequences, several at once, the parts of a step.

  sctrpn benchmark track --seconds 2 --frame 1280x720 --peers mil

OpenCV's trackers run on the same frames, and PyTorch runs a network of one stage, where they are installed."""
_PARTS = """Measures every convolution of the network, as a tracker runs it and as training does, forward and backward.

  sctrpn benchmark parts --config sctrpn_lite --seconds 1

Beside each time stand the least that this machine could take (its floor) and the shares of the machine's largest
matrix product and of its copy rate, which are measured first. Winograd's method needs fewer operations than are counted
here, so its share may pass 1."""
_TRAIN = """Measures a training step, with the backbone at rest and in training, with its data and without.

  sctrpn benchmark train --config quickstart"""
_DATA = """Measures training data: random access, the host's work for a pair, and both ways of feeding.

  sctrpn benchmark data --seconds 2 --streaming_seconds 5"""
_FRAMES = 96  # that are tracked: enough for the first frame, which costs six others, to count as it does in a video


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    for word, text in {'track': _TRACK, 'parts': _PARTS, 'train': _TRAIN, 'data': _DATA}.items():
        added = parser.add_word(word, text)
        arguments.add_config(
            added, "Python file that has get_config(), or the name of a shipped config. Left out: the paper's.", False
        )
        added.add_argument('--seconds', type=arguments.number(0.1), default=5.0, help='Per measurement. Default: 5.')
        added.add_argument('--json', metavar='FILE', help='File to write all figures to.')
        if word == 'track':
            _add_track(added)
        if word in ('track', 'parts'):
            continue
        added.add_argument(
            '--data_dir', default='out/benchmark', help='Where generated data is kept. Default: out/benchmark.'
        )
        if word == 'data':
            added.add_argument(
                '--streaming_seconds',
                type=arguments.number(0.1),
                default=20.0,
                help='For the stream, whose memory is watched. Default: 20.',
            )


def _add_track(added: arguments.Parser) -> None:
    added.add_argument(
        '--frame', type=arguments.size, default=(640, 360), help='Size of the frames, pixels. Default: 640x360.'
    )
    added.add_argument(
        '--batches',
        type=arguments.whole_numbers(1, 4096),
        default=[1, 4, 16, 64],
        help='Numbers of sequences that are tracked at once. Default: 1,4,16,64.',
    )
    added.add_argument(
        '--targets',
        type=arguments.whole_numbers(1, 4096),
        default=[1, 4],
        help='Numbers of targets that are followed in one video. Default: 1,4.',
    )
    added.add_argument(
        '--peers',
        type=arguments.some_of(OPENCV_TRACKERS),
        default=OPENCV_TRACKERS,
        help="OpenCV's trackers to compare with. Default: all (mil,kcf,csrt,nano).",
    )
    arguments.add_models(added)


def main(args: argparse.Namespace) -> int:
    """Measures and prints; returns the exit code."""
    if args.changes and not args.config:
        raise ValueError('--config.section.field=value goes with --config; give one')
    config = config_files.load(args.config, args.changes) if args.config else None

    import jax
    import numpy as np

    from sctrpn_jax.speed import layers, timing

    device = jax.devices()[0]
    result = {
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, {device.platform} {device.device_kind}',
        'jax': jax.__version__,
        'numpy': np.__version__,
    }
    result |= {'track': _track, 'parts': _parts, 'train': _train, 'data': _data}[args.word](args, config)
    result['rss_mib'] = timing.resident_mib()
    _show({name: value for name, value in result.items() if name != 'layers'})
    if 'layers' in result:
        print(layers.table(result['layers']))
    if args.json:
        files.write_text(args.json, json.dumps(result, indent=1) + '\n')
    return 0


def _track(args: argparse.Namespace, config: config_lib.Config | None) -> dict:
    from sctrpn_jax.data import generated
    from sctrpn_jax.models import sctrpn
    from sctrpn_jax.speed import pytorch, track

    config = config or config_lib.Config()
    width, height = args.frame
    frames, boxes = generated.make_sequence(0, _FRAMES, height=height, width=width)
    variables = sctrpn.init_variables(sctrpn.SCTRPN(config.model), config.seed)  # speed does not depend on weights
    result = track.measure(variables, config, frames, boxes[0], args.seconds, args.batches, args.targets)
    rate = result['live']['frames_per_second']
    result['one_stage_network'] = pytorch.compare(config, args.seconds)
    return result | {'peers': track.peers(args.peers, frames, boxes[0], args.seconds, args.models, rate)}


def _parts(args: argparse.Namespace, config: config_lib.Config | None) -> dict:
    from sctrpn_jax.models import sctrpn
    from sctrpn_jax.speed import layers

    config = config or config_lib.Config()
    return layers.measure(sctrpn.init_variables(sctrpn.SCTRPN(config.model), config.seed), config, args.seconds)


def _train(args: argparse.Namespace, config: config_lib.Config | None) -> dict:
    from sctrpn_jax.speed import train

    return train.measure(config or _on_generated_data(args.data_dir)[0], args.seconds)


def _data(args: argparse.Namespace, config: config_lib.Config | None) -> dict:
    from sctrpn_jax.speed import data

    result = {}
    if config is None:
        config, folder = _on_generated_data(args.data_dir)
        result['random_access'] = data.random_access(folder, 'train', args.seconds)
    return result | data.measure(config, args.seconds, args.streaming_seconds)


def _on_generated_data(data_dir: str) -> tuple[config_lib.Config, pathlib.Path]:
    """The paper's config on a generated set, and the folder of that set."""
    from sctrpn_jax.speed import data

    root, config = pathlib.Path(data_dir), config_lib.Config()
    name = data.make_set(root)
    config.data.root, config.data.sources = str(root), (name,)
    return config, root / name / '1.0.0'


def _show(values: dict, indent: str = '') -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            print(f'{indent}{name}')
            _show(value, f'{indent}  ')
        else:
            print(f'{indent}{name}: {f"{value:,.3f}" if isinstance(value, float) else value}')

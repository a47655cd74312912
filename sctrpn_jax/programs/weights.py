"""Imports published backbones, and exports trained networks in files of this project.

sctrpn weights import --source alexnet-owt-7be5be79.pth --output alexnet.npz
sctrpn weights export --checkpoint runs/full --output full.npz
"""

import argparse

from sctrpn_jax.programs import arguments

_IMPORT = """Turns published AlexNet weights into the .npz that training starts from.

  sctrpn weights import --source alexnet-owt-7be5be79.pth --output alexnet.npz

Prints the settings to train with."""
_EXPORT = """Writes the best weights of a run as one half-precision file.

  sctrpn weights export --checkpoint runs/full --output full.npz"""


def add_arguments(parser: arguments.Parser) -> None:
    """Defines what `main` reads."""
    word = parser.add_word('import', _IMPORT)
    word.add_argument(
        '--source',
        required=True,
        help='.safetensors or .pth of torchvision, .mat of MatConvNet, or an .npz of this project.',
    )
    word.add_argument('--output', required=True, help='.npz to write.')
    word = parser.add_word('export', _EXPORT)
    word.add_argument(
        '--checkpoint', required=True, type=arguments.checkpoint, help='Work directory of a training run.'
    )
    word.add_argument('--output', required=True, help='.npz to write.')


def main(args: argparse.Namespace) -> int:
    """Imports or exports; returns the exit code."""
    if not args.output.endswith('.npz'):
        raise ValueError(f'--output: got {args.output!r}; accepted is a name that ends in .npz')
    return _import(args) if args.word == 'import' else _export(args)


def _import(args: argparse.Namespace) -> int:
    from sctrpn_jax.weights import backbone, published

    weights = published.read(args.source)
    backbone.write_npz(args.output, weights)
    print(f'--config.model.backbone.weights={args.output}')
    for name, value in weights.settings().items():
        text = value if isinstance(value, str) else f'"({",".join(map(str, value))})"'
        print(f'--config.model.backbone.{name}={text}')
    return 0


def _export(args: argparse.Namespace) -> int:
    from sctrpn_jax.weights import loading, network_file

    network_file.write(args.output, *loading.load_network(args.checkpoint))
    print(f'{args.output}: sctrpn track --checkpoint {args.output} reads it')
    return 0

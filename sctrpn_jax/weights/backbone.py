"""AlexNet weights in this project's .npz: read without pickle, checked, and written."""

import dataclasses
import json
import os
import pathlib
import typing
from collections.abc import Iterable

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.geometry import grid
from sctrpn_jax.system import files

NAMES = tuple(f'conv{i}' for i in range(1, 6))
_KERNEL_SIZES = dict(zip(NAMES, grid.KERNELS, strict=True))
_NORMS = ('lrn', 'batch', 'none')


@dataclasses.dataclass(frozen=True)
class Weights:
    """Five convolutions and the input they expect.

    Attributes:
      layers: `conv1` .. `conv5` to `kernel` [k, k, in / groups, out] and `bias` [out], float32: the form of
        `alexnet.AlexNet`'s parameters.
      mean: RGB, subtracted from 0..255.
      std: RGB, divides after that.
      norm: `lrn` (with the constants of `kernels/local_response_norm.py`), `batch`, `none`; None where the file does
        not say.
    """

    layers: dict[str, dict[str, np.ndarray]]
    mean: tuple[float, ...]
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    norm: str | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """Output channels of conv1..conv5."""
        return tuple(self.layers[name]['kernel'].shape[-1] for name in NAMES)

    @property
    def groups(self) -> tuple[int, ...]:
        """Towers of conv1..conv5."""
        inputs = (3, *self.widths[:-1])
        return tuple(n // self.layers[name]['kernel'].shape[2] for name, n in zip(NAMES, inputs, strict=True))

    def settings(self) -> dict[str, typing.Any]:
        """The fields of `config.BackboneConfig` that these weights fix; `norm` only where it is known."""
        return {'widths': self.widths, 'groups': self.groups} | ({'norm': self.norm} if self.norm else {})

    def describe(self) -> dict[str, typing.Any]:
        """`settings` and the input: all that a file states beside its arrays."""
        return self.settings() | {'mean': self.mean, 'std': self.std}


def existing_file(path: str | os.PathLike) -> pathlib.Path:
    """The path of a file.

    Raises:
      ValueError: there is none, or it is larger than any network.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f'{path}: no such file')
    bounded.check_file(path, bounded.ARRAY_BYTES)
    return path


def listing(names: Iterable[str]) -> str:
    """At most twelve names, for an error message."""
    names = sorted(names)
    return ', '.join(names[:12]) + (f' and {len(names) - 12} more' if len(names) > 12 else '') or 'nothing'


def check_layers(
    path: str | os.PathLike, arrays: dict[tuple[str, str], np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """`Weights.layers` of a file's arrays.

    Args:
      path: for the message.
      arrays: (layer, `kernel` or `bias`) to the array, HWIO or [out], any real type.

    Raises:
      ValueError: an array that is no chain of AlexNet convolutions' or not finite; the message names its layer.
    """
    layers, inputs = {}, 3
    for name in NAMES:
        kernel, bias = (np.asarray(arrays[name, part]) for part in ('kernel', 'bias'))
        for part, array in (('kernel', kernel), ('bias', bias)):
            if array.dtype.kind not in 'fiu' or not np.isfinite(array).all():
                raise ValueError(f'{path}: {name}: {part} of type {array.dtype} must hold finite real numbers')
        size = _KERNEL_SIZES[name]
        if kernel.ndim != 4 or kernel.shape[:2] != (size, size) or not all(kernel.shape) or inputs % kernel.shape[2]:
            raise ValueError(
                f'{path}: {name}: kernel of shape {kernel.shape}; expected ({size}, {size}, '
                f'{inputs} or a whole part of it, out)'
            )
        groups, width = inputs // kernel.shape[2], kernel.shape[3]
        if width % groups or bias.shape != (width,):
            raise ValueError(
                f'{path}: {name}: kernel {kernel.shape} in {groups} groups does not go with bias {bias.shape}'
            )
        layers[name] = {'kernel': kernel.astype(np.float32), 'bias': bias.astype(np.float32)}
        inputs = width
    return layers


def read_npz(path: str | os.PathLike) -> Weights:
    """Weights of `write_npz`: `conv1_w` .. (HWIO), `conv1_b` .., `mean_rgb`, and maybe `std_rgb` and `config`.

    `config` is a JSON text that has some of widths, groups, norm, mean and std; it must agree with the arrays.

    Raises:
      ValueError: no such file, another form, a missing or ill-shaped array, a contradiction.
    """
    keys = {(name, part): f'{name}_{part[0].replace("k", "w")}' for name in NAMES for part in ('kernel', 'bias')}
    path = existing_file(path)
    with bounded.ArrayFile(path, 'an .npz of plain arrays, as `bin/weights import` writes it') as file:
        names = set(file.headers)
        arrays = {key: file[key] for key in names & {*keys.values(), 'mean_rgb', 'std_rgb', 'config'}}
    for key in (*keys.values(), 'mean_rgb'):
        if key not in arrays:
            raise ValueError(f'{path}: {key} is missing; found {listing(names)}')
    stated = _parse_settings(path, arrays.get('config'))
    weights = Weights(
        check_layers(path, {place: arrays[key] for place, key in keys.items()}),
        mean=_rgb(path, 'mean_rgb', arrays['mean_rgb']),
        std=_rgb(path, 'std_rgb', arrays.get('std_rgb', np.ones(3))),
        norm=stated.get('norm'),
    )
    check_agreement(weights.describe(), f'the arrays of {path}', stated, 'its config')
    return weights


def write_npz(path: str | os.PathLike, weights: Weights) -> None:
    """Writes `read_npz`'s form with every known setting; an earlier file gives way only to a whole one.

    Raises:
      ValueError: the folder does not exist.
      OSError: the file cannot be written.
    """
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise ValueError(f'{path}: no such folder')
    arrays: dict[str, typing.Any] = {'mean_rgb': np.asarray(weights.mean), 'std_rgb': np.asarray(weights.std)}
    arrays['config'] = np.asarray(json.dumps(weights.describe()))
    for name, layer in weights.layers.items():
        arrays |= {f'{name}_w': layer['kernel'], f'{name}_b': layer['bias']}
    with files.replacing(path) as partial, partial.open('wb') as file:
        np.savez(file, **arrays)


def check_agreement(found: dict, where: str, other: dict, other_where: str) -> None:
    """Raises ValueError where two sets of settings, each with the name of its place, have different values."""
    for name in found.keys() & other.keys():
        a, b = found[name], other[name]
        same = a == b if isinstance(a, str) else len(a) == len(b) and np.allclose(a, b, rtol=0, atol=0.01)
        if not same:
            raise ValueError(f'{name}: {where} has {a}, {other_where} has {b}; they must agree')


def _parse_settings(path: pathlib.Path, text: np.ndarray | None) -> dict[str, typing.Any]:
    if text is None:
        return {}
    try:
        values = json.loads(str(text))
        stated: dict[str, typing.Any] = {
            k: tuple(float(x) for x in values[k]) for k in ('widths', 'groups', 'mean', 'std') if k in values
        }
        stated |= {'norm': values['norm']} if 'norm' in values else {}
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise bounded.damaged(path, 'a readable config text', error) from error
    if stated.get('norm', 'none') not in _NORMS:
        raise ValueError(f'{path}: norm: got {stated["norm"]!r}, accepted are {", ".join(_NORMS)}')
    return stated


def _rgb(path: pathlib.Path, name: str, values: np.ndarray) -> tuple[float, ...]:
    if values.shape != (3,) or values.dtype.kind not in 'fiu' or not np.isfinite(values).all():
        raise ValueError(f'{path}: {name}: shape {values.shape} of {values.dtype}; expected 3 finite numbers')
    return tuple(round(float(x), 3) for x in values)

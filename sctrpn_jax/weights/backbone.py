"""The backbone's weights in a file: this project's .npz, read without pickle, checked, and fitted to a config."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Iterable

import jax
import numpy as np

from sctrpn_jax.models import alexnet

NAMES = tuple(f'conv{i}' for i in range(1, 6))
_KERNEL_SIZES = dict(zip(NAMES, (11, 5, 3, 3, 3), strict=True))
_NORMS = ('lrn', 'batch', 'none')


@dataclasses.dataclass(frozen=True)
class Weights:
    """Five convolutions and the input they expect.

    Attributes:
      layers: `conv1` .. `conv5` to `kernel` [k, k, in / groups, out] and `bias` [out], float32: the form of
        `alexnet.AlexNet`'s parameters.
      mean: RGB, subtracted from 0..255.
      std: RGB, divides after that.
      norm: `lrn` (with the constants that `alexnet.local_response_norm` has by default), `batch`, `none`; None where
        the file does not say.
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

    def settings(self) -> dict[str, tuple | str]:
        """The fields of `config.BackboneConfig` that these weights fix; `norm` only where it is known."""
        values = {'widths': self.widths, 'groups': self.groups, 'mean': self.mean, 'std': self.std}
        return values | ({'norm': self.norm} if self.norm else {})


def existing_file(path: str | os.PathLike) -> pathlib.Path:
    """The path of a file.

    Raises:
      ValueError: there is none.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f'{path}: no such file')
    return path


def damaged(path: str | os.PathLike, form: str, error: Exception) -> ValueError:
    """One line for what a parser said of a file that is not of the form."""
    lines = str(error).splitlines() or ['']
    return ValueError(f'{path}: not {form} ({type(error).__name__}: {lines[0][:120]})')


def listing(names: Iterable[str]) -> str:
    """At most twelve names, for an error message."""
    names = sorted(names)
    return ', '.join(names[:12]) + (f' and {len(names) - 12} more' if len(names) > 12 else '') or 'nothing'


def check_layers(
    path: str | os.PathLike, arrays: dict[str, tuple[str, np.ndarray]]
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
    try:
        with path.open('rb') as opened, np.load(opened, allow_pickle=False) as file:
            names = set(file.files)
            arrays = {key: file[key] for key in names & {*keys.values(), 'mean_rgb', 'std_rgb', 'config'}}
    except Exception as error:  # damaged bytes raise a dozen kinds
        raise damaged(path, 'an .npz of plain arrays, as bin/import_backbone writes it', error) from error
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
    _compare(weights.settings(), f'the arrays of {path}', stated, 'its config')
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
    arrays = {'mean_rgb': np.asarray(weights.mean), 'std_rgb': np.asarray(weights.std)}
    arrays['config'] = np.asarray(json.dumps(weights.settings()))
    for name, layer in weights.layers.items():
        arrays |= {f'{name}_w': layer['kernel'], f'{name}_b': layer['bias']}
    partial = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        with partial.open('wb') as file:
            np.savez(file, **arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def natural_noise(count: int = 8, size: int = 191, seed: int = 0) -> np.ndarray:
    """Images of noise whose amplitude falls with frequency and whose colours hold together, as in photographs.

    Returns:
      [count, size, size, 3] float32, RGB, 0..255.
    """
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = np.inf
    white = rng.normal(size=(4, count, size, size))
    fields = np.fft.ifft2(np.fft.fft2(white) * frequency**-1.8).real
    fields /= fields.std((2, 3), keepdims=True)
    images = 115 + 60 * np.moveaxis(fields[0] + 0.2 * fields[1:], 0, -1)
    return np.clip(images, 0, 255).astype(np.float32)


def first_tower(weights: Weights) -> Weights:
    """One tower of AlexNet's two: 48-128-192-192-128 channels, ungrouped, of 96-256-384-384-256.

    conv3 alone sees both towers. Its kernels of the second tower's channels go, and what those give on average over
    `natural_noise` is added to its bias: without that some of conv5's channels never fire.

    Raises:
      ValueError: weights that do not have the two towers, or that need batch norm.
    """
    if weights.groups != (1, 2, 1, 2, 2):
        raise ValueError(f'one_tower: the weights have groups {weights.groups}; accepted are (1, 2, 1, 2, 2)')
    layers, inputs = {}, 3
    for name in NAMES:
        kernel, bias = weights.layers[name]['kernel'], weights.layers[name]['bias']
        width = len(bias) // 2
        layers[name] = {'kernel': kernel[:, :, :inputs, :width], 'bias': bias[:width]}
        inputs = width
    layers['conv3']['bias'] = layers['conv3']['bias'] + _mean_of_second_tower(weights)
    return dataclasses.replace(weights, layers=layers)


def to_params(weights: Weights, widths: tuple[int, ...], groups: tuple[int, ...]) -> dict[str, dict[str, np.ndarray]]:
    """Parameters of `alexnet.AlexNet(widths, groups)`, norms left out.

    Returns:
      `conv1` .. `conv5` to `kernel` [k, k, in / groups, out] and `bias` [out], float32.

    Raises:
      ValueError: a layer of another shape.
    """
    inputs = 3
    for name, width, towers in zip(NAMES, widths, groups, strict=True):
        size, found = _KERNEL_SIZES[name], weights.layers[name]['kernel'].shape
        expected = (size, size, inputs // towers, width)
        if found != expected:
            raise ValueError(
                f'{name}: found shape {found}, expected {expected}: the weights have widths {weights.widths} and '
                f'groups {weights.groups}, the config has {tuple(widths)} and {tuple(groups)}'
            )
        inputs = width
    return {name: dict(layer) for name, layer in weights.layers.items()}


def load_backbone(
    path: str | os.PathLike,
    *,
    widths: tuple[int, ...],
    groups: tuple[int, ...],
    norm: str,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    one_tower: bool = False,
) -> dict[str, dict[str, np.ndarray]]:
    """`to_params` of an .npz of `bin/import_backbone`, for a backbone of these settings (`config.BackboneConfig`).

    Args:
      path: the file.
      widths: output channels of conv1..conv5.
      groups: towers of conv1..conv5.
      norm: `lrn`, `batch` or `none`.
      mean: RGB, subtracted from 0..255.
      std: RGB, divides after that.
      one_tower: take the first tower of the file's two.

    Raises:
      ValueError: an unreadable file, a layer of another shape, or weights made for another norm, mean or std.
    """
    weights = read_npz(path)
    try:
        weights = first_tower(weights) if one_tower else weights
        params = to_params(weights, widths, groups)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    _compare(weights.settings(), str(path), {'norm': norm, 'mean': tuple(mean), 'std': tuple(std)}, 'the config')
    return params


def _mean_of_second_tower(weights: Weights) -> np.ndarray:
    """[out / 2]: what the second tower's channels add to conv3's outputs of the first, mean over `natural_noise`."""
    if weights.norm == 'batch':
        raise ValueError('one_tower: the weights need batch norm; accepted are lrn and none')
    kernel = weights.layers['conv3']['kernel'].copy()
    kernel[:, :, : kernel.shape[2] // 2] = 0
    params = weights.layers | {'conv3': {'kernel': kernel, 'bias': np.zeros(kernel.shape[-1], np.float32)}}
    norm = weights.norm or 'lrn'
    model = alexnet.AlexNet(weights.widths, weights.groups, norm, weights.mean, weights.std, layers=(3,))
    run = jax.jit(lambda images: model.apply({'params': params}, images, capture_intermediates=True)[1])
    outputs = run(natural_noise())['intermediates']['conv3']['__call__'][0]
    return np.asarray(outputs).mean((0, 1, 2))[: kernel.shape[-1] // 2]


def _compare(found: dict, where: str, other: dict, other_where: str) -> None:
    for name in found.keys() & other.keys():
        a, b = found[name], other[name]
        same = a == b if isinstance(a, str) else len(a) == len(b) and np.allclose(a, b, rtol=0, atol=0.01)
        if not same:
            raise ValueError(f'{name}: {where} has {a}, {other_where} has {b}; they must agree')


def _parse_settings(path: pathlib.Path, text: np.ndarray | None) -> dict[str, tuple | str]:
    if text is None:
        return {}
    try:
        values = json.loads(str(text))
        stated = {k: tuple(float(x) for x in values[k]) for k in ('widths', 'groups', 'mean', 'std') if k in values}
        stated |= {'norm': values['norm']} if 'norm' in values else {}
    except (TypeError, ValueError) as error:
        raise damaged(path, 'a readable config text', error) from error
    if stated.get('norm', 'none') not in _NORMS:
        raise ValueError(f'{path}: norm: got {stated["norm"]!r}, accepted are {", ".join(_NORMS)}')
    return stated


def _rgb(path: pathlib.Path, name: str, values: np.ndarray) -> tuple[float, ...]:
    if values.shape != (3,) or values.dtype.kind not in 'fiu' or not np.isfinite(values).all():
        raise ValueError(f'{path}: {name}: shape {values.shape} of {values.dtype}; expected 3 finite numbers')
    return tuple(round(float(x), 3) for x in values)

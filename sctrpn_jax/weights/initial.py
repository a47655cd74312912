"""From published AlexNet weights to the parameters that a backbone's training starts from."""

import dataclasses
import os

import jax
import numpy as np

from sctrpn_jax.geometry import grid
from sctrpn_jax.models import alexnet
from sctrpn_jax.weights import backbone

TWO_TOWERS = (1, 2, 1, 2, 2)  # groups of AlexNet's ImageNet weights


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


def first_tower(weights: backbone.Weights) -> backbone.Weights:
    """One tower of AlexNet's two: 48-128-192-192-128 channels, ungrouped, of 96-256-384-384-256.

    conv3 alone sees both towers. Its kernels of the second tower's channels go, and what those give on average over
    `natural_noise` is added to its bias: without that some of conv5's channels never fire.

    Raises:
      ValueError: weights that do not have the two towers, or that need batch norm.
    """
    if weights.groups != TWO_TOWERS:
        raise ValueError(f'first tower: the weights have groups {weights.groups}; accepted are {TWO_TOWERS}')
    layers, inputs = {}, 3
    for name in backbone.NAMES:
        kernel, bias = weights.layers[name]['kernel'], weights.layers[name]['bias']
        width = len(bias) // 2
        layers[name] = {'kernel': kernel[:, :, :inputs, :width], 'bias': bias[:width]}
        inputs = width
    layers['conv3']['bias'] = layers['conv3']['bias'] + _mean_of_second_tower(weights)
    return dataclasses.replace(weights, layers=layers)


def to_params(
    weights: backbone.Weights, widths: tuple[int, ...], groups: tuple[int, ...]
) -> dict[str, dict[str, np.ndarray]]:
    """Parameters of `alexnet.AlexNet(widths, groups)`, norms left out.

    Returns:
      `conv1` .. `conv5` to `kernel` [k, k, in / groups, out] and `bias` [out], float32.

    Raises:
      ValueError: a layer of another shape.
    """
    inputs = 3
    for name, size, width, towers in zip(backbone.NAMES, grid.KERNELS, widths, groups, strict=True):
        found = weights.layers[name]['kernel'].shape
        expected = (size, size, inputs // towers, width)
        if found != expected:
            raise ValueError(
                f'{name}: found shape {found}, expected {expected}: the weights have widths {weights.widths} and '
                f'groups {weights.groups}, the config has {tuple(widths)} and {tuple(groups)}'
            )
        inputs = width
    return {name: dict(layer) for name, layer in weights.layers.items()}


def for_standard_input(weights: backbone.Weights) -> backbone.Weights:
    """The same network for the input that `alexnet.AlexNet` gives: RGB 0..255 less `alexnet.MEAN`, not divided.

    conv1 has no padding, so its kernel takes the division and its bias the difference of the means, exactly except for
    rounding.
    """
    if np.allclose(weights.mean, alexnet.MEAN, rtol=0, atol=0.01) and weights.std == (1.0, 1.0, 1.0):
        return weights
    kernel = weights.layers['conv1']['kernel'] / np.asarray(weights.std, np.float32)[:, None]
    shift = np.asarray(alexnet.MEAN) - np.asarray(weights.mean)
    bias = weights.layers['conv1']['bias'] + np.einsum('hwio,i->o', kernel.astype(np.float64), shift)
    conv1 = {'kernel': kernel.astype(np.float32), 'bias': bias.astype(np.float32)}
    layers = weights.layers | {'conv1': conv1}
    return dataclasses.replace(weights, layers=layers, mean=alexnet.MEAN, std=(1.0, 1.0, 1.0))


def load_backbone(
    path: str | os.PathLike, *, widths: tuple[int, ...], groups: tuple[int, ...], norm: str
) -> dict[str, dict[str, np.ndarray]]:
    """Parameters of `alexnet.AlexNet` from an .npz of `bin/weights import`, for a backbone of these settings.

    Weights of two towers that are twice as wide as the backbone, which has one, give their first tower.

    Args:
      path: the file.
      widths: output channels of conv1..conv5.
      groups: towers of conv1..conv5.
      norm: `lrn`, `batch` or `none`.

    Returns:
      What `to_params` gives.

    Raises:
      ValueError: an unreadable file, a layer of another shape, or weights that were trained with another norm.
    """
    weights = backbone.read_npz(path)
    try:
        weights = for_standard_input(weights)
        if set(groups) == {1} and weights.groups == TWO_TOWERS and weights.widths == tuple(2 * n for n in widths):
            weights = first_tower(weights)
        params = to_params(weights, widths, groups)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    backbone.check_agreement(weights.settings(), str(path), {'norm': norm}, 'the config')
    return params


def _mean_of_second_tower(weights: backbone.Weights) -> np.ndarray:
    """[out / 2]: what the second tower's channels add to conv3's outputs of the first, mean over `natural_noise`."""
    if weights.norm == 'batch':
        raise ValueError('first tower: the weights need batch norm; accepted are lrn and none')
    kernel = weights.layers['conv3']['kernel'].copy()
    kernel[:, :, : kernel.shape[2] // 2] = 0
    params = weights.layers | {'conv3': {'kernel': kernel, 'bias': np.zeros(kernel.shape[-1], np.float32)}}
    model = alexnet.AlexNet(weights.widths, weights.groups, weights.norm or 'lrn', layers=(3,))
    run = jax.jit(lambda images: model.apply({'params': params}, images, capture_intermediates=True)[1])
    outputs = run(natural_noise())['intermediates']['conv3']['__call__'][0]
    return np.asarray(outputs).mean((0, 1, 2))[: kernel.shape[-1] // 2]

"""AlexNet weights as others publish them, turned into this project's: torchvision and MatConvNet. No pickle runs."""

import os
import pathlib
import typing
import zipfile

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.kernels import local_response_norm
from sctrpn_jax.weights import backbone as backbone_weights

NAMES = backbone_weights.NAMES
_TORCHVISION = dict(zip(NAMES, ('features.0', 'features.3', 'features.6', 'features.8', 'features.10'), strict=True))


def read(path: str | os.PathLike) -> backbone_weights.Weights:
    """Weights of a file of any known form: this project's .npz, or one of the two below, told apart by content.

    Raises:
      ValueError: no such file, none of the forms, or what the form's reader says.
    """
    path = backbone_weights.existing_file(path)
    with path.open('rb') as file:
        head = file.read(9)
    if head.startswith((b'MATLAB', b'\x89HDF')) or path.suffix == '.mat':
        return read_matconvnet(path)
    if head[8:] == b'{' or path.suffix in ('.safetensors', '.pth', '.pt') or _is_torch_archive(path):
        return read_torchvision(path)
    if zipfile.is_zipfile(path) or path.suffix == '.npz':
        return backbone_weights.read_npz(path)
    raise ValueError(f'{path}: unknown form; accepted are .npz, .safetensors and .pth (torchvision), .mat (MatConvNet)')


def read_torchvision(path: str | os.PathLike) -> backbone_weights.Weights:
    """AlexNet's state dict in torchvision (64-192-384-256-256, ungrouped, no LRN): .safetensors, or PyTorch's form.

    The latter is read by `torch.load(weights_only=True)`, which builds tensors and nothing else; it needs torch.

    Raises:
      ValueError: no such file, torch missing, another form, a missing or ill-shaped tensor.
    """
    path = backbone_weights.existing_file(path)
    with path.open('rb') as file:
        is_safetensors = file.read(9)[8:] == b'{' or path.suffix == '.safetensors'
    tensors = (_read_safetensors if is_safetensors else _read_torch)(path)
    arrays = {}
    for name, prefix in _TORCHVISION.items():
        for part, key in (('kernel', f'{prefix}.weight'), ('bias', f'{prefix}.bias')):
            if key not in tensors:
                found = backbone_weights.listing(map(str, tensors))
                raise ValueError(f'{path}: {name}: {key} is missing; found {found}')
            array = np.asarray(tensors[key])
            arrays[name, part] = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array  # OIHW to HWIO
    return backbone_weights.Weights(
        backbone_weights.check_layers(path, arrays),
        mean=tuple(round(255 * x, 3) for x in (0.485, 0.456, 0.406)),
        std=tuple(round(255 * x, 3) for x in (0.229, 0.224, 0.225)),
        norm='none',
    )


def read_matconvnet(path: str | os.PathLike) -> backbone_weights.Weights:
    """MatConvNet's imagenet-caffe-alex.mat or a like file: `layers`, and `normalization` (newer: in `meta`).

    Filters are taken as they are: `vl_nnconv` correlates, as XLA does, and MatConvNet's models take RGB. Both layouts
    are read: `weights` {filters, biases}, and the older fields `filters`, `biases`. LRN constants are folded into the
    filters. A network that normalises before it pools is run here the other way round.

    Raises:
      ValueError: no such file, another form, a missing or ill-shaped layer, LRN of another window or exponent.
    """
    import scipy.io

    path = backbone_weights.existing_file(path)
    try:
        content = scipy.io.loadmat(path, struct_as_record=False)
    except Exception as error:  # damaged bytes raise a dozen kinds; -v7.3 is HDF5
        raise bounded.damaged(path, 'a MATLAB file of version 7 or older', error) from error
    cells = [_unwrap(cell) for cell in np.ravel(content.get('layers', ()))]
    named = {str(_field(cell, 'name')): cell for cell in cells}
    arrays = {}
    for name in NAMES:
        weights = np.ravel(_field(named.get(name), 'weights'))
        pair = weights if len(weights) == 2 else [_field(named.get(name), key) for key in ('filters', 'biases')]
        if any(array is None for array in pair):
            raise ValueError(
                f'{path}: {name} with filters and biases is missing; found {backbone_weights.listing(named)}'
            )
        arrays[name, 'kernel'], arrays[name, 'bias'] = pair[0], np.ravel(pair[1])
    layers = backbone_weights.check_layers(path, arrays)
    norms = [_field(cell, 'param') for cell in cells if str(_field(cell, 'type')) in ('normalize', 'lrn')]
    if norms:
        layers = _fold_lrn(path, layers, norms)
    normalization = _field(_unwrap(content.get('meta')), 'normalization')
    if normalization is None:
        normalization = _unwrap(content.get('normalization'))
    average = _field(normalization, 'averageImage')
    mean = np.asarray([np.nan] if average is None else average, np.float64)
    if mean.size % 3 or not mean.size or not np.isfinite(mean).all():
        raise ValueError(f'{path}: normalization.averageImage, an RGB image or 3 values, is missing')
    mean = mean.reshape(-1, 3).mean(0)
    return backbone_weights.Weights(
        layers, mean=tuple(round(x, 3) for x in mean.tolist()), norm='lrn' if norms else 'none'
    )


def _read_safetensors(path: pathlib.Path) -> dict[str, np.ndarray]:
    import safetensors.numpy

    try:
        return safetensors.numpy.load_file(path)
    except Exception as error:
        raise bounded.damaged(path, 'a readable safetensors file', error) from error


def _read_torch(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError as error:
        raise ValueError(f'{path}: install torch to read this file, or convert it to safetensors') from error
    try:
        tensors = torch.load(path, map_location='cpu', weights_only=True)
        return {name: tensor.detach().float().numpy() for name, tensor in tensors.items()}
    except Exception as error:
        raise bounded.damaged(path, 'a state dict of tensors alone', error) from error


def _is_torch_archive(path: pathlib.Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith('/data.pkl') for name in archive.namelist())
    except Exception:  # damaged bytes raise a dozen kinds; the reader of this project's form says what is wrong
        return False


def _unwrap(value: typing.Any) -> typing.Any:
    """The one element of nested 1x1 cells and structs, which is how MATLAB stores every struct."""
    while isinstance(value, np.ndarray) and value.dtype.kind in 'OU' and value.size == 1:
        value = value.item()
    return value


def _field(struct: typing.Any, name: str) -> typing.Any:
    return _unwrap(getattr(struct, name, None))


def _fold_lrn(path: pathlib.Path, layers: dict, norms: list) -> dict:
    """The same network for LRN with this project's constants.

    With s^2 = (alpha / kappa) / (alpha' / kappa'), LRN' of s x is LRN of x times s (kappa / kappa')^0.75. So conv1 and
    conv2 grow by s (ReLU and max-pools pass a positive factor on), and the next kernel shrinks by the whole factor.
    """
    kappa, alpha = local_response_norm.KAPPA, local_response_norm.ALPHA
    layers = {name: dict(layer) for name, layer in layers.items()}
    if len(norms) != 2 or any(np.size(norm) != 4 for norm in norms):
        raise ValueError(f'{path}: found {len(norms)} normalisation layers; expected 2, each with 4 parameters')
    for norm, name, following in zip(norms, NAMES[:2], NAMES[1:3], strict=True):
        window, its_kappa, its_alpha, exponent = np.ravel(norm).astype(float).tolist()
        if (window, exponent) != (5, 0.75) or its_kappa <= 0 or its_alpha <= 0:
            raise ValueError(f'{path}: normalisation after {name}: {np.ravel(norm)}; expected (5, > 0, > 0, 0.75)')
        scale = np.float32((its_alpha / its_kappa * kappa / alpha) ** 0.5)
        layers[name] = {part: array * scale for part, array in layers[name].items()}
        layers[following]['kernel'] = layers[following]['kernel'] / (scale * np.float32((its_kappa / kappa) ** 0.75))
    return layers

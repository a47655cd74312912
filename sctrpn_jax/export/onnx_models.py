"""The network as ONNX models, which run without JAX; what stands around it, `docs/onnx/track.py` does in NumPy.

`jax2onnx` writes them from the same Flax modules. The weights are as they were trained, so the convolutions are plain
ones, not the CPU's (`models/prepared.py`).
"""

import dataclasses
import importlib.metadata
import json
import os
import typing
import warnings

import chex
import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.export import exported, writer
from sctrpn_jax.geometry import grid
from sctrpn_jax.tracking import look

FORMAT = 'sctrpn_jax ONNX models, 1'
OPSET = 18  # the oldest that jax2onnx writes the network in
NEEDS = ('jax2onnx', 'onnx')  # module, and the extra that installs it


class Model(typing.NamedTuple):
    """One function to convert; every array is float32, except `mask`.

    Attributes:
      function: takes the inputs in their order, returns a tuple of the outputs in theirs.
      inputs: shape and type by name.
      outputs: names.
    """

    function: typing.Callable[..., tuple[chex.Array, ...]]
    inputs: dict[str, jax.ShapeDtypeStruct]
    outputs: tuple[str, ...]


def models(variables: dict, config: config_lib.Config) -> dict[str, Model]:
    """The functions that become ONNX models, by file name; for one target, and computed in float32.

    `template.onnx`: (image [1, 127, 127, 3] RGB 0..255, the target in the middle) -> features of each stage,
    `stage0_classification` and so on.

    `search.onnx`, and `search_far.onnx` for the larger crop in which a lost target is looked for:
    (crop [1, S, S, 3] RGB 0..255; target [1, 2] (w, h) of the first frame's target in the template crop, pixels; the
    features) -> `logits` [1, L, N] of the target probability by stage, `boxes` [1, L, N, 4] centre form, crop pixels,
    `mask` [1, N] bool: proposals that no stage dropped, `first` [1, k, k, C]: the map of the backbone's first layer,
    for the correlation filter.

    Args:
      variables: of `SCTRPN`.
      config: the run's.
    """
    variables = jax.device_get(variables)
    network = look.network(dataclasses.replace(config, model=dataclasses.replace(config.model, precision='float32')))

    def template(image):
        made = network.apply(variables, image, method='template')
        return tuple(made[stage][part] for stage, part in places)

    image = jax.ShapeDtypeStruct((1, grid.TEMPLATE_SIZE, grid.TEMPLATE_SIZE, 3), np.float32)
    shapes = jax.eval_shape(lambda image: network.apply(variables, image, method='template'), image)
    places = [(stage, part) for stage, known in enumerate(shapes) for part in sorted(known)]
    features = {f'stage{stage}_{part}': shapes[stage][part] for stage, part in places}

    def search(crop, target, *values):
        known: list[dict[str, chex.Array]] = [{} for _ in shapes]
        for (stage, part), value in zip(places, values, strict=True):
            known[stage][part] = value
        found, kept = network.apply(variables, known, crop, target, method='search', mutable=['intermediates'])
        return found.logits, found.boxes, found.mask[:, -1], kept['intermediates']['backbone']['first'][0]

    def search_model(size):
        crop, target = (jax.ShapeDtypeStruct((1, *shape), np.float32) for shape in ((size, size, 3), (2,)))
        return Model(search, {'crop': crop, 'target': target, **features}, ('logits', 'boxes', 'mask', 'first'))

    made = {
        'template.onnx': Model(template, {'image': image}, tuple(features)),
        'search.onnx': search_model(config.track.search_size),
    }
    if config.track.recovery.search_size:
        made['search_far.onnx'] = search_model(config.track.recovery.search_size)
    return made


def write(output: str | os.PathLike, variables: dict, config: config_lib.Config) -> dict:
    """Writes the folder that `docs/onnx/track.py` reads; it appears whole or not at all.

    Args:
      output: folder, not there yet or empty.
      variables: of `SCTRPN`.
      config: the run's.

    Returns:
      The manifest.

    Raises:
      ValueError: a folder with something in it, jax2onnx is not installed or cannot convert the network.
    """
    writer.check(output, *NEEDS)
    made = models(variables, config_values.check(config))
    contents = {name: convert(model, name) for name, model in made.items()}
    kept = config_values.to_dict(config)
    manifest = {
        'format': FORMAT,
        'jax2onnx': importlib.metadata.version('jax2onnx'),
        'opset': OPSET,
        'inputs': {name: {key: list(each.shape) for key, each in model.inputs.items()} for name, model in made.items()},
        'outputs': {name: model.outputs for name, model in made.items()},
        'config': {name: kept[name] for name in ('model', 'track')},
    }
    contents[exported.MANIFEST] = (json.dumps(manifest, indent=1) + '\n').encode()
    writer.put_folder(output, contents)
    return manifest


def convert(model: Model, name: str) -> bytes:
    """One ONNX file, its weights inside.

    Args:
      model: what to convert.
      name: of the file.

    Raises:
      ValueError: jax2onnx cannot convert it.
    """
    import jax2onnx

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # it asks for float64, which JAX tells that it does not give
        try:
            made = jax2onnx.to_onnx(
                model.function,
                list(model.inputs.values()),
                model_name=name.removesuffix('.onnx'),
                opset=OPSET,
                input_names=list(model.inputs),
                output_names=list(model.outputs),
            )
        except Exception as error:  # whatever it has no rule for
            raise ValueError(f'{name}: jax2onnx cannot convert this network ({error})') from error
    return made.SerializeToString()

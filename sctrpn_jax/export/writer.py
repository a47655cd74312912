"""The folder of an exported tracker: two programs, the weights apart from them, and a manifest that describes both."""

import importlib.util
import io
import json
import os
import pathlib
import shutil

import jax
import jaxlib
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax import config_values
from sctrpn_jax.export import exported, lowering
from sctrpn_jax.export import target as target_lib
from sctrpn_jax.system import files
from sctrpn_jax.weights import network_file


def check(output: str | os.PathLike, module: str = 'flatbuffers', extra: str = 'export') -> None:
    """Refuses to export before anything is loaded or lowered.

    Args:
      output: folder to write.
      module: that the export needs.
      extra: of this project, which installs it.

    Raises:
      ValueError: a folder with something in it, or the module is not installed.
    """
    output = pathlib.Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f'{output} is there already; give a new or an empty folder')
    if importlib.util.find_spec(module) is None:
        raise ValueError(f"exporting needs {module}; install it: pip install 'sctrpn_jax[{extra}]'")


def write(output: str | os.PathLike, variables: dict, config: config_lib.Config, target: target_lib.Target) -> dict:
    """Writes the folder that `exported.ExportedTracker` reads; it appears whole or not at all.

    Args:
      output: folder, not there yet or empty.
      variables: of `SCTRPN`.
      config: the run's.
      target: what the programs run on.

    Returns:
      The manifest.

    Raises:
      ValueError: what `check` refuses, or a config that cannot work.
    """
    check(output)
    made = lowering.make_programs(variables, config, target)
    weights = lowering.flatten(jax.device_get(variables))
    contents = {
        exported.FILES['template']: bytes(made.template.serialize()),
        exported.FILES['step']: bytes(made.step.serialize()),
        exported.FILES['weights']: pack_weights(weights),
        exported.FILES['config']: network_file.pack_config(config),
    }
    manifest = _manifest(made, weights, config, target)
    manifest['sha256'] = {name: exported.digest(content) for name, content in contents.items()}
    contents[exported.MANIFEST] = (json.dumps(manifest, indent=1) + '\n').encode()
    put_folder(output, contents)
    return manifest


def put_folder(output: str | os.PathLike, contents: dict[str, bytes]) -> None:
    """Writes a folder of files; it appears whole or not at all.

    Args:
      output: folder, not there yet or empty.
      contents: of each file, by name.

    Raises:
      OSError: it cannot be written.
    """
    output = pathlib.Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f'.{output.name}.partial')
    shutil.rmtree(temporary, ignore_errors=True)  # of an export that was killed
    try:
        temporary.mkdir()
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
            files.sync(temporary / name)
        files.put(temporary, output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def pack_weights(weights: dict[str, np.ndarray]) -> bytes:
    """The arrays of a weights file that `network_file.read` reads too, in half precision where that loses nothing.

    Args:
      weights: float32 arrays by name (`lowering.flatten`).

    Returns:
      The .npz.
    """
    arrays = {}
    for name, value in weights.items():
        with np.errstate(over='ignore'):
            half = value.astype(np.float16)
        arrays[name] = half if (half == value).all() else value
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _manifest(
    made: lowering.Programs, weights: dict[str, np.ndarray], config: config_lib.Config, target: target_lib.Target
) -> dict:
    def described(tree):
        def one(aval):
            return {'shape': [d if isinstance(d, int) else str(d) for d in aval.shape], 'dtype': str(aval.dtype)}

        return jax.tree.map(one, tree)

    _, frame, box, extent = jax.tree.unflatten(made.template.in_tree, made.template.in_avals)[0]
    state, output = jax.tree.unflatten(made.step.out_tree, made.step.out_avals)
    kept = config_values.to_dict(config)
    return {
        'format': exported.FORMAT,
        'jax': jax.__version__,
        'jaxlib': jaxlib.__version__,
        'minimum_jax': '.'.join(map(str, jax.__version_info__)),
        'calling_convention_version': made.step.calling_convention_version,
        'platforms': list(made.step.platforms),
        'batch': target.batch,
        'frame': {
            'largest': {'width': target.frame_size[0], 'height': target.frame_size[1]},
            'colour': 'RGB, 0..255',
            'smaller': 'padded with zeros to the right and below; extent is (width, height) of the frame itself',
        },
        'box': 'x, y, w, h in frame pixels: top-left corner and size; pixel (0, 0) covers [0, 1) x [0, 1)',
        'programs': {
            'template': {
                'arguments': ['weights', 'frame', 'box', 'extent'],
                'results': 'state',
            },
            'step': {'arguments': ['weights', 'state', 'frame'], 'results': ['state', 'output']},
        },
        'arrays': {
            'weights': described(weights),
            'state': described(state),
            'frame': described(frame),
            'box': described(box),
            'extent': described(extent),
            'output': described(output),
        },
        'config': {name: kept[name] for name in ('model', 'track')},
    }

"""A network's weights and config, wherever they lie: a training run, a weights file, or what comes with the package."""

import functools
import json
import pathlib
import typing

import jax
import orbax.checkpoint as ocp

from sctrpn_jax import config as config_lib
from sctrpn_jax.weights import network_file, pretrained


def load_network(source: str | pathlib.Path | None) -> tuple[dict, config_lib.Config]:
    """Variables and config of a network.

    Args:
      source: `--workdir` of a training run (its best checkpoint, else its last), or one of the folders `checkpoints`
        and `best` inside it; a weights file (.npz); or the name of a pretrained network (None: the default one).

    Returns:
      What `track_sequence` takes.

    Raises:
      ValueError: no such folder, or no complete checkpoint in it.
    """
    if source is None or str(source) in pretrained.available():
        return pretrained.load_pretrained(str(source) if source else pretrained.DEFAULT)
    path = pathlib.Path(source).absolute()
    if path.suffix == '.npz':
        return network_file.read(path)
    for folder in (path / 'best', path / 'checkpoints', path):
        steps = [int(entry.name) for entry in folder.glob('*') if entry.name.isdigit()] if folder.is_dir() else []
        if not steps:
            continue
        config = read_run_config(folder, max(steps))
        with ocp.StandardCheckpointer() as checkpointer:
            # Arrays come back on this machine's first device, whatever machine saved them.
            metadata = checkpointer.metadata(folder / str(max(steps)) / 'state').item_metadata.tree
            target = jax.tree.map(functools.partial(_on, jax.sharding.SingleDeviceSharding(jax.devices()[0])), metadata)
            state = checkpointer.restore(folder / str(max(steps)) / 'state', target)
        return {'params': state['params'], 'batch_stats': state['batch_stats']}, config
    raise ValueError(
        f'{source}: no checkpoint here; give the --workdir of a training run (it holds best/ or checkpoints/), '
        f'a weights file (.npz) or one of the pretrained networks: {", ".join(pretrained.available()) or "none"}'
    )


def read_run_config(folder: pathlib.Path, step: int) -> config_lib.Config:
    """The config that a checkpoint of a run was made with.

    Args:
      folder: `checkpoints` or `best` of the run.
      step: the checkpoint's number.

    Raises:
      ValueError: it cannot be read, or another version wrote it.
    """
    path = folder / str(step) / 'config' / 'metadata'
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: not a config in JSON ({error})') from None
    return network_file.parse_config(content, str(folder / str(step)), 'start the run again in another --workdir')


def _on(sharding: jax.sharding.Sharding, leaf: typing.Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

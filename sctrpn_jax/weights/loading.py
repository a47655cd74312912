"""A network's weights and config, wherever they lie: a training run, a weights file, or what comes with the package."""

import pathlib

import jax
import orbax.checkpoint as ocp

from sctrpn_jax import bounded
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
        if steps := checkpoint_steps(folder):
            config = read_run_config(folder, max(steps))
            return _read_variables(folder / str(max(steps)), config), config
    raise ValueError(
        f'{source}: no checkpoint here; give the --workdir of a training run (it holds best/ or checkpoints/), '
        f'a weights file (.npz) or one of the pretrained networks: {", ".join(pretrained.available()) or "none"}'
    )


def checkpoint_steps(folder: pathlib.Path) -> list[int]:
    """Steps of the checkpoints in a folder; orbax gives one its name when all of it is written."""
    names = [entry.name for entry in folder.glob('*') if entry.is_dir()] if folder.is_dir() else []
    return [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 16]


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
        content = bounded.read_json(path, 'a config')
    except OSError as error:
        raise ValueError(f'{path}: not a config in JSON ({error})') from None
    return network_file.parse_config(content, str(folder / str(step)), 'start the run again in another --workdir')


def _read_variables(folder: pathlib.Path, config: config_lib.Config) -> dict:
    """The variables in a checkpoint, on this machine's first device, whatever machine saved them."""
    bounded.check_folder(folder)
    state = folder / 'state'
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            described = checkpointer.metadata(state).item_metadata
            if described is None:
                raise ValueError(f'{state}: its description cannot be read; the checkpoint is damaged')
            target = jax.tree.map(
                lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device), described.tree
            )
            variables = {name: target[name] for name in ('params', 'batch_stats')}
            bounded.check_fit(folder, network_file.by_name(variables), network_file.wanted_arrays(config))
            restored = checkpointer.restore(state, target)
    except Exception as error:  # damaged files raise a dozen kinds
        if isinstance(error, ValueError) and str(error).startswith(str(folder)):
            raise
        raise bounded.damaged(folder, 'a whole checkpoint', error) from error
    variables = {name: restored[name] for name in ('params', 'batch_stats')}
    bounded.check_finite(folder, network_file.by_name(variables))
    return variables

"""Checkpoints through orbax: state, data position and config; the last and the best are kept apart."""

import functools
import json
import pathlib
import typing

import jax
import orbax.checkpoint as ocp

from sctrpn_jax import config as config_lib
from sctrpn_jax.weights import network_file as weights_file
from sctrpn_jax.weights import pretrained


class CheckpointError(ValueError):
    """No checkpoint where one was asked for, or one of another config."""


class Checkpoints:
    """The checkpoints of a run: `checkpoints/<step>` (the last) and `best/<step>` in its work directory."""

    def __init__(self, workdir: str | pathlib.Path, folder: str = 'checkpoints'):
        self._path = pathlib.Path(workdir).absolute() / folder
        self._manager = ocp.CheckpointManager(self._path, options=ocp.CheckpointManagerOptions(max_to_keep=1))

    def latest_step(self) -> int | None:
        """Step of the newest complete checkpoint; one that a kill left half written does not count."""
        return self._manager.latest_step()

    def save(self, step: int, state: typing.Any, position: dict, config: config_lib.Config) -> None:
        """Writes a checkpoint in the background; the arrays are copied before this returns.

        Args:
          step: its number.
          state: pytree of arrays.
          position: of the data stream and the best score so far, JSON.
          config: the run's.
        """
        if step in self._manager.all_steps():
            return
        self._manager.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(state),
                position=ocp.args.JsonSave(position),
                config=ocp.args.JsonSave(config_lib.to_dict(config)),
            ),
        )

    def restore(self, state: typing.Any) -> tuple[typing.Any, dict]:
        """Newest checkpoint in the form of `state`.

        Returns:
          State and position as saved.

        Raises:
          CheckpointError: it does not have that form.
        """
        step = self.latest_step()
        target = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
        try:
            restored = self._manager.restore(
                step, args=ocp.args.Composite(state=ocp.args.StandardRestore(target), position=ocp.args.JsonRestore())
            )
        except (ValueError, KeyError) as error:
            first = str(error).strip().splitlines()[0]
            raise CheckpointError(f'{self._path / str(step)}: not a checkpoint of this config ({first})') from None
        return restored.state, restored.position

    def wait(self) -> None:
        """Blocks until what was saved is on disk."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits and frees the background threads."""
        self._manager.close()


def read_config(folder: pathlib.Path, step: int) -> config_lib.Config:
    """The config a checkpoint was made with."""
    return config_lib.from_dict(json.loads((folder / str(step) / 'config' / 'metadata').read_text()))


def load_variables(workdir: str | pathlib.Path | None) -> tuple[dict, config_lib.Config]:
    """Variables and config of a training run: its best checkpoint, else its last.

    Args:
      workdir: of `bin/train`, or one of the folders `checkpoints`, `best` inside it; a weights file (.npz); or the
        name of a pretrained network (None: the default one).

    Returns:
      What `track_sequence` takes.

    Raises:
      CheckpointError: no such folder, or no complete checkpoint in it.
    """
    if workdir is None or str(workdir) in pretrained.available():
        return pretrained.load_pretrained(str(workdir) if workdir else pretrained.DEFAULT)
    path = pathlib.Path(workdir).absolute()
    if path.suffix == '.npz':
        return weights_file.read(path)
    for folder in (path / 'best', path / 'checkpoints', path):
        steps = [int(entry.name) for entry in folder.glob('*') if entry.name.isdigit()] if folder.is_dir() else []
        if not steps:
            continue
        config = read_config(folder, max(steps))
        with ocp.StandardCheckpointer() as checkpointer:
            # Arrays come back on this machine's first device, whatever machine saved them.
            metadata = checkpointer.metadata(folder / str(max(steps)) / 'state').item_metadata.tree
            target = jax.tree.map(functools.partial(_on, jax.sharding.SingleDeviceSharding(jax.devices()[0])), metadata)
            state = checkpointer.restore(folder / str(max(steps)) / 'state', target)
        return {'params': state['params'], 'batch_stats': state['batch_stats']}, config
    raise CheckpointError(
        f'{workdir}: no checkpoint here; give the --workdir of a training run (it holds best/ or checkpoints/), '
        f'a weights file (.npz) or one of the pretrained networks: {", ".join(pretrained.available()) or "none"}'
    )


def _on(sharding: jax.sharding.Sharding, leaf: typing.Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)


def disagreement(saved: dict, wanted: dict, where: str = 'config') -> str | None:
    """First field in which two configs (`to_dict`'s form) differ, as a message; None where they agree."""
    for name in wanted:
        a, b = saved.get(name), wanted[name]
        if isinstance(b, dict) and isinstance(a, dict):
            if found := disagreement(a, b, f'{where}.{name}'):
                return found
        elif a != b:
            return f'{where}.{name} is {a!r} in the checkpoint and {b!r} now'
    return None

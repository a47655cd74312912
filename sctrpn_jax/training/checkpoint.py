"""Checkpoints through orbax: state, data position and config; the last and the best are kept apart."""

import contextlib
import math
import os
import pathlib
import re
import typing
from collections.abc import Iterator

import jax
import orbax.checkpoint as ocp

from sctrpn_jax import __version__, bounded, config_values
from sctrpn_jax import config as config_lib


class CheckpointError(ValueError):
    """No checkpoint where one was asked for, or one of another config."""


class Checkpoints:
    """The checkpoints of a run: `checkpoints/<step>` (the last) and `best/<step>` in its work directory.

    Raises:
      ValueError: something there is neither a file nor a folder.
    """

    def __init__(self, workdir: str | pathlib.Path, folder: str = 'checkpoints'):
        self._path = pathlib.Path(workdir).absolute() / folder
        bounded.check_folder(self._path)
        # Two folders may be written at once; their names keep the meetings of several processes apart.
        names = ocp.options.MultiprocessingOptions(barrier_sync_key_prefix=folder)
        self._manager = ocp.CheckpointManager(
            self._path, options=ocp.CheckpointManagerOptions(max_to_keep=1, multiprocessing_options=names)
        )

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

        Raises:
          OSError: this one, or the one before it, cannot be written.
        """
        if step in self._manager.all_steps():
            return
        with self._writing():
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    position=ocp.args.JsonSave(position),
                    config=ocp.args.JsonSave({'sctrpn_jax': __version__, 'config': config_values.to_dict(config)}),
                ),
            )

    def restore(self, state: typing.Any) -> tuple[typing.Any, dict]:
        """Newest checkpoint in the form of `state`.

        Returns:
          State and position as saved.

        Raises:
          CheckpointError: it does not have that form, is damaged, or holds numbers that are not finite.
        """
        folder = self._path / str(self.latest_step())
        target = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
        try:
            restored = self._manager.restore(
                self.latest_step(),
                args=ocp.args.Composite(state=ocp.args.StandardRestore(target), position=ocp.args.JsonRestore()),
            )
            score = restored.position['best_auc']
        except Exception as error:  # damaged files raise a dozen kinds
            first = (str(error).strip().splitlines() or [''])[0]
            raise CheckpointError(
                f'{folder}: damaged, or not a checkpoint of this config ({type(error).__name__}: {first[:120]})'
            ) from None
        if type(score) not in (int, float) or not math.isfinite(score):
            raise CheckpointError(f'{folder}: the best score so far is {score!r:.40}, expected a number')
        arrays = {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree.flatten_with_path(restored.state)[0]}
        bounded.check_finite(folder, arrays)
        return restored.state, restored.position

    def wait(self) -> None:
        """Blocks until what was saved is on disk; OSError where it cannot be written."""
        with self._writing():
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits and frees the background threads; OSError where what was saved cannot be written."""
        with self._writing():
            try:
                self._manager.wait_until_finished()
            finally:
                self._manager.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Orbax raises what its threads and libraries met, of many types and many lines."""
        try:
            yield
        except Exception as error:
            found = re.search(r"os_error_code='(\d+)'", str(error))  # in what tensorstore says
            code = int(found[1]) if found else getattr(error, 'errno', None)
            reason = os.strerror(code) if code else ' '.join(str(error).split())[:300]
            # Where several processes write, they wait for each other, and one that is gone is no error of the disk.
            kind = ConnectionError if code is None and jax.process_count() > 1 else OSError
            raise kind(
                f'{self._path}: a checkpoint cannot be written: {reason}; the same command goes on from the last one '
                'that is whole'
            ) from error


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

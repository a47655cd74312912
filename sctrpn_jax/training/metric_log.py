"""Where training writes its numbers: metrics.jsonl always, TensorBoard where tensorboardX is installed."""

import json
import pathlib
import typing

from sctrpn_jax.system import files


class MetricWriter:
    """Appends one JSON object per call; on restart, lines from after the restored step are dropped first.

    Attributes:
      validated: last step with a validation, 0 before the first.
    """

    def __init__(self, workdir: str | pathlib.Path, first_step: int = 0):
        self.path = pathlib.Path(workdir) / 'metrics.jsonl'
        kept = [line for line in read_metrics(self.path) if line['step'] <= first_step]
        self.validated = max((line['step'] for line in kept if _is_validation(line)), default=0)
        files.write_text(self.path, ''.join(json.dumps(line) + '\n' for line in kept))
        self._file = self.path.open('a')
        try:
            import tensorboardX
        except ImportError:
            self._board = None
        else:
            self._board = tensorboardX.SummaryWriter(str(pathlib.Path(workdir) / 'tensorboard'))

    def write(self, step: int, values: dict[str, float]) -> None:
        """Adds numbers under a step."""
        if _is_validation(values):
            self.validated = step
        self._file.write(json.dumps({'step': step} | values) + '\n')
        self._file.flush()
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Ends the files."""
        self._file.close()
        if self._board:
            self._board.close()


def _is_validation(values: dict[str, typing.Any]) -> bool:
    return any(name.startswith('validation/') for name in values)


def read_metrics(path: str | pathlib.Path) -> list[dict[str, typing.Any]]:
    """Lines of a metrics.jsonl; a last line that a kill cut short is left out."""
    path = pathlib.Path(path)
    lines = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines

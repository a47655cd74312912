"""Where training writes its numbers: metrics.jsonl always, TensorBoard where tensorboardX is installed."""

import json
import pathlib
import typing

from sctrpn_jax import bounded


class MetricWriter:
    """Appends one JSON object a call; on restart, lines from after the restored step are dropped first."""

    def __init__(self, workdir: str | pathlib.Path, first_step: int = 0):
        self.path = pathlib.Path(workdir) / 'metrics.jsonl'
        kept = [line for line in read_metrics(self.path) if line['step'] <= first_step]
        temporary = self.path.with_suffix('.tmp')
        temporary.write_text(''.join(json.dumps(line) + '\n' for line in kept))
        temporary.replace(self.path)
        self._file = self.path.open('a')
        try:
            import tensorboardX
        except ImportError:
            self._board = None
        else:
            self._board = tensorboardX.SummaryWriter(str(pathlib.Path(workdir) / 'tensorboard'))

    def write(self, step: int, values: dict[str, float]) -> None:
        """Adds numbers under a step."""
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


def read_metrics(path: str | pathlib.Path) -> list[dict[str, typing.Any]]:
    """Lines of a metrics.jsonl, each with its `step`; a last line that a kill cut short is left out.

    Raises:
      ValueError: another line is damaged; the message has the file and the line.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return []
    texts = bounded.read_bytes(path, bounded.TEXT_BYTES).decode(errors='replace').splitlines()
    lines = []
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
            good = isinstance(line, dict) and type(line.get('step')) is int
            good = good and all(type(value) in (int, float) for value in line.values())
        except (ValueError, RecursionError):
            good = False
        if good:
            lines.append(line)
        elif number < len(texts):
            raise ValueError(f'{path}:{number}: got {text[:80]!r}, expected the numbers of a step; delete that line')
    return lines

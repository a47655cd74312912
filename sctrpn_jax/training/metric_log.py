"""Where training writes its numbers: metrics.jsonl always, TensorBoard where tensorboardX is installed."""

import contextlib
import json
import pathlib
import time
import typing

from sctrpn_jax import bounded
from sctrpn_jax.system import files


class MetricWriter:
    """Appends one JSON object per call; on restart, lines from after the restored step are dropped first.

    Args:
      workdir: of the run.
      first_step: that the run goes on from.
      writes: False: nothing is written; of several processes one writes.

    Attributes:
      validated: last step with a validation, 0 before the first.
    """

    def __init__(self, workdir: str | pathlib.Path, first_step: int = 0, writes: bool = True):
        self.path = pathlib.Path(workdir) / 'metrics.jsonl'
        kept = [line for line in read_metrics(self.path) if line['step'] <= first_step]
        self.validated = max((line['step'] for line in kept if _is_validation(line)), default=0)
        self._writes, self._board = writes, None
        if writes:
            files.write_text(self.path, ''.join(json.dumps(line) + '\n' for line in kept))
            self._board = _Board.open(self.path.with_name('tensorboard'))

    def write(self, step: int, values: dict[str, float]) -> None:
        """Adds numbers under a step; OSError where they cannot be written."""
        if self._writes:
            with files.named(self.path), self.path.open('a') as file:
                file.write(json.dumps({'step': step} | values) + '\n')
        if self._board:
            self._board.write(step, values)
        if _is_validation(values):
            self.validated = step

    def close(self) -> None:
        """Ends the files."""
        if self._board:
            self._board.close()


class _Board:
    """Event files of TensorBoard, written at once: the thread of tensorboardX's SummaryWriter dies on a full disk."""

    @classmethod
    def open(cls, folder: pathlib.Path) -> '_Board | None':
        """None where tensorboardX is not installed."""
        try:
            from tensorboardX import event_file_writer
        except ImportError:
            return None
        folder.mkdir(exist_ok=True)
        return cls(folder, event_file_writer.EventsWriter(str(folder / 'events')))

    def __init__(self, folder: pathlib.Path, events: typing.Any):
        self._folder, self._events = folder, events

    def write(self, step: int, values: dict[str, float]) -> None:
        from tensorboardX import summary
        from tensorboardX.proto import event_pb2

        with files.named(self._folder):
            for name, value in values.items():
                scalar = summary.scalar(name, value)
                self._events.write_event(event_pb2.Event(step=step, wall_time=time.time(), summary=scalar))
            self._events.flush()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # of numbers that could not be written, which was told
            self._events.close()


def _is_validation(values: dict[str, typing.Any]) -> bool:
    return any(name.startswith('validation/') for name in values)


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

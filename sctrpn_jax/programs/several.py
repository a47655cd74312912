"""A program that is started several times, on one machine or many, to share the work: which of the processes is this?

Flags say so, or Slurm: `srun` starts a program as many times as there are tasks, and numbers them.
"""

import argparse
import dataclasses
import os

from sctrpn_jax.programs import arguments

AUTO = 'auto'  # JAX asks the cluster
# What srun sets for each of the tasks that it starts; a batch script outside srun does not have the first.
_SLURM = ('SLURM_STEP_NODELIST', 'SLURM_NTASKS', 'SLURM_PROCID')


@dataclasses.dataclass(frozen=True)
class Place:
    """Which of several processes this is.

    Attributes:
      coordinator: HOST:PORT of process 0; None: JAX finds it.
      count: of the processes; None: JAX finds it.
      index: of this one, from 0; None: JAX finds it.
    """

    coordinator: str | None
    count: int | None
    index: int | None

    def __str__(self) -> str:
        return 'this process' if self.index is None else f'process {self.index} of {self.count}'


def add_arguments(parser: arguments.Parser) -> None:
    """Adds `--coordinator`, `--processes` and `--process`."""
    parser.add_argument(
        '--coordinator',
        metavar='HOST:PORT',
        type=_address,
        help='To train on several processes: where process 0 listens, the same for all. auto: as JAX finds it (Open '
        'MPI, Kubernetes, Cloud TPU). Slurm needs no flag.',
    )
    parser.add_argument('--processes', type=arguments.whole_number(1), help='How many processes train together.')
    parser.add_argument('--process', type=arguments.whole_number(0), help='Which of them this is, from 0.')


def of_training(args: argparse.Namespace) -> Place | None:
    """What the flags or Slurm say; None: one process trains alone.

    Raises:
      ValueError: flags that do not go together.
    """
    numbers = args.processes, args.process
    if args.coordinator is None and numbers == (None, None):
        found = slurm()
        return None if found is None else Place(None, *found)
    if args.coordinator == AUTO and numbers == (None, None):
        return Place(None, None, None)
    if args.coordinator in (None, AUTO) or None in numbers:
        raise ValueError(
            'several processes: give --coordinator=HOST:PORT, --processes=N and --process=I (0 to N-1) together, or '
            '--coordinator=auto alone'
        )
    check_index(*numbers)
    return None if args.processes == 1 else Place(args.coordinator, *numbers)


def of_shares(args: argparse.Namespace) -> tuple[int, int | None]:
    """(processes, process) as `--processes` and `--process` or Slurm say; (1, None): one does all.

    Raises:
      ValueError: flags that do not go together, or processes of both kinds.
    """
    found = slurm()
    if args.process is None and found:
        if args.processes is not None:
            raise ValueError(f'srun has started {found[0]} processes, which share the work; leave out --processes')
        return found
    if args.process is not None:
        if args.processes is None:
            raise ValueError('--process says which of several processes this is; give --processes too')
        check_index(args.processes, args.process)
    return args.processes or 1, args.process


def check_index(count: int, index: int) -> None:
    """Raises ValueError where there is no process of that number."""
    if index >= count:
        raise ValueError(f'--process: got {index} of {count} processes; accepted are 0 to {count - 1}')


def slurm() -> tuple[int, int] | None:
    """(count, index) of the tasks that `srun` has started together; None: it has started one, or none.

    Raises:
      ValueError: variables that are not numbers.
    """
    if not all(name in os.environ for name in _SLURM):
        return None
    numbers = [os.environ[name] for name in _SLURM[1:]]
    try:
        count, index = map(int, numbers)
    except ValueError:
        raise ValueError(f'Slurm: {" and ".join(_SLURM[1:])} are {" and ".join(numbers)}; expected numbers') from None
    return (count, index) if count > 1 else None


def _address(text: str) -> str:
    host, _, port = text.rpartition(':')
    if text != AUTO and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise argparse.ArgumentTypeError(f'got {text!r}; accepted is HOST:PORT with a port from 1 to 65535, or {AUTO}')
    return text

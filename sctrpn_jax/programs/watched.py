"""One process of several that train together: a worker, and a parent that watches it.

JAX ends a process that has lost the others on the spot, in C++, so that Python cannot say anything. The parent does.
"""

import logging
import multiprocessing
import os
import shlex
import signal
import sys
import time
import traceback

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import process_pool
from sctrpn_jax.programs import arguments, several, startup
from sctrpn_jax.system import interrupts

FAILED = 1  # exit code
_WATCH_SECONDS = 0.5
# Between the message of a process that has to end and its end, which makes JAX end the others: time for theirs.
_SPEAK_SECONDS = 2.0


def train(place: several.Place, config: config_lib.Config, workdir: str) -> int:
    """Trains as one of several processes.

    Args:
      place: which of them.
      config: the run's.
      workdir: of the run, on a file system that all processes share.

    Returns:
      The exit code: 0; 2 for bad input; 1 where this process failed or lost the others, with a line that says how to
      go on.

    Raises:
      Interrupted: a signal came to this process or to another, and the state is saved.
    """
    worker = multiprocessing.get_context('spawn').Process(target=_work, args=(place, config, workdir, os.getpid()))
    told = False
    with interrupts.deferred():  # a second signal ends both
        worker.start()
        while worker.is_alive():
            worker.join(_WATCH_SECONDS)
            if interrupts.noted() and not told:
                worker.terminate()
                told = True
    code = worker.exitcode or 0
    if code == 128 + signal.SIGTERM:
        raise interrupts.Interrupted(signal.SIGTERM)
    if code in (0, arguments.BAD_INPUT):
        return code
    how = f'signal {-code}' if code < 0 else f'exit code {code}'
    print(
        f'train: {place} stopped ({how}): it failed, or the others did not come, ended, or cannot be reached. '
        f'Everything up to the last checkpoint in {workdir} is saved; the same command in all processes goes on, with '
        f'fewer of them too: {shlex.join(sys.argv)}',
        file=sys.stderr,
    )
    return FAILED


def _work(place: several.Place, config: config_lib.Config, workdir: str, parent: int) -> None:
    startup.begin(network=False)  # the parent has the memory settings
    process_pool.start_worker(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until JAX takes it, there is nothing to save
    code = FAILED
    try:
        _train(place, config, workdir)
        return
    except interrupts.Interrupted as interrupt:
        code = interrupt.exit_code
    except ConnectionError as error:
        arguments.fail('train', f'{place}: {error}')
    except (ValueError, OSError, ArithmeticError) as error:
        code = arguments.fail('train', f'{place}: {error}')
        time.sleep(_SPEAK_SECONDS)
    except Exception:
        traceback.print_exc()
    for child in multiprocessing.active_children():
        child.kill()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # an ordinary end would wait for the others, who may be gone


def _train(place: several.Place, config: config_lib.Config, workdir: str) -> None:
    from sctrpn_jax.training import loop, processes

    processes.join(place.coordinator, place.count, place.index)
    import jax

    if jax.process_index():
        logging.getLogger('sctrpn_jax').setLevel(logging.WARNING)  # the first one tells of the progress
    try:
        loop.train_and_evaluate(config, workdir)
        processes.leave()
    except jax.errors.JaxRuntimeError as error:  # as a rule: another process has closed its connection
        raise ConnectionError(str(error).splitlines()[0]) from None

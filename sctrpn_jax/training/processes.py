"""Several processes, on one machine or many, that train one network together on `jax.distributed`.

Each has its part of every global batch, and all hold the same state. They need each other in every step, which adds up
gradients over all of them. On a CPU gloo does that, and it gives up on a process that it waits for longer than 30 s. So
where one may be much later than the others (it compiles, reads data or validates), all wait for each other at the
coordination service first, which gives up on nobody but the dead.
"""

import contextlib
import hashlib
import json
import signal
import socket
import typing

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils

from sctrpn_jax.system import interrupts

JOIN_SECONDS = 300  # for all processes to be there
# A process that has shown no sign of life for so long is taken for dead. JAX's default is 100 s. The signs come from a
# thread of their own, so a process that computes or compiles shows them too.
HEARTBEAT_SECONDS = 15
_MEET_MILLISECONDS = 24 * 3600 * 1000  # longer than anything that one process does without the others


def join(coordinator: str | None, count: int | None, index: int | None) -> None:
    """Joins the processes of a run; call it before anything that asks JAX for its devices.

    From then on SIGTERM is JAX's own: it is a notice to all processes that one of them has to end, see
    `check_interrupts`.

    Args:
      coordinator: HOST:PORT at which process 0 will listen; None: as JAX finds it in the cluster's environment.
      count: of all processes; None: as JAX finds it.
      index: of this process, from 0; None: as JAX finds it.

    Raises:
      ValueError: the address cannot be used, or the environment does not say. (If not all come, JAX ends the process.)
    """
    try:
        if coordinator and index == 0:
            socket.create_server(('', int(coordinator.rpartition(':')[2]))).close()  # JAX would crash
        jax.distributed.initialize(
            coordinator,
            count,
            index,
            initialization_timeout=JOIN_SECONDS,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )
    except (ValueError, OSError, RuntimeError) as error:
        raise ValueError(
            f'cannot join the other processes at {coordinator or "an address from the environment"}: {error}'
        ) from None


def leave() -> None:
    """Ends the connection when all are done; nothing where there is one process."""
    meet('done')  # in any time, while `shutdown` waits for minutes and then ends the process
    jax.distributed.shutdown()


def meet(where: str) -> None:
    """Waits until every process has called this with the same words; each call needs words of its own."""
    if jax.process_count() > 1:
        ocp.multihost.get_barrier_sync_fn()(key=f'sctrpn_jax: {where}', timeout_ms=_MEET_MILLISECONDS)


def of_first(tree: typing.Any, where: str) -> typing.Any:
    """Process 0's arrays or numbers, in every process.

    Args:
      tree: of the same form in every process.
      where: words of its own, see `meet`.

    Returns:
      The tree itself where there is one process, else one of NumPy arrays.
    """
    meet(where)
    return multihost_utils.broadcast_one_to_all(tree)


def check_same(what: str, content: dict) -> None:
    """Refuses processes that were given different things.

    Args:
      what: name of it.
      content: JSON-ready.

    Raises:
      ValueError: in every process.
    """
    digest = np.frombuffer(hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest(), np.uint8)
    meet(what)
    try:
        multihost_utils.assert_equal(digest)
    except AssertionError:
        raise ValueError(f'the processes have different {what}; give all of them the same') from None


def put(tree: typing.Any, sharding: jax.sharding.Sharding) -> typing.Any:
    """Arrays of all processes from what each has: its part, or the whole where the sharding is replicated."""
    return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), tree)


def local(tree: typing.Any) -> typing.Any:
    """Replicated arrays as arrays of this process's first device alone; NumPy's stay as they are."""
    return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)


def devices() -> list[jax.Device]:
    """All devices, those of process 0 first, so that process i of n has the i-th n-th part of a batch.

    Raises:
      ValueError: processes with different numbers of devices.
    """
    found = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    counts = np.bincount([device.process_index for device in found]).tolist()
    if len(set(counts)) > 1:
        raise ValueError(f'the processes have {", ".join(map(str, counts))} devices; all must have as many')
    return found


def deferred() -> contextlib.AbstractContextManager[None]:
    """`interrupts.deferred` where there is one process; of several, JAX notes the signals."""
    return interrupts.deferred() if jax.process_count() == 1 else contextlib.nullcontext()


def check_interrupts(step: int) -> None:
    """Raises `interrupts.Interrupted` where a signal came: with several processes to any of them, and then in all.

    Args:
      step: number of the step that comes next; every process asks before every step, and all stop before the same.
    """
    interrupts.check()
    if multihost_utils.reached_preemption_sync_point(step):
        raise interrupts.Interrupted(signal.SIGTERM)

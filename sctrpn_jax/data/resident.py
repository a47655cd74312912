"""Resident: every patch of a mixture lies on the device, and pairs are chosen and gathered there.

For accelerators, which would wait for a host that reads and cuts. The pairs are those of the streaming pipeline at the
same positions; their patches differ by rounding only. Needs no Grain.
"""

import concurrent.futures
import logging
import os
import time
from collections.abc import Iterator

import chex
import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from sctrpn_jax.data import mixture as mixture_lib
from sctrpn_jax.data import pairs, patches

_log = logging.getLogger(__name__)

_LEAST_READABLE = 0.8
_SHARE = 0.8  # of the device's memory


@struct.dataclass
class Store:
    """The patches of N rows.

    Attributes:
      patches: [N, S, S, 3] uint8 RGB, the target's centre in the middle (`patches.cut_patch`).
      sizes: [N, 2] float32 (w, h) of the targets, patch pixels.
      readable: [N] bool.
      index: of the mixture.
    """

    patches: chex.Array
    sizes: chex.Array
    readable: chex.Array
    index: pairs.PairIndex


def bytes_needed(mixture: mixture_lib.Mixture, side: int) -> int:
    """Bytes of the patches of a mixture, side x side pixels each."""
    return sum(len(source.frame) for source in mixture.sources) * side * side * 3


def bytes_allowed(device: jax.Device) -> int:
    """Bytes of a device's memory that patches may take: the rest is for the network and its training."""
    memory = (device.memory_stats() or {}).get('bytes_limit')
    if memory is None:  # a CPU has the machine's
        memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return int(_SHARE * memory)


def read_store(mixture: mixture_lib.Mixture, side: int, limit: int) -> Store:
    """Reads and cuts every row, with a thread per core.

    Args:
      mixture: to read.
      side: of the patches, pixels.
      limit: bytes that the patches may take.

    Returns:
      Store of NumPy arrays. Rows that cannot be read are logged by name and not readable.

    Raises:
      ValueError: more bytes than the limit, or nothing can be read.
    """
    needed = bytes_needed(mixture, side)
    if needed > limit:
        raise ValueError(
            f'data.feeding=resident needs {needed / 2**30:.1f} GiB for patches of {side} pixels, and '
            f'{limit / 2**30:.1f} GiB of the device may be taken; give fewer data.sources, or data.feeding=streaming'
        )
    index = mixture.index()
    count = len(index.image)
    stored = np.zeros((count, side, side, 3), np.uint8)
    sizes, readable = np.ones((count, 2), np.float32), np.zeros(count, bool)
    refused = []

    def read(row):
        source, local = mixture.locate(row)
        try:
            stored[row], box = patches.cut_patch(*source.read(local), side)
        except ValueError as error:
            refused.append(str(error))
        else:
            sizes[row], readable[row] = box[2:], True

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(read, range(count)):
            pass
    for message in sorted(set(refused)):
        _log.warning('refused, no pair has it: %s', message)
    # Below this share sixteen draws in a row might miss, and `sample` cannot stop a step to say so.
    if readable.mean() < _LEAST_READABLE:
        raise ValueError(f'{count - readable.sum()} of {count} rows cannot be read; the first: {min(refused)}')
    _log.info(
        '%d patches of %d pixels, %.1f GiB, read in %.0f s', count, side, needed / 2**30, time.monotonic() - start
    )
    return Store(stored, sizes, readable, index)


def sample(
    store: Store,
    seed: chex.Array,
    positions: chex.Array,
    *,
    template_patch: int,
    negative_share: float = 0.05,
    mirror_share: float = 0.0,
) -> dict[str, chex.Array]:
    """The pairs at some positions, as `pipeline.make_dataset` gives them.

    Args:
      store: of `read_store`, on the device.
      seed: [] uint32.
      positions: [B] uint32.
      template_patch: side of the template patch, pixels; odd as the stored patches' side.
      negative_share: as `pairs.draw_pair` takes it.
      mirror_share: as `pairs.draw_pair` takes it.

    Returns:
      Dict of the arrays that `pipeline.make_dataset` names.
    """
    store = jax.tree.map(jnp.asarray, store)

    def choose(position):
        def draw(attempt):
            choice = pairs.draw_pair(
                store.index, seed, position, attempt, negative_share=negative_share, mirror_share=mirror_share
            )
            return attempt, choice

        def unreadable(state):
            attempt, choice = state
            good = store.readable[choice.template] & store.readable[choice.search]
            return ~good & (attempt < pairs.MAX_ATTEMPTS - 1)

        return jax.lax.while_loop(unreadable, lambda state: draw(state[0] + 1), draw(jnp.int32(0)))[1]

    choice = jax.vmap(choose)(positions)
    side = store.patches.shape[1]
    skip = (side - template_patch) // 2

    def box(rows, size):
        centre = jnp.full((len(positions), 2), size / 2, jnp.float32)
        return jnp.concatenate([centre, store.sizes[rows]], axis=1)

    return {
        'template': store.patches[choice.template, skip : skip + template_patch, skip : skip + template_patch],
        'search': store.patches[choice.search],
        'template_box': box(choice.template, template_patch),
        'search_box': box(choice.search, side),
        'positive': choice.positive,
        'mirrored': choice.mirrored,
        'position': positions,
    }


def positions(
    batch_size: int, first_batch: int, process_index: int = 0, process_count: int = 1
) -> Iterator[np.ndarray]:
    """[batch_size / process_count] uint32 positions of this host's part of each global batch, endless."""
    local = batch_size // process_count
    start = first_batch * batch_size + process_index * local
    while True:
        yield np.arange(start, start + local).astype(np.uint32)
        start += batch_size

"""Streaming: from a mixture of sources to batches of patches, read and cut on the host by Grain.

The stream is endless and a function of the seed alone: it does not depend on the number of hosts, workers or threads.
"""

import functools
import logging
import os
import threading
from dataclasses import dataclass, field

import grain
import jax
import numpy as np
from absl import flags  # of grain

from sctrpn_jax.data import mixture as mixture_lib
from sctrpn_jax.data import pairs, patches, process_pool

_log = logging.getLogger(__name__)

LENGTH = 2**32  # positions are uint32

_LOG_LOCK = threading.Lock()
_BLOCK = 256  # positions drawn at a time: a call into JAX costs as much as half an image
_KEPT_BLOCKS = 64


@functools.partial(jax.jit, static_argnames=('negative_share', 'mirror_share'))
def _draw_pairs(index, seed, positions, attempt, **shares):
    draw = functools.partial(pairs.draw_pair, **shares)
    return jax.vmap(draw, in_axes=(None, None, 0, None))(index, seed, positions, attempt)


@dataclass
class MakeRecord:
    """Makes the record of an index on this host; the pair depends on (seed, global position) alone.

    Attributes:
      mixture: to draw from.
      seed: not negative.
      shares: negative_share and mirror_share, as `pairs.draw_pair` takes them.
      template_patch, search_patch: sides, pixels.
      batch_size: pairs of a global batch; host p of n holds the p-th n-th part of each.
    """

    mixture: mixture_lib.Mixture
    seed: int
    shares: dict[str, float]
    template_patch: int
    search_patch: int
    batch_size: int
    process_index: int = 0
    process_count: int = 1
    refused: set[str] = field(default_factory=set)  # what was named in the log already, in this process

    def __post_init__(self):
        self._index, self._device = self.mixture.index(), None
        self._blocks: dict[tuple[int, int], pairs.PairChoice] = {}

    def __getstate__(self):
        return self.__dict__ | {
            '_device': None,
            '_blocks': {},
        }  # arrays of one process's device do not travel to a worker

    def choose(self, position: int, attempt: int) -> pairs.PairChoice:
        """The pair at a global position, NumPy scalars."""
        block, place = divmod(position, _BLOCK)
        if (choices := self._blocks.get((block, attempt))) is None:
            choices = self._draw(block, attempt)
            if len(self._blocks) >= _KEPT_BLOCKS:
                self._blocks = {}
            self._blocks[block, attempt] = choices
        return jax.tree.map(lambda leaf: leaf[place], choices)

    def _draw(self, block: int, attempt: int) -> pairs.PairChoice:
        if self._device is None:
            self._device = jax.local_devices(backend='cpu')[0]
            self._index = jax.device_put(self._index, self._device)
        positions = (block * _BLOCK + np.arange(_BLOCK)).astype(np.uint32)
        with jax.default_device(self._device):
            choices = _draw_pairs(self._index, np.uint32(self.seed), positions, np.int32(attempt), **self.shares)
        return jax.tree.map(np.asarray, choices)

    def __call__(self, index: int) -> dict[str, np.ndarray]:
        """The record of the index-th pair of this host; ValueError where MAX_ATTEMPTS draws cannot be read."""
        local = self.batch_size // self.process_count
        position = index // local * self.batch_size + self.process_index * local + index % local
        for attempt in range(pairs.MAX_ATTEMPTS):
            choice = self.choose(position, attempt)
            try:
                return self._record(choice, position)
            except ValueError as error:
                with _LOG_LOCK:  # grain reads with several threads
                    if str(error) not in self.refused:
                        self.refused.add(str(error))
                        _log.warning('refused, another pair takes its place: %s', error)
                last = error
        raise ValueError(f'no readable pair at position {position} in {pairs.MAX_ATTEMPTS} draws; the last: {last}')

    def _record(self, choice: pairs.PairChoice, position: int) -> dict[str, np.ndarray]:
        template_image, template_box = self._read(int(choice.template))
        same = choice.search == choice.template
        search_image, search_box = (template_image, template_box) if same else self._read(int(choice.search))
        template, template_box = patches.cut_patch(template_image, template_box, self.template_patch)
        search, search_box = patches.cut_patch(search_image, search_box, self.search_patch)
        return {
            'template': template,
            'search': search,
            'template_box': template_box,
            'search_box': search_box,
            'positive': np.bool_(choice.positive),
            'mirrored': np.bool_(choice.mirrored),
            'position': np.uint32(position),
        }

    def _read(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        source, row = self.mixture.locate(row)
        return source.read(row)


def _start_worker(parent: int, worker_index: int, worker_count: int) -> None:
    process_pool.start_worker(parent)
    jax.config.update('jax_platforms', 'cpu')  # an accelerator belongs to the training process


def make_dataset(
    mixture: mixture_lib.Mixture,
    *,
    template_patch: int,
    search_patch: int,
    batch_size: int,
    num_workers: int = 0,
    seed: int = 0,
    negative_share: float = 0.05,
    mirror_share: float = 0.0,
    process_index: int = 0,
    process_count: int = 1,
    first_batch: int = 0,
) -> grain.IterDataset:
    """The endless stream of batches; its iterators have `get_state` and `set_state`, which resume exactly.

    Args:
      mixture: to draw from.
      template_patch: side of the template patch (`patches.patch_size`), pixels.
      search_patch: side of the search patch, pixels.
      batch_size: pairs of a global batch.
      num_workers: worker processes; a state is good for the same number only. 0: threads of this process.
      seed: not negative.
      negative_share: as `pairs.draw_pair` takes it.
      mirror_share: as `pairs.draw_pair` takes it.
      process_index: this host among all.
      process_count: all hosts; their batches one after the other are the global batch.
      first_batch: batches left out at the start: where a restart goes on, with any number of workers.

    Returns:
      Dataset of dicts of numpy arrays, B = batch_size / process_count:
        template [B, T, T, 3] and search [B, S, S, 3] uint8 RGB patches,
        template_box and search_box [B, 4] float32 cxcywh, patch pixels,
        positive [B] and mirrored [B] bool, position [B] uint32.

    Raises:
      ValueError: batch_size cannot be split among the hosts.
    """
    if batch_size < 1 or batch_size % process_count:
        raise ValueError(f'batch_size is {batch_size}; expected a positive multiple of {process_count} processes')
    make_record = MakeRecord(
        mixture,
        seed,
        {'negative_share': negative_share, 'mirror_share': mirror_share},
        template_patch,
        search_patch,
        batch_size,
        process_index,
        process_count,
    )
    local = batch_size // process_count
    records = grain.MapDataset.range(first_batch * local, LENGTH // batch_size * local).map(make_record)
    threads = 1 if num_workers else min(16, os.cpu_count() or 1)
    # The buffer holds whole batches of tens of megabytes, so it is short.
    reading = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads + 1)
    batches = records.batch(local, drop_remainder=True).to_iter_dataset(reading)
    if num_workers:
        # grain's worker processes read flags of absl, which only programs that are made with absl parse.
        if not flags.FLAGS.is_parsed():
            flags.FLAGS.mark_as_parsed()
        batches = batches.mp_prefetch(
            grain.MultiprocessingOptions(num_workers=num_workers), functools.partial(_start_worker, os.getpid())
        )
    return batches

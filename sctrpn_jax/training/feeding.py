"""What a training step is fed with: batches of patches from the host, or positions whose patches lie on the device."""

import typing
from collections.abc import Callable, Iterator

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import augment, patches
from sctrpn_jax.data import mixture as mixture_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.training import processes


class Feeding(typing.NamedTuple):
    """An endless stream of training data.

    Attributes:
      batches: what the step takes, sharded over the devices.
      expand: traced inside the step: what `batches` gives -> the dict of arrays that `pipeline.make_dataset` names.
      close: ends threads and processes.
    """

    batches: Iterator[typing.Any]
    expand: Callable[[typing.Any], dict]
    close: Callable[[], None]


def patch_sizes(config: config_lib.Config) -> tuple[int, int]:
    """Sides of the template and search patches that the augmentation cuts its crops from, pixels."""
    a = config.augment
    template = patches.patch_size(grid.TEMPLATE_SIZE, augment.TEMPLATE_SHIFT, augment.TEMPLATE_SCALE)
    return template, patches.patch_size(config.model.search_size, a.search_shift, a.search_scale, a.zoom)


def make_feeding(
    config: config_lib.Config,
    first_batch: int,
    by_batch: jax.sharding.Sharding,
    replicated: jax.sharding.Sharding,
) -> Feeding:
    """The stream of a config (`data.feeding`); both kinds give the same pairs at the same positions.

    Args:
      config: the run's.
      first_batch: batches left out at the start.
      by_batch: sharding of an array whose first axis is the batch.
      replicated: sharding of what every device holds.

    Raises:
      ValueError: data that is not there, or too large to be resident.
    """
    d = config.data
    mixture = mixture_lib.make_mixture(d)
    template_patch, search_patch = patch_sizes(config)
    shares: dict[str, typing.Any] = {'negative_share': d.negative_share, 'mirror_share': d.mirror_share}
    hosts: dict[str, typing.Any] = {'process_index': jax.process_index(), 'process_count': jax.process_count()}

    def put(batch):
        return processes.put(batch, by_batch)

    # Each kind is imported where it is chosen: the machine of a resident run may have no Grain.
    if d.feeding == 'resident':
        from sctrpn_jax.data import resident

        store = resident.read_store(mixture, search_patch, resident.bytes_allowed(jax.local_devices()[0]))
        store = processes.put(store, replicated)
        rows = resident.positions(config.train.batch_size, first_batch, **hosts)
        return Feeding(
            ((store, put(positions)) for positions in rows),
            lambda batch: resident.sample(
                batch[0], np.uint32(config.seed), batch[1], template_patch=template_patch, **shares
            ),
            lambda: None,
        )
    try:
        from sctrpn_jax.data import pipeline
    except ImportError as error:
        raise ValueError(f'data.feeding=streaming needs grain ({error}); install it, or take resident') from error
    iterator = iter(
        pipeline.make_dataset(
            mixture,
            template_patch=template_patch,
            search_patch=search_patch,
            batch_size=config.train.batch_size,
            num_workers=d.num_workers,
            seed=config.seed,
            first_batch=first_batch,
            **shares,
            **hosts,
        )
    )
    return Feeding(map(put, iterator), lambda batch: batch, iterator.close)

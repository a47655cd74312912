"""How fast training runs: one step alone and one with its data, with the backbone frozen and trained."""

import time

import jax
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.speed import machine, timing
from sctrpn_jax.training import feeding
from sctrpn_jax.training import train_state as state_lib
from sctrpn_jax.training import train_step as step_lib


def measure(config: config_lib.Config, seconds: float) -> dict:
    """Everything that `sctrpn benchmark train` prints.

    Args:
      config: the run's: batch size, crops, way of feeding.
      seconds: for each measurement.

    Returns:
      Nested dict of numbers: `frozen` (heads and FEMs alone learn) and `end_to_end`, each with the time of compiling,
      of a step whose batch is there already, pairs per second with and without the feeding, FLOPs and memory.

    Raises:
      ValueError: data that is not there.
    """
    sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    feed = feeding.make_feeding(config, 0, sharding, sharding)
    size = config.train.batch_size
    result = {'batch': size, 'feeding': config.data.feeding, 'peak': machine.peaks(seconds / 4)}
    try:
        train_step = step_lib.make_train_step(config, feed.expand)
        for name, layers in (('frozen', ()), ('end_to_end', (1, 2, 3, 4, 5))):
            result[name] = _phase(train_step, config, feed, layers, size, seconds)
            if 'gflops' in result[name]:
                rate = result[name]['gflops'] * result[name]['fed_pairs_per_second'] / size
                result[name] |= {'gflops_per_second': rate}
    finally:
        feed.close()
    result['rss_mib'] = timing.resident_mib()
    return result


def _phase(train_step, config, feed, layers: tuple[int, ...], size: int, seconds: float) -> dict:
    state = state_lib.create_train_state(config)
    batch = next(feed.batches)
    start = time.perf_counter()
    compiled = train_step.lower(state, batch, layers=layers, running_norms=False).compile()
    result = {'compile_s': time.perf_counter() - start} | machine.cost(compiled)

    def fed(_, same=None):
        nonlocal state
        state, metrics = compiled(state, batch if same else next(feed.batches))
        jax.block_until_ready(metrics)

    times = timing.seconds_of(lambda i: fed(i, same=True), seconds, warm_up=1)
    result |= {'pairs_per_second': size / float(np.median(times))} | timing.summary(times)
    times = timing.seconds_of(fed, seconds, warm_up=1)
    # The mean: a stream that stalls now and then shows in it.
    return result | {'fed_pairs_per_second': size / float(np.mean(times))}

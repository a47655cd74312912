"""What this machine can do at best, measured beside everything else: the largest matrix product and copy rates."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.speed import timing

# Large enough for full rate, small enough for a fraction of a second.
_SIDE = {'cpu': 2048}
_LARGE_SIDE = 8192
_COPIED = {'cpu': 2**27}  # bytes
_LARGE_COPIED = 2**31


def peaks(seconds: float) -> dict:
    """Rates of the first device.

    Args:
      seconds: for each measurement.

    Returns:
      `matmul_gflops` by precision (on a GPU float32, tf32 and bfloat16; on a CPU float32 and bfloat16), operations per
      second of a square matrix product counted as 2 n^3; `copy_gb_per_second`, bytes read and written.
    """
    device = jax.devices()[0]
    side, size = _SIDE.get(device.platform, _LARGE_SIDE), _COPIED.get(device.platform, _LARGE_COPIED)
    kinds = {'float32': (jnp.float32, 'highest'), 'tf32': (jnp.float32, 'default'), 'bfloat16': (jnp.bfloat16, None)}
    if device.platform == 'cpu':
        del kinds['tf32']  # there is no such thing
    rates = {}
    for name, (dtype, precision) in kinds.items():
        matrix = jax.random.uniform(jax.random.key(0), (side, side)).astype(dtype)
        product = jax.jit(lambda a, precision=precision: jnp.dot(a, a, precision=precision))
        rates[name] = 2 * side**3 / _best(lambda: product(matrix), seconds) / 1e9  # noqa: B023
    block = jnp.zeros(size // 4, jnp.float32)
    copy = jax.jit(lambda a: a + 1)
    return {'matmul_gflops': rates, 'copy_gb_per_second': 2 * size / _best(lambda: copy(block), seconds) / 1e9}


def _best(call: Callable[[], object], seconds: float) -> float:
    # The peak is what the machine gives when nothing disturbs it.
    return float(np.min(timing.seconds_of(lambda _: jax.block_until_ready(call()), seconds)))


def cost(compiled: jax.stages.Compiled) -> dict:
    """FLOPs, bytes and memory of a compiled program by the compiler's own count.

    Args:
      compiled: of `jit(...).lower(...).compile()`.

    Returns:
      `gflops` (operations, in units of 1e9), `gigabytes` accessed, `temporary_mib` and `arguments_mib`; what the
      compiler does not say is left out.
    """
    analysis = compiled.cost_analysis() or {}
    result = {}
    if analysis.get('flops', 0) > 0:
        result['gflops'] = analysis['flops'] / 1e9
    if analysis.get('bytes accessed', 0) > 0:
        result['gigabytes'] = analysis['bytes accessed'] / 1e9
    memory = compiled.memory_analysis()
    if memory is not None:
        result['temporary_mib'] = memory.temp_size_in_bytes / 2**20
        result['arguments_mib'] = memory.argument_size_in_bytes / 2**20
    return result


def line(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Least-squares line through measurements: does cost grow linearly?

    Args:
      x: [R] amounts of work, at least two different.
      y: [R] seconds.

    Returns:
      `slope_ms` per unit of work, `offset_ms`, and `r_squared`.
    """
    slope, offset = np.polyfit(x, y, 1)
    rest = np.asarray(y) - (slope * np.asarray(x) + offset)
    spread = np.sum((y - np.mean(y)) ** 2)
    return {
        'slope_ms': float(slope * 1e3),
        'offset_ms': float(offset * 1e3),
        'r_squared': float(1 - np.sum(rest**2) / spread) if spread else 1.0,
    }

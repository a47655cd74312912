"""Winograd's convolution (Lavin & Gray, CVPR 2016): small tiles of the result from fewer products, for a CPU.

A tile of m x m results of an r x r kernel costs (m + r - 1)^2 products per pair of channels instead of (m r)^2. The
kernel is transformed once, when a tracker is made; the map is transformed by sums of shifted views.
"""

import fractions
import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np

# Where the polynomials are evaluated, besides infinity: small numbers, so that rounding stays small.
_POINTS = tuple(map(fractions.Fraction, ('0', '1', '-1', '2', '-2', '1/2', '-1/2')))


@functools.cache
def matrices(results: int, taps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three transforms of F(m, r): y = A [(G g) * (B d)], y the m results of r taps g on m + r - 1 values d.

    Args:
      results: m.
      taps: r; m + r - 1 is at most 8.

    Returns:
      A [m, m + r - 1], G [m + r - 1, r], B [m + r - 1, m + r - 1], float32, exact.

    Raises:
      ValueError: sizes beyond the points at hand.
    """
    count = results + taps - 1
    if not 1 <= min(results, taps) or count > len(_POINTS) + 1:
        raise ValueError(f'winograd: got F({results}, {taps}); accepted are sizes with a sum up to {len(_POINTS) + 2}')

    def powers(columns):
        infinity = [fractions.Fraction(int(i == columns - 1)) for i in range(columns)]
        return [[point**i for i in range(columns)] for point in _POINTS[: count - 1]] + [infinity]

    # Correlation is the transpose of polynomial multiplication: evaluate, multiply, interpolate (Toom-Cook).
    interpolate = _inverse(powers(count))
    kernel, values = powers(taps), [list(column) for column in zip(*interpolate, strict=True)]
    for i, row in enumerate(values):
        common = np.lcm.reduce([value.denominator for value in row])
        values[i] = [value * common for value in row]  # whole numbers for the map, the fractions to the kernel
        kernel[i] = [value / common for value in kernel[i]]
    collect = zip(*powers(results), strict=True)
    first, second, third = (np.array(list(m), dtype=float).astype(np.float32) for m in (collect, kernel, values))
    return first, second, third


def _inverse(matrix: list[list[fractions.Fraction]]) -> list[list[fractions.Fraction]]:
    """Gauss and Jordan's, in fractions."""
    size = len(matrix)
    rows = [[*row, *(fractions.Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(i for i in range(column, size) if rows[i][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [value / rows[column][column] for value in rows[column]]
        for i in range(size):
            if i != column:
                rows[i] = [a - rows[i][column] * b for a, b in zip(rows[i], rows[column], strict=True)]
    return [row[size:] for row in rows]


def transform_kernel(kernel: chex.Array, results: int) -> chex.Array:
    """[r, r, C, D] kernel to the [(m + r - 1)^2, C, D] that `convolve` takes; m is `results`."""
    _, across, _ = matrices(results, kernel.shape[0])
    made = jnp.einsum('ia,jb,abcd->jicd', across, across, kernel, precision='highest')
    return made.reshape(-1, *kernel.shape[2:])


def convolve(x: chex.Array, transformed: chex.Array, taps: int) -> chex.Array:
    """Cross-correlation without padding, stride 1: `convolution.convolve` to rounding.

    Args:
      x: [B, H, W, C].
      transformed: [n^2, C, D] of `transform_kernel`.
      taps: r, the side of the kernel.

    Returns:
      [B, H - r + 1, W - r + 1, D].
    """
    count = round(transformed.shape[0] ** 0.5)
    step = count - taps + 1
    collect, _, spread = matrices(step, taps)
    batch, height, width, channels = x.shape
    high, wide = height - taps + 1, width - taps + 1
    rows, columns = -(-high // step), -(-wide // step)
    # The barriers have each pass computed once: fused together, every result would repeat all before it.
    x = jnp.pad(
        jax.lax.optimization_barrier(x),
        ((0, 0), (0, rows * step + taps - 1 - height), (0, columns * step + taps - 1 - width), (0, 0)),
    )

    def weighted(weights, parts):
        return sum(float(w) * part for w, part in zip(weights, parts, strict=True) if w)

    def tiles(values, axis, length):
        views = [jax.lax.slice_in_dim(values, i, i + (length - 1) * step + 1, step, axis) for i in range(count)]
        return jax.lax.optimization_barrier(jnp.stack([weighted(row, views) for row in spread]))

    x = tiles(tiles(x, 1, rows), 3, columns)  # [column of the tile, row of the tile, B, rows, columns, C]
    y = jax.lax.dot_general(x.reshape(count * count, -1, channels), transformed, (((2,), (1,)), ((0,), (0,))))
    y = jax.lax.optimization_barrier(y.reshape(count, count, batch, rows, columns, -1))
    y = jax.lax.optimization_barrier(jnp.stack([weighted(row, y) for row in collect], axis=4))
    y = jnp.stack([weighted(row, y) for row in collect], axis=2)
    return y.reshape(batch, rows * step, columns * step, -1)[:, :high, :wide]

"""Where the network's time goes, layer by layer, beside what the machine could do at best (the roofline)."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax import config as config_lib
from sctrpn_jax.geometry import grid
from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import sctrpn
from sctrpn_jax.speed import machine, timing
from sctrpn_jax.tracking import compiled, look

_BYTES = 4  # of a float32
_COLOURS = 3  # channels of an image; no other map has so few


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution of the search branch as the network calls it.

    Attributes:
      path: names of the modules down to it.
      module: the convolution, not bound to variables.
      shape: [1, H, W, C] of its input.
    """

    path: tuple[str, ...]
    module: convolution.Conv
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        """The path as one word."""
        return '/'.join(self.path)

    def operations(self) -> int:
        """Multiplications and additions for one image, by the definition of a convolution."""
        return 2 * self._cells() * self._weights()

    def moved(self, batch: int = 1) -> int:
        """Bytes of input, kernel and output, each touched once."""
        each = int(np.prod(self.shape)) + self._cells() * self.module.width
        return _BYTES * (batch * each + self._weights())

    def _cells(self) -> int:
        rows, columns = ((size - self.module.kernel_size) // self.module.stride + 1 for size in self.shape[1:3])
        return rows * columns

    def _weights(self) -> int:
        return self.module.kernel_size**2 * self.shape[-1] // self.module.groups * self.module.width


def find(config: config_lib.Config, search_size: int) -> list[Layer]:
    """The convolutions of the search branch, in the order in which they run.

    Args:
      config: of the run; `track.stages` counts.
      search_size: side of the search crop, pixels.
    """
    model, found = look.network(config), []

    def note(call, arguments, options, context):
        module = context.module
        if isinstance(module, convolution.Conv) and context.method_name == '__call__':
            found.append(Layer(module.path, module.copy(parent=None, name=None), arguments[0].shape))
        return call(*arguments, **options)

    def shapes():
        variables = sctrpn.init_variables(model, 0)
        template = jnp.zeros((1, grid.TEMPLATE_SIZE, grid.TEMPLATE_SIZE, 3))
        known = model.apply(variables, template, method='template')
        with nn.intercept_methods(note):
            model.apply(
                variables, known, jnp.zeros((1, search_size, search_size, 3)), jnp.ones((1, 2)), method='search'
            )

    jax.eval_shape(shapes)
    return found


def measure(variables: dict, config: config_lib.Config, seconds: float) -> dict:
    """Times of every convolution of the search branch: as a tracker runs it, and as training does.

    Args:
      variables: of `SCTRPN`.
      config: the run's; training uses its batch size and search crop.
      seconds: for each measurement.

    Returns:
      `peak` (`machine.peaks`), `batch` and `layers`: by name, of one image `shape`, `gflop` (by the definition of a
      convolution) and `megabytes`; for `track` (one image, prepared weights), `forward` and `backward` (a training
      batch; the gradients by kernel and input, of conv1 by the kernel alone) the median `ms`, the `floor_ms` that the
      machine's peak and copy rate allow for so many operations and bytes, and the shares `of_peak` and `of_copy_rate`.
    """
    peak = machine.peaks(seconds)
    rates = peak['matmul_gflops']['float32'] * 1e9, peak['copy_gb_per_second'] * 1e9
    prepared = compiled.jitted(config).prepare(variables)
    result = {}
    for layer in find(config, config.track.search_size):
        row = {'shape': list(layer.shape[1:]), 'gflop': layer.operations() / 1e9, 'megabytes': layer.moved() / 1e6}
        row['track'] = _timed(layer, _part(prepared, layer.path), 1, rates, seconds)
        result[layer.name] = row
    for layer in find(config, config.model.search_size):
        row, known = result[layer.name], _part(variables, layer.path)
        row['forward'] = _timed(layer, known, config.train.batch_size, rates, seconds)
        row['backward'] = _timed(layer, known, config.train.batch_size, rates, seconds, backward=True)
    return {'peak': peak, 'batch': config.train.batch_size, 'layers': result}


def _part(variables: dict, path: tuple[str, ...]) -> dict:
    part = {}
    for name in ('params', 'winograd'):
        tree = variables.get(name, {})
        for step in path:
            tree = tree.get(step, {})
        if tree:
            part[name] = tree
    return part


def _timed(
    layer: Layer, variables: dict, batch: int, rates: tuple[float, float], seconds: float, backward: bool = False
) -> dict:
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(batch, *layer.shape[1:])), jnp.float32)

    def forward(params, x):
        return layer.module.apply(variables | {'params': params}, x)

    # Training takes no gradient by the image.
    wanted = 1 if layer.shape[-1] == _COLOURS else 2

    def gradients(params, x, down):
        return jax.vjp(forward, params, x)[1](down)[:wanted]

    arguments = [variables['params'], x]
    if backward:
        arguments.append(jnp.ones_like(forward(*arguments)))
    program = jax.jit(gradients if backward else forward).lower(*arguments).compile()
    times = timing.seconds_of(lambda _: jax.block_until_ready(program(*arguments)), seconds)
    # The gradients by the kernel and by the input are a convolution each, and read and write as much.
    convolutions = wanted if backward else 1
    operations, moved = convolutions * batch * layer.operations(), convolutions * layer.moved(batch)
    taken = float(np.median(times))
    return {
        'ms': taken * 1e3,
        'floor_ms': max(operations / rates[0], moved / rates[1]) * 1e3,
        'of_peak': operations / taken / rates[0],
        'of_copy_rate': moved / taken / rates[1],
    }


def table(rows: dict) -> str:
    """`layers` of `measure` as a table, a line for each and one for their sum."""
    runs = {'track': 'tracking', 'forward': 'forward', 'backward': 'backward'}
    head = ['convolution', 'input', 'GFLOP', 'MB']
    for title in runs.values():
        head += [f'{title} ms', 'floor', 'of peak', 'of copy']
    lines = [head]
    for name, row in rows.items():
        line = [name, 'x'.join(map(str, row['shape'])), f'{row["gflop"]:.3f}', f'{row["megabytes"]:.1f}']
        for run in runs:
            part = row[run]
            line += [f'{part["ms"]:.2f}', f'{part["floor_ms"]:.2f}']
            line += [f'{part["of_peak"]:.2f}', f'{part["of_copy_rate"]:.2f}']
        lines.append(line)
    total = ['all', '', f'{sum(row["gflop"] for row in rows.values()):.3f}']
    total.append(f'{sum(row["megabytes"] for row in rows.values()):.1f}')
    for run in runs:
        taken, floor = (sum(row[run][key] for row in rows.values()) for key in ('ms', 'floor_ms'))
        operations = sum(row[run]['of_peak'] * row[run]['ms'] for row in rows.values())
        moved = sum(row[run]['of_copy_rate'] * row[run]['ms'] for row in rows.values())
        total += [f'{taken:.2f}', f'{floor:.2f}', f'{operations / taken:.2f}', f'{moved / taken:.2f}']
    lines.append(total)
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def padded(line):
        return [line[i].ljust(width) if i < 2 else line[i].rjust(width) for i, width in enumerate(widths)]

    return '\n'.join('  '.join(padded(line)) for line in lines)

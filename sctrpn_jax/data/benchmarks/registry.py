"""Every benchmark by name: each module of this package that has a `BENCHMARK`. To add one, add such a module."""

import functools
import importlib
import pkgutil

from sctrpn_jax.data import benchmarks
from sctrpn_jax.data.benchmarks import record


@functools.cache
def every() -> dict[str, record.Benchmark]:
    """Name -> record, in alphabetical order."""
    modules = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    loaded = (importlib.import_module(f'{benchmarks.__name__}.{name}') for name in modules)
    found = [module.BENCHMARK for module in loaded if hasattr(module, 'BENCHMARK')]
    return {benchmark.name: benchmark for benchmark in found}


def get(name: str) -> record.Benchmark:
    """The benchmark of that name.

    Raises:
      ValueError: an unknown name; the message has the known ones.
    """
    if name not in every():
        raise ValueError(f'benchmark: got {name!r}, accepted are {", ".join(every())}')
    return every()[name]

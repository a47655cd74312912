"""Imports go one way through the parts of the package (parsed, not run)."""

import ast
import graphlib
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parent.parent / 'sctrpn_jax'
# A part imports itself, parts above it in this list, and the top-level modules of the first row.
LEVELS = [
    {'bounded', 'config', 'config_values', 'config_files', 'geometry', 'kernels', 'metrics', 'system', 'xla_flags'},
    {'models', 'objectives'},
    {'data', 'weights', 'tracking'},
    {'visualization'},
    {'training', 'evaluation', 'export'},
    {'studies', 'integrations', 'speed'},
    {'programs'},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# The rows above allow a part to import its neighbours. These must not know each other, whatever way.
STRANGERS = [('training', 'evaluation'), ('training', 'export'), ('weights', 'data'), ('tracking', 'data')]


def imported_names(source: str, package: str) -> set[str]:
    """Dotted names that a module of `package` ('sctrpn_jax.data') imports, anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = package.split('.')[: len(package.split('.')) + 1 - node.level] if node.level else []
            base = '.'.join([*parent, *([node.module] if node.module else [])])
            found |= {f'{base}.{alias.name}' for alias in node.names}
    return found


def parts_used(source: str, package: str) -> set[str]:
    """First names below sctrpn_jax that a module imports: {'geometry', 'config', ...}."""
    return {name.split('.')[1] for name in imported_names(source, package) if name.startswith('sctrpn_jax.')}


def modules() -> list[pathlib.Path]:
    return sorted(PACKAGE.rglob('*.py'))


def package_of(path: pathlib.Path) -> str:
    return '.'.join(('sctrpn_jax', *path.relative_to(PACKAGE).parts[:-1]))


def part_of(path: pathlib.Path) -> str:
    """The sub-package a module lies in, or its own name directly below sctrpn_jax."""
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


def uses_of_parts() -> dict[str, set[str]]:
    """What each part imports of the others; `sctrpn_jax/__init__.py` may gather any names."""
    used: dict[str, set[str]] = {}
    for path in set(modules()) - {PACKAGE / '__init__.py'}:
        part = part_of(path)
        used.setdefault(part, set()).update(parts_used(path.read_text(), package_of(path)) - {part, '__version__'})
    return used


def uses_of_modules() -> dict[str, set[str]]:
    """What each module imports of the others, by dotted name."""
    names = {f'{package_of(path)}.{path.stem}': path for path in modules() if path.stem != '__init__'}
    used = {}
    for name, path in names.items():
        # The last part may be something in a module, or the module itself.
        found = imported_names(path.read_text(), package_of(path))
        used[name] = (found | {other.rpartition('.')[0] for other in found}) & set(names)
    return used


def test_every_part_has_its_level():
    assert {part_of(path) for path in modules()} - {'__init__'} == set(LEVEL)


@pytest.mark.parametrize('part', sorted(LEVEL))
def test_no_part_imports_from_a_higher_level(part):
    for path in modules():
        if part_of(path) == part:
            for other in parts_used(path.read_text(), package_of(path)) - {'__version__'}:
                assert LEVEL[other] <= LEVEL[part], f'{path} imports {other}'


@pytest.mark.parametrize(('part', 'other'), STRANGERS)
def test_strangers_do_not_import_each_other(part, other):
    used = uses_of_parts()
    assert other not in used[part] and part not in used[other]


def test_no_cycle_of_modules_nor_of_parts():
    by_module = uses_of_modules()
    assert by_module['sctrpn_jax.objectives.cascade_loss'] == {
        'sctrpn_jax.config',
        'sctrpn_jax.objectives.classification',
        'sctrpn_jax.objectives.regression',
    }
    tuple(graphlib.TopologicalSorter(by_module).static_order())
    by_part = uses_of_parts()
    # The config reads the grid's sizes, which need nothing.
    assert by_module['sctrpn_jax.geometry.grid'] == set()
    by_part['config'] -= {'geometry'}
    tuple(graphlib.TopologicalSorter(by_part).static_order())


@pytest.mark.parametrize('part', ['geometry', 'objectives'])
def test_pure_parts_know_no_modules(part):
    for path in sorted((PACKAGE / part).glob('*.py')):
        roots = {name.split('.')[0] for name in imported_names(path.read_text(), package_of(path))}
        assert not roots & {'flax', 'optax', 'grain', 'orbax', 'tensorflow_datasets'}, path


def test_metrics_are_numpy_alone():
    roots = set()
    for path in (PACKAGE / 'metrics').rglob('*.py'):
        names = imported_names(path.read_text(), package_of(path))
        assert all(name.startswith('sctrpn_jax.metrics') for name in names if name.startswith('sctrpn_jax')), path
        roots |= {name.split('.')[0] for name in names}
    assert not roots & {'jax', 'flax', 'cv2', 'os', 'pathlib'}


def test_the_parser_sees_every_form_of_import():
    source = """
import sctrpn_jax.training.loop
from sctrpn_jax import config
from sctrpn_jax.geometry import boxes
from ..models import fem
from . import images
def late():
    from sctrpn_jax.evaluation.metrics import success
"""
    used = parts_used(source, 'sctrpn_jax.data')
    assert used == {'training', 'config', 'geometry', 'models', 'data', 'evaluation'}

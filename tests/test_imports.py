"""Imports go one way: geometry <- models, objectives, data, tracking <- training, evaluation (parsed, not run)."""

import ast
import graphlib
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parent.parent / 'sctrpn_jax'
LEVELS = [
    {'geometry'},
    {'models', 'objectives', 'data', 'tracking'},
    {'training', 'evaluation', 'visualization', 'pretrained', 'benchmark', 'clients', 'export'},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


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
    """What each sub-package or single module imports of the others; `sctrpn_jax/__init__.py` may gather any names."""
    used: dict[str, set[str]] = {}
    for path in set(modules()) - {PACKAGE / '__init__.py'}:
        part = part_of(path)
        used.setdefault(part, set()).update(parts_used(path.read_text(), package_of(path)) - {part})
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


def test_every_sub_package_has_its_level():
    assert {part_of(path) for path in modules() if path.parent != PACKAGE} == set(LEVEL)


@pytest.mark.parametrize('path', modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_from_a_higher_level(path):
    part = part_of(path)
    for other in parts_used(path.read_text(), package_of(path)):
        if part in LEVEL and other in LEVEL:
            assert LEVEL[other] <= LEVEL[part], f'{path} imports {other}'


def test_no_cycle_of_modules_nor_of_the_lower_parts():
    by_module = uses_of_modules()
    assert by_module['sctrpn_jax.objectives.cascade_loss'] == {
        'sctrpn_jax.objectives.classification',
        'sctrpn_jax.objectives.regression',
    }
    tuple(graphlib.TopologicalSorter(by_module).static_order())
    top = LEVELS[-1]
    by_part = {part: used - top for part, used in uses_of_parts().items() if part not in top}
    tuple(graphlib.TopologicalSorter(by_part).static_order())


def test_the_lowest_parts_stand_alone():
    used = uses_of_parts()
    on_config = {'command_line', 'config_check'}
    for part in used.keys() - LEVEL.keys() - on_config | {'geometry'}:
        assert used[part] == set(), part
    assert all(used[part] == {'config'} for part in on_config)
    assert used['objectives'] <= {'geometry'}


@pytest.mark.parametrize('part', ['geometry', 'objectives'])
def test_pure_parts_know_no_modules(part):
    for path in sorted((PACKAGE / part).glob('*.py')):
        roots = {name.split('.')[0] for name in imported_names(path.read_text(), package_of(path))}
        assert not roots & {'flax', 'optax', 'grain', 'orbax', 'tensorflow_datasets'}, path


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

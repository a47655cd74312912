"""Strict promotion, repeatable examples and kept compilations for every test; the shared folder as a fixture."""

import os
import pathlib

import hypothesis
import jax
import pytest

jax.config.update('jax_numpy_dtype_promotion', 'strict')
jax.config.update('jax_numpy_rank_promotion', 'raise')
# Compiling is most of a test's time, and many tests (and the programs they start) compile the same things.
_CACHE = pathlib.Path(__file__).parent.parent / '.pytest_cache' / 'jax'
os.environ['JAX_COMPILATION_CACHE_DIR'] = str(_CACHE)
jax.config.update('jax_compilation_cache_dir', str(_CACHE))
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.5)
# No deadline: the first example of a test pays for compilation.
hypothesis.settings.register_profile('repeatable', deadline=None, derandomize=True)
hypothesis.settings.load_profile('repeatable')


@pytest.fixture(scope='session')
def shared() -> pathlib.Path:
    """Real data that is not part of the project; a test that needs it is skipped where there is none."""
    folder = pathlib.Path(os.environ.get('SCTRPN_SHARED') or pathlib.Path(__file__).resolve().parents[2] / 'shared')
    if not folder.is_dir():
        pytest.skip(f'no shared folder at {folder} (set SCTRPN_SHARED)')
    return folder

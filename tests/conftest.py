"""Strict promotion, repeatable examples and kept compilations for every test; fixtures that many parts share."""

import contextlib
import os
import pathlib
import signal
import sys

# Before JAX: compiling is most of a test's time, and code that is not optimised compiles in half of it. The programs
# that tests start have the same flags.
os.environ['XLA_FLAGS'] = f'{os.environ.get("XLA_FLAGS", "")} --xla_backend_optimization_level=0'.strip()

import cv2
import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated, sequences
from sctrpn_jax.models import sctrpn
from sctrpn_jax.system import interrupts
from sctrpn_jax.tracking import compiled
from sctrpn_jax.tracking import track_state as state_lib

# The background jobs of a shell ignore Ctrl-C, which the programs respect; the tests of Ctrl-C need it heard.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
jax.config.update('jax_numpy_dtype_promotion', 'strict')
jax.config.update('jax_numpy_rank_promotion', 'raise')
# Many tests, and the programs that they start, compile the same things.
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


@pytest.fixture(scope='session')
def network():
    """Variables and config of two narrow stages of random weights, of which the filter drops anchors.

    Compiling is most of what tests with a real network cost: those that share this one, and frames of 240 x 320 as
    `network_clip` has, share what is compiled for them.
    """
    config = config_lib.Config()
    model = config.model
    model.backbone.widths, model.backbone.groups, model.backbone.norm = (4,) * 5, (1,) * 5, 'none'
    # Without voting the best of many boxes that are almost equal would win, and rounding would choose it.
    model.channels, model.matching, config.track.voting = 4, True, True
    model.cascade.layers, model.cascade.theta = (5, 4), 0.5
    rng = np.random.default_rng(0)

    def draw(path, leaf):
        if path[-1].key in ('bias', 'mean', 'scale', 'var'):
            return np.full(leaf.shape, path[-1].key in ('scale', 'var'), np.float32)
        return rng.normal(0, np.prod(leaf.shape[:-1]) ** -0.5, leaf.shape).astype(np.float32)

    shapes = jax.eval_shape(lambda: sctrpn.init_variables(sctrpn.SCTRPN(model), 0))
    return jax.tree_util.tree_map_with_path(draw, shapes), config


@pytest.fixture(scope='session')
def network_clip(write_clip, tmp_path_factory):
    """Frames [6, 240, 320, 3] and the same as a sequence of files."""
    return write_clip(tmp_path_factory.mktemp('network_clip'), 3, 6)


@pytest.fixture(scope='session')
def write_clip():
    """write_clip(folder, seed, count[, height, width]): a generated clip as frames and as a sequence of files."""

    def write(folder, seed, count, *size):
        frames, boxes = generated.make_sequence(seed, count, *size)
        paths = [str(folder / f'{t:04d}.png') for t in range(1, count + 1)]
        for path, frame in zip(paths, frames, strict=True):
            cv2.imwrite(path, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        return frames, sequences.Sequence(folder.name, tuple(paths), boxes.astype(np.float64))

    return write


@pytest.fixture
def traced(monkeypatch):
    """Replaces the network by the centre of the bright pixels; counts what is compiled."""
    counts = {'init': 0, 'step': 0}

    def init(variables, frame, box, extent=None):
        counts['init'] += 1
        return box.astype(jnp.float32)

    def step(variables, state, frame):
        counts['step'] += 1
        bright = (frame[..., 0] > variables['threshold']).astype(jnp.float32)
        rows, columns = (jnp.arange(float(side)) + 0.5 for side in bright.shape)
        centre = jnp.stack([(bright.sum(0) * columns).sum(), (bright.sum(1) * rows).sum()]) / bright.sum()
        box = jnp.concatenate([centre - state[2:] / 2, state[2:]])
        region = jnp.concatenate([state[:2] + state[2:] / 2, jnp.full((1,), 60.0)])
        maps = jnp.tile(bright[:17, :17][None], (3, 1, 1))
        return box, state_lib.TrackOutput(box, bright.mean(), bright.mean() < 0.01, maps, None, region)

    def chunk(variables, state, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), state, frames)

    def live(variables, state, frame):
        state, output = step(variables, state, frame)
        packed = jnp.concatenate(
            [output.box, output.score[None], output.hidden[None].astype(jnp.float32), output.region]
        )
        return state, packed, (output.response_maps, None)

    made = compiled.Jitted(
        lambda variables: variables,
        jax.jit(init),
        jax.jit(step),
        jax.jit(chunk),
        None,
        jax.jit(live),
        jax.jit(compiled.over_targets(step)),
    )
    monkeypatch.setattr(compiled, 'jitted', lambda config, details=False: made)
    return counts


@pytest.fixture
def signal_at():
    """`with signal_at(module, line, hit, number) as executed`: a signal before a statement of a module.

    It comes before the statement at `line` is executed for the hit-th time; without a line, never. `executed` fills
    with the lines of the module that are executed. Signals are handled as in a program.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupts.raise_on_terminate()

    @contextlib.contextmanager
    def signalled(module, line=None, hit=1, number=signal.SIGTERM):
        executed = []

        def trace(frame, event, _):
            if frame.f_code.co_filename != module.__file__:
                return None
            if event == 'line':
                executed.append(frame.f_lineno)
                if frame.f_lineno == line and executed.count(line) == hit:
                    signal.raise_signal(number)
            return trace

        outer = sys.gettrace()
        sys.settrace(trace)
        try:
            yield executed
        finally:
            sys.settrace(outer)

    yield signalled
    for number, handler in before.items():
        signal.signal(number, handler)

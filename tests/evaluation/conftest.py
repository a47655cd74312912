"""A clip with one moving bright square and a stand-in that finds it, a tiny real network, small benchmarks."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import generated, sequences
from sctrpn_jax.models import sctrpn
from sctrpn_jax.tracking import compiled
from sctrpn_jax.tracking import state as state_lib

SIZE = (12, 16)  # of the target (w, h), pixels


@pytest.fixture(scope='session')
def network():
    """Variables and config of two narrow stages of random weights, of which the filter drops anchors.

    Compiling is most of what tests with a real network cost: those that share this one, and frames of 240 x 320 as
    `network_clip` has, share what is compiled for them.
    """
    config = config_lib.Config()
    model = config.model
    model.backbone.widths, model.backbone.groups, model.backbone.norm = (4,) * 5, (1,) * 5, 'none'
    model.channels = 4
    model.cascade.layers, model.cascade.theta, model.cascade.min_keep = (5, 4), 0.5, 16
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


def moving_square(count, height=96, width=128):
    """Frames [T, H, W, 3] with one bright square, and its boxes [T, 4]."""
    frames = np.full((count, height, width, 3), 20, np.uint8)
    boxes = np.array([[10 + 3 * t, 20 + 2 * t, *SIZE] for t in range(count)], np.float64)
    for frame, (x, y, w, h) in zip(frames, boxes.astype(int), strict=True):
        frame[y : y + h, x : x + w] = 220
    return frames, boxes


@pytest.fixture
def square():
    """Frames [23, 96, 128, 3] and boxes [23, 4]."""
    return moving_square(23)


@pytest.fixture
def write_square(tmp_path):
    """write_square(name, count, height, width): `moving_square` as a sequence of files."""

    def write(name, count, height, width):
        frames, boxes = moving_square(count, height, width)
        (tmp_path / name).mkdir()
        paths = [str(tmp_path / name / f'{t}.png') for t in range(count)]
        for path, frame in zip(paths, frames, strict=True):
            cv2.imwrite(path, frame)
        return sequences.Sequence(name, tuple(paths), boxes)

    return write


@pytest.fixture
def clip(tmp_path, square):
    """Folder of 23 images, and boxes [23, 4]."""
    frames, boxes = square
    folder = tmp_path / 'clip'
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{i}.png'), frame)
    return folder, boxes


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
        return box, state_lib.TrackOutput(box, bright.mean(), maps, None, region)

    def chunk(variables, state, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), state, frames)

    def live(variables, state, frame):
        state, output = step(variables, state, frame)
        return state, jnp.concatenate([output.box, output.score[None], output.region]), (output.response_maps, None)

    made = compiled.Jitted(
        lambda variables: variables, jax.jit(init), jax.jit(step), jax.jit(chunk), None, jax.jit(live)
    )
    monkeypatch.setattr(compiled, 'jitted', lambda config, details=False: made)
    return counts


@pytest.fixture
def tree(tmp_path):
    """tree(path, lines): a text file below a new folder; gives that folder."""

    def make(path, lines):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(lines if isinstance(lines, str) else '\n'.join(lines) + '\n')
        return tmp_path

    return make


@pytest.fixture(scope='session')
def write_otb():
    """write_otb(root, names, count=5): an OTB tree of small clips; gives its sequences."""

    def write(root, names, count=5):
        boxes = np.array([[10 + 2 * t, 12, 16, 14] for t in range(count)], float)
        for name in names:
            (root / name / 'img').mkdir(parents=True)
            for t, (x, y, w, h) in enumerate(boxes.astype(int)):
                frame = np.full((48, 64, 3), 60, np.uint8)
                frame[y : y + h, x : x + w] = (200, 120, 30)
                cv2.imwrite(str(root / name / 'img' / f'{t + 1:04d}.png'), frame)
            rows = boxes + [1, 1, 0, 0]
            (root / name / 'groundtruth_rect.txt').write_text(
                '\n'.join(','.join(f'{v:g}' for v in row) for row in rows)
            )
        return sequences.read_sequences('otb', root)

    return write


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """Random backbone weights in the project's own form."""
    rng = np.random.default_rng(0)
    shapes = [(11, 11, 3, 4), (5, 5, 2, 4), (3, 3, 4, 4), (3, 3, 2, 4), (3, 3, 2, 4)]
    arrays = {f'conv{i}_w': rng.normal(0, 0.1, shape).astype(np.float32) for i, shape in enumerate(shapes, start=1)}
    arrays |= {f'conv{i}_b': np.zeros(4, np.float32) for i in range(1, 6)}
    path = tmp_path_factory.mktemp('weights') / 'tiny.npz'
    np.savez(path, mean_rgb=np.full(3, 110.0), **arrays)
    return path

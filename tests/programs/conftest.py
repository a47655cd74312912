"""Programs called in this process; a clip with one moving bright square, and a stand-in that finds it."""

import typing

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax.programs import main, startup
from sctrpn_jax.tracking import compiled, state

SIZE = (12, 16)  # of the target (w, h), pixels


class Done(typing.NamedTuple):
    """How a program ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch, capfd):
    """call(name, *arguments) -> `Done`, in this process and without its start-up settings."""
    monkeypatch.setattr(startup, 'begin', lambda network: None)

    def run(name, *arguments):
        capfd.readouterr()
        try:
            code = main.run(name, [str(each) for each in arguments])
        except SystemExit as error:
            code = error.code
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def square():
    """Frames [23, 96, 128, 3] with one bright square, and its boxes [23, 4]."""
    frames = np.full((23, 96, 128, 3), 20, np.uint8)
    boxes = np.array([[10 + 3 * t, 20 + 2 * t, *SIZE] for t in range(23)], np.float64)
    for frame, (x, y, w, h) in zip(frames, boxes.astype(int), strict=True):
        frame[y : y + h, x : x + w] = 220
    return frames, boxes


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

    def step(variables, before, frame):
        counts['step'] += 1
        bright = (frame[..., 0] > variables['threshold']).astype(jnp.float32)
        rows, columns = (jnp.arange(float(side)) + 0.5 for side in bright.shape)
        centre = jnp.stack([(bright.sum(0) * columns).sum(), (bright.sum(1) * rows).sum()]) / bright.sum()
        box = jnp.concatenate([centre - before[2:] / 2, before[2:]])
        region = jnp.concatenate([before[:2] + before[2:] / 2, jnp.full((1,), 60.0)])
        maps = jnp.tile(bright[:17, :17][None], (3, 1, 1))
        return box, state.TrackOutput(box, bright.mean(), maps, None, region)

    def chunk(variables, before, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), before, frames)

    made = compiled.Jitted(lambda variables: variables, jax.jit(init), jax.jit(step), jax.jit(chunk), None, None)
    monkeypatch.setattr(compiled, 'jitted', lambda config, details=False: made)
    return counts

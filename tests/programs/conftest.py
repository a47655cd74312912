"""Programs called in this process; a clip with one moving bright square."""

import typing

import cv2
import numpy as np
import pytest

from sctrpn_jax.programs import main, startup

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

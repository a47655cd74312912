"""A TraX client asks the tracker's process, as the toolkit does, and gets the boxes that the tracker gives."""

import pathlib
import subprocess
import sys
import types

import cv2
import numpy as np
import pytest

trax = pytest.importorskip('trax', reason='vot-toolkit is not installed')
from trax import client as trax_client  # noqa: E402
from trax import region as trax_region  # noqa: E402

from sctrpn_jax.integrations import vot  # noqa: E402

# A process of its own: TraX talks through the standard streams.
SERVER = """
import types
import numpy as np
from sctrpn_jax.integrations import vot
class Follows:
    def init(self, frame, box):
        self.box = np.asarray(box, np.float64)
    def update(self, frame):
        self.box = self.box + [frame[0, 0, 0], 1, 0, 0]
        return types.SimpleNamespace(box=self.box, score=0.25)
vot.serve(Follows())
"""


@pytest.fixture
def frames(tmp_path):
    paths = [tmp_path / f'{t}.png' for t in range(4)]
    for t, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((40, 50, 3), t, np.uint8))
    return [{trax.ImageChannel.COLOR: trax.FileImage.create(str(path))} for path in paths]


def ask(frames, region, command):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    streams = process.stdin.fileno(), process.stdout.fileno()
    client = trax_client.Client(stream=streams, timeout=120, log=lambda line: None)
    answers = [client.initialize(frames[0], [(region, {})], {})]
    answers += [client.frame(frame, {}, []) for frame in frames[1:]]
    client.quit()
    assert process.wait(timeout=60) == 0
    process.stdin.close()
    process.stdout.close()
    return [(np.array(objects[0][0].bounds()), objects[0][1]) for objects, _ in answers]


def test_the_toolkit_gets_every_box(frames):
    answers = ask(frames, trax_region.Rectangle.create(5, 6, 20, 10), [sys.executable, '-c', SERVER])
    expected = [[5, 6], [6, 7], [8, 8], [11, 9]]  # each frame moves the box by its grey level
    for (box, properties), corner in zip(answers, expected, strict=True):
        np.testing.assert_allclose(box[:2], corner)
        assert float(properties['confidence']) in (0.25, 1.0)


def test_polygons_start_with_the_box_of_the_rule():
    square = trax_region.Polygon.create([(10.0, 10.0), (29.0, 10.0), (29.0, 19.0), (10.0, 19.0)])
    np.testing.assert_allclose(vot.box_of(square), [10, 10, 20, 10])
    triangle = trax_region.Polygon.create([(1.0, 2.0), (11.0, 2.0), (6.0, 8.0)])
    np.testing.assert_allclose(vot.box_of(triangle), [1, 2, 10, 6])
    assert isinstance(vot.serve, types.FunctionType)


def test_the_program_answers_with_the_shipped_network(tmp_path):
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (15, 20, 3), dtype=np.uint8), (160, 120))
    paths = [tmp_path / f'{t}.png' for t in range(2)]
    for path in paths:
        cv2.imwrite(str(path), image)
    frames = [{trax.ImageChannel.COLOR: trax.FileImage.create(str(path))} for path in paths]
    program = pathlib.Path(__file__).resolve().parents[2] / 'bin' / 'vot_client'
    answers = ask(frames, trax_region.Rectangle.create(60, 40, 40, 30), [sys.executable, str(program)])
    box, _ = answers[1]
    assert np.abs(box[:2] + box[2:4] / 2 - [80, 55]).max() < 8  # nothing moved

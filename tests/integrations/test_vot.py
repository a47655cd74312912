"""A TraX client asks the tracker's process, as the toolkit does, and gets the boxes that the tracker gives."""

import importlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sctrpn_jax.tracking import tracker as tracker_lib

pytestmark = pytest.mark.all

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


@pytest.fixture(scope='module')
def vot(packages):
    """The module, which needs vot-trax."""
    return importlib.import_module('sctrpn_jax.integrations.vot')


def test_the_toolkit_gets_every_box(tmp_path, vot, with_trax):
    from trax import client, region

    images = []
    for t in range(4):
        cv2.imwrite(str(tmp_path / f'{t}.png'), np.full((40, 50, 3), t, np.uint8))
        images.append({vot.trax.ImageChannel.COLOR: vot.trax.FileImage.create(str(tmp_path / f'{t}.png'))})
    process = subprocess.Popen(
        [sys.executable, '-c', SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=with_trax
    )
    streams = process.stdin.fileno(), process.stdout.fileno()
    asks = client.Client(stream=streams, timeout=120, log=lambda line: None)
    answers = [asks.initialize(images[0], [(region.Rectangle.create(5, 6, 20, 10), {})], {})]
    answers += [asks.frame(image, {}, []) for image in images[1:]]
    asks.quit()
    assert process.wait(timeout=60) == 0
    process.stdin.close()
    process.stdout.close()
    expected = [[5, 6], [6, 7], [8, 8], [11, 9]]  # each frame moves the box by its grey level
    for (objects, _), corner in zip(answers, expected, strict=True):
        box, properties = np.array(objects[0][0].bounds()), objects[0][1]
        np.testing.assert_allclose(box[:2], corner)
        assert float(properties['confidence']) in (0.25, 1.0)


def test_polygons_start_with_the_box_of_the_rule(vot):
    from trax import region

    square = region.Polygon.create([(10.0, 10.0), (29.0, 10.0), (29.0, 19.0), (10.0, 19.0)])
    np.testing.assert_allclose(vot.box_of(square), [10, 10, 20, 10])
    triangle = region.Polygon.create([(1.0, 2.0), (11.0, 2.0), (6.0, 8.0)])
    np.testing.assert_allclose(vot.box_of(triangle), [1, 2, 10, 6])


def test_frames_of_any_size_give_the_live_trackers_boxes(vot, network, network_clip):
    frames, sequence = network_clip
    padded, live = vot.CompiledBefore(*network, largest=(256, 384)), tracker_lib.Tracker(*network)
    programs = {name: getattr(padded._compiled.jitted, name)._cache_size() for name in ('init', 'live')}
    live.init(frames[0], sequence.boxes[0])
    padded.init(frames[0], sequence.boxes[0])
    for frame in frames[1:]:
        expected, found = live.update(frame), padded.update(frame)
        np.testing.assert_allclose(found.box, expected.box, atol=1e-3)
        assert found.score == pytest.approx(float(expected.score), abs=1e-4)
    made = {name: getattr(padded._compiled.jitted, name)._cache_size() for name in programs}
    assert made == {name: count + 1 for name, count in programs.items()}  # the live tracker's, and none for the padded
    with pytest.raises(ValueError, match=r'got \(100, 320\), the first was \(240, 320\)'):
        padded.update(frames[1][:100])

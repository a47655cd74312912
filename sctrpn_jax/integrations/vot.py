"""The tracker as a TraX process, which the official VOT toolkit starts and asks frame by frame.

docs/evaluation.md has the file that tells the toolkit how to start it.
"""

import types

import numpy as np
import trax
from trax import region as trax_region
from trax import server as trax_server

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import images
from sctrpn_jax.data.layouts import vot
from sctrpn_jax.evaluation.run import batched, trackers
from sctrpn_jax.tracking import compiled, inputs

# Height and width that the programs are compiled for, pixels: full HD, which few videos of the challenges exceed.
LARGEST = (1080, 1920)


class CompiledBefore:
    """The tracker with its programs compiled before the first frame is known, for frames up to `LARGEST`.

    The toolkit (0.9.0) waits as long as it takes for a tracker to introduce itself, and 30 s for each box: less than
    compiling takes on a small machine. What is compiled depends on the shape of the frames, so that all are padded to
    one. Boxes are those of `tracking.tracker.Tracker` up to rounding.

    Args:
      variables: of `SCTRPN`.
      config: the run's.
      largest: height and width of the frames that need no other programs, pixels. Larger ones have their own, which
        are compiled at the first of them.
    """

    def __init__(self, variables: dict, config: config_lib.Config, largest: tuple[int, int] = LARGEST):
        self._compiled, self._largest = compiled.CompiledTracker(variables, config), largest
        self.init(np.zeros((*largest, 3), np.uint8), [0, 0, largest[1] / 2, largest[0] / 2])
        self.update(np.zeros((*largest, 3), np.uint8))

    def init(self, frame: np.ndarray, box: np.ndarray | list[float]) -> None:
        """Starts on a target: frame [H, W, 3] uint8 RGB, box x, y, w, h in 0-based frame pixels.

        Raises:
          ValueError: a bad frame or box.
        """
        frame = inputs.check_frame(frame)
        height, width = self._size = frame.shape[:2]
        box = inputs.check_box(box, width, height)
        self._shape = max(height, self._largest[0]), max(width, self._largest[1])
        self._state = self._compiled.init(batched.pad(frame, self._shape), box, np.array([width, height], np.int32))

    def update(self, frame: np.ndarray) -> types.SimpleNamespace:
        """`box` [4] in the next frame, in the same form, and `score`, 0..1.

        Raises:
          ValueError: a bad frame, or one of another size.
        """
        frame = inputs.check_frame(frame)
        if frame.shape[:2] != self._size:
            raise ValueError(f'frame: got {frame.shape[:2]}, the first was {self._size} (height, width)')
        self._state, packed, _ = self._compiled.live(self._state, batched.pad(frame, self._shape))
        packed = np.asarray(packed)
        return types.SimpleNamespace(box=packed[:4], score=packed[4])


def box_of(region: trax_region.Region) -> np.ndarray:
    """[4] xywh of a region: a rectangle itself, of a polygon of four corners its `vot.polygon_box`, else the bounds.

    Args:
      region: as the toolkit hands it over, frame pixels.
    """
    if region.type == trax_region.Region.POLYGON and region.size() == 4:
        corners = np.array([region[i] for i in range(4)], np.float64)
        box = vot.polygon_box(corners.reshape(1, 8))[0]
        if np.isfinite(box).all():
            return box
    if region.type == trax_region.Region.POLYGON:
        corners = np.array([region[i] for i in range(region.size())], np.float64)
        return np.concatenate([corners.min(0), np.ptp(corners, axis=0)])
    return np.asarray(region.bounds(), np.float64)


def serve(tracker: trackers.OnlineTracker, name: str = 'SCTRPN') -> int:
    """Answers a TraX client until it quits.

    Args:
      tracker: to ask.
      name: told to the client.

    Returns:
      How many frames were tracked.
    """
    formats = [trax_region.Region.RECTANGLE, trax_region.Region.POLYGON]
    tracked = 0
    with trax_server.Server(formats, [trax.Image.PATH], tracker_name=name) as server:
        while (request := server.wait()).type in (trax.TraxStatus.INITIALIZE, trax.TraxStatus.FRAME):
            frame = images.read_image(request.image[trax.ImageChannel.COLOR].path())
            if request.type == trax.TraxStatus.INITIALIZE:
                box, score = box_of(request.objects[0][0]), 1.0
                tracker.init(frame, box)
            else:
                output = tracker.update(frame)
                box, score, tracked = np.asarray(output.box, np.float64), float(output.score), tracked + 1
            server.status([(trax_region.Rectangle.create(*box.tolist()), {'confidence': score})])
    return tracked

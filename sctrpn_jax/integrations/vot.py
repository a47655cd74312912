"""The tracker as a TraX process, which the official VOT toolkit starts and asks frame by frame.

docs/evaluation.md has the lines for the toolkit's trackers.ini.
"""

import numpy as np
import trax
from trax import region as trax_region
from trax import server as trax_server

from sctrpn_jax.data import images
from sctrpn_jax.data.layouts import vot
from sctrpn_jax.evaluation.run import trackers


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

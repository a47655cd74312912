"""The tracker for the GOT-10k toolkit: `ExperimentOTB(...).run(Got10kTracker())` and its other experiments."""

import numpy as np
from got10k.trackers import Tracker as ToolkitTracker
from PIL import Image

from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.weights import loading


class Got10kTracker(ToolkitTracker):
    """Adapter; the toolkit passes boxes as they stand in the dataset's files.

    Args:
      checkpoint: the network, for `loading.load_network`; None: the default pretrained one.
      name: of the results' folder.
      origin: what the dataset counts pixels from: 1 in OTB, GOT-10k and LaSOT, 0 in UAV123 and TrackingNet.
    """

    def __init__(self, checkpoint: str | None = None, name: str = 'SCTRPN', origin: float = 1.0):
        super().__init__(name=name, is_deterministic=True)
        self._tracker = tracker_lib.Tracker(*loading.load_network(checkpoint))
        self._shift = np.array([origin, origin, 0, 0], np.float32)

    def init(self, image: Image.Image, box: np.ndarray) -> None:
        """Starts on a target: RGB image, box [4] xywh in the dataset's pixels."""
        self._tracker.init(np.asarray(image), np.asarray(box, np.float32) - self._shift)

    def update(self, image: Image.Image) -> np.ndarray:
        """Box [4] xywh in the next image, in the dataset's pixels."""
        return np.asarray(self._tracker.update(np.asarray(image)).box) + self._shift

"""What a tracker did in each frame of one VOT run: started, tracked, failed, or waited to be started again."""

import dataclasses

import numpy as np

# Codes of frames. The first three are what a toolkit's result files hold in place of a region.
UNKNOWN, START, FAILURE, REGION = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True, eq=False)
class Trajectory:
    """One run through T frames.

    Attributes:
      codes: [T] int8, each `UNKNOWN`, `START`, `FAILURE` or `REGION`.
      regions: [T, 8] as in `raster`, frame pixels; NaN where the code is not `REGION`.
      seconds: [T] of work in each frame, or None.
    """

    codes: np.ndarray
    regions: np.ndarray
    seconds: np.ndarray | None = None

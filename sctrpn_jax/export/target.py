"""What a tracker is exported for: size of its frames, platforms, number of targets at a time."""

import dataclasses

PLATFORMS = ('cpu', 'cuda')
SYMBOLIC = 'symbolic'


@dataclasses.dataclass(frozen=True)
class Target:
    """What the exported programs run on.

    Attributes:
      frame_size: (width, height) of the largest frame, pixels.
      platforms: some of `PLATFORMS`; the machine that exports needs none of their devices.
      batch: targets at a time, or `SYMBOLIC`: any number.

    Raises:
      ValueError: a size, platform or batch that cannot work.
    """

    frame_size: tuple[int, int]
    platforms: tuple[str, ...] = PLATFORMS
    batch: int | str = 1

    def __post_init__(self):
        if min(self.frame_size) < 1:
            width, height = self.frame_size
            raise ValueError(f'frame_size: got {width}x{height}; width and height must be positive')
        some = set(self.platforms)
        if not some or len(some) < len(self.platforms) or not some <= set(PLATFORMS):
            raise ValueError(
                f'platforms: got {",".join(self.platforms) or "none"}; accepted are {", ".join(PLATFORMS)}, once each'
            )
        if self.batch != SYMBOLIC and not (isinstance(self.batch, int) and 0 < self.batch <= 65536):
            raise ValueError(f'batch: got {self.batch!r}; accepted are a positive whole number and {SYMBOLIC!r}')

"""SCTRPN: follows an object, shown once in the first frame, through a video.

    from sctrpn_jax import Tracker, load_pretrained

    tracker = Tracker(*load_pretrained('sctrpn_lite'))
    tracker.init(frames[0], (x, y, w, h))
    for frame in frames[1:]:
        output = tracker.update(frame)
        print(output.box, output.score)

Frames are [H, W, 3] uint8 RGB. Boxes are x, y, w, h in frame pixels: top-left corner and size, counted from 0.
`MultiTracker` follows several objects in the same frames. `track_sequence` follows an object through a whole array of
frames as one compiled function, which `jax.vmap` maps over sequences. Importing this package alone does not import JAX,
but sets a flag of its CPU compiler (`xla_flags`).
"""

import importlib
import typing

from sctrpn_jax import xla_flags

if typing.TYPE_CHECKING:
    from sctrpn_jax.tracking.multi_tracker import MultiTracker
    from sctrpn_jax.tracking.tracker import Tracker, track_sequence
    from sctrpn_jax.weights.pretrained import load_pretrained

__version__ = '0.2.0'
__all__ = ['MultiTracker', 'Tracker', 'load_pretrained', 'track_sequence']

_HOMES = {
    'MultiTracker': 'sctrpn_jax.tracking.multi_tracker',
    'Tracker': 'sctrpn_jax.tracking.tracker',
    'load_pretrained': 'sctrpn_jax.weights.pretrained',
    'track_sequence': 'sctrpn_jax.tracking.tracker',
}

xla_flags.use_eigen()


def __getattr__(name: str) -> typing.Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

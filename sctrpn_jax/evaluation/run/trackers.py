"""Every tracker that can be evaluated, behind one interface: this project's, one of untrained features, OpenCV's."""

import pathlib
import types
import typing
from collections.abc import Callable, Sequence

import cv2
import jax
import numpy as np

from sctrpn_jax.evaluation import job
from sctrpn_jax.models import alexnet
from sctrpn_jax.tracking import inputs, untrained
from sctrpn_jax.tracking import tracker as tracker_lib
from sctrpn_jax.weights import backbone as backbone_weights
from sctrpn_jax.weights import initial, loading

_OPENCV = {'mil': 'TrackerMIL', 'kcf': 'TrackerKCF', 'csrt': 'TrackerCSRT', 'nano': 'TrackerNano'}
NANO_FILES = ('nanotrack_backbone_sim.onnx', 'nanotrack_head_sim.onnx')


class OnlineTracker(typing.Protocol):
    """What an evaluation needs of a tracker."""

    def init(self, frame: np.ndarray, box: Sequence[float]) -> None:
        """Starts on a target: frame [H, W, 3] uint8 RGB, box x, y, w, h in 0-based frame pixels."""

    def update(self, frame: np.ndarray) -> typing.Any:
        """Next frame's result, with `box` [4] in the same form and `score`."""


class OpenCVTracker:
    """One of OpenCV's trackers. They take whole pixels; where one says it failed, the last box stands with score 0.

    Args:
      create: makes a fresh tracker, for each target.
    """

    def __init__(self, create: Callable[[], typing.Any]):
        self._create, self._tracker, self._box = create, None, None

    def init(self, frame: np.ndarray, box: Sequence[float]) -> None:
        """Starts on a target: frame [H, W, 3] uint8 RGB, box x, y, w, h in 0-based frame pixels.

        Raises:
          ValueError: a bad frame or box.
        """
        frame = inputs.check_frame(frame)
        self._box = inputs.check_box(box, frame.shape[1], frame.shape[0])
        # Whole pixels inside the frame: some of them read past its border otherwise.
        low = np.clip(np.round(self._box[:2]), 0, [frame.shape[1] - 2, frame.shape[0] - 2]).astype(int)
        high = np.clip(np.round(self._box[:2] + self._box[2:]).astype(int), low + 2, [frame.shape[1], frame.shape[0]])
        self._tracker = self._create()
        self._tracker.init(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), (*low.tolist(), *(high - low).tolist()))

    def update(self, frame: np.ndarray) -> types.SimpleNamespace:
        """`box` [4] float32 and `score` in the next frame.

        Raises:
          ValueError: a bad frame, or no `init` before.
        """
        if self._tracker is None:
            raise ValueError('update: call init(frame, box) first')
        found, box = self._tracker.update(cv2.cvtColor(inputs.check_frame(frame), cv2.COLOR_RGB2BGR))
        if found and min(box[2:]) > 0:
            self._box = np.asarray(box, np.float32)
        score = self._tracker.getTrackingScore() if hasattr(self._tracker, 'getTrackingScore') else -1.0
        score = min(score, 1.0) if score >= 0 else 1.0  # those without a score of their own say -1
        return types.SimpleNamespace(box=self._box, score=float(score) if found else 0.0)


def make_tracker(settings: job.TrackerSettings) -> tuple[OnlineTracker, dict]:
    """A tracker, and its description as JSON-ready settings with the `seed` of its training where there was one.

    Raises:
      ValueError: an unknown kind, or what it needs is missing.
    """
    job.check_tracker(settings)
    kind = settings.kind
    if kind == 'sctrpn':
        variables, config = loading.load_network(settings.checkpoint)
        name = settings.checkpoint or 'the one shipped'
        return tracker_lib.Tracker(variables, config), {'tracker': kind, 'checkpoint': name, 'seed': config.seed}
    if kind in _OPENCV:
        return OpenCVTracker(_opencv_factory(kind, settings.models)), {'tracker': kind, 'opencv': cv2.__version__}
    layer = settings.layer
    found = initial.for_standard_input(backbone_weights.read_npz(settings.weights))
    if found.groups == initial.TWO_TOWERS:
        # One tower, which the lite network has too: what its training adds is then the difference.
        found = initial.first_tower(found)
    model = alexnet.AlexNet(**found.settings(), layers=(layer,))
    parameters = initial.to_params(found, model.widths, model.groups)

    def apply(variables, images):
        return model.apply(variables, images)[layer]

    tracker = untrained.CorrelationTracker(apply, jax.device_put({'params': parameters}))
    return tracker, {'tracker': kind, 'layer': layer}


def _opencv_factory(kind: str, models: str | None) -> Callable[[], typing.Any]:
    name = _OPENCV[kind]
    if not hasattr(cv2, name):
        raise ValueError(
            f'tracker {kind}: this OpenCV ({cv2.__version__}) has none; it comes with opencv-contrib-python, which '
            f'takes the place of opencv-python-headless: uninstall that one, then install it'
        )
    if kind != 'nano':
        return getattr(cv2, name).create
    paths = [pathlib.Path(models or '') / file for file in NANO_FILES]
    if not models or not all(path.is_file() for path in paths):
        raise ValueError(f'tracker nano: give the folder of {" and ".join(NANO_FILES)}; got {models!r}')

    def create():
        parameters = cv2.TrackerNano_Params()
        parameters.backbone, parameters.neckhead = map(str, paths)
        return cv2.TrackerNano.create(parameters)

    return create

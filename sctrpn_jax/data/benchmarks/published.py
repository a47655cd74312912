"""Results as others printed them, each with the place where they are printed."""

import dataclasses

# The paper that this project follows, and the tables that repeat what other papers report.
SCTRPN = 'SCTRPN, Sensors 2020'
DASIAMRPN = 'foolwood/DaSiamRPN, README'
ROAD_TRIP = 'Abdelpakey/siamese-tracker-road-trip, README (from the papers)'
FOOLWOOD = 'foolwood/benchmark_results, README'
PYSOT = 'STVIR/pysot, MODEL_ZOO'
PYTRACKING = 'visionml/pytracking, MODEL_ZOO'
GTX = 'GTX 1080 Ti'


@dataclasses.dataclass(frozen=True)
class Published:
    """One tracker's printed results on one split; what could not be read in that place is left out.

    The papers rarely say which toolkit's rules they follow.

    Attributes:
      tracker: its name.
      values: key of a metric -> value. Shares are 0..1, `robustness` is failures per 100 frames, `failures` the mean
        number of failures per sequence.
      source: where they are printed.
      fps: printed speed, frames per second.
      hardware: what that speed was measured on; '' where it is not printed.
    """

    tracker: str
    values: dict[str, float]
    source: str
    fps: float | None = None
    hardware: str = ''


def overlap_results(
    tracker: str,
    source: str,
    success: float | None = None,
    precision: float | None = None,
    normalized_precision: float | None = None,
    fps: float | None = None,
    hardware: str = '',
) -> Published:
    """Results of one-pass evaluation, 0..1."""
    found = {'success': success, 'precision': precision, 'normalized_precision': normalized_precision}
    return Published(tracker, _known(found), source, fps, hardware)


def vot_results(
    tracker: str,
    source: str,
    eao: float,
    accuracy: float | None = None,
    robustness: float | None = None,
    ao: float | None = None,
    failures: float | None = None,
    fps: float | None = None,
    hardware: str = '',
) -> Published:
    """Results of VOT's experiments; units as in `Published.values`."""
    found = {'eao': eao, 'accuracy': accuracy, 'robustness': robustness, 'failures': failures, 'ao': ao}
    return Published(tracker, _known(found), source, fps, hardware)


def _known(found: dict[str, float | None]) -> dict[str, float]:
    return {key: value for key, value in found.items() if value is not None}

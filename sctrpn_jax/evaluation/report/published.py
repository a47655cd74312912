"""Results as others printed them, each with where it is printed; what could not be read in such a place is left out.

Shares are 0..1. Robustness is failures a frame x 100, `failures` the mean failures of a sequence. The papers rarely say
which toolkit's rules they follow.
"""

from sctrpn_jax.evaluation.report import data

_SCTRPN = 'SCTRPN, Sensors 2020'  # the paper that this project follows
_DASIAMRPN = 'foolwood/DaSiamRPN, README'
_ROAD_TRIP = 'Abdelpakey/siamese-tracker-road-trip, README (from the papers)'
_FOOLWOOD = 'foolwood/benchmark_results, README'
_PYSOT = 'STVIR/pysot, MODEL_ZOO'
_PYTRACKING = 'visionml/pytracking, MODEL_ZOO'
_GTX = 'GTX 1080 Ti'


def _one_pass(
    tracker: str,
    source: str,
    success: float | None = None,
    precision: float | None = None,
    normalized_precision: float | None = None,
    fps: float | None = None,
    hardware: str = '',
) -> data.Published:
    found = {'success': success, 'precision': precision, 'normalized_precision': normalized_precision}
    return data.Published(tracker, _known(found), source, fps, hardware)


def _vot(
    tracker: str,
    source: str,
    eao: float,
    accuracy: float | None = None,
    robustness: float | None = None,
    ao: float | None = None,
    failures: float | None = None,
    fps: float | None = None,
    hardware: str = '',
) -> data.Published:
    found = {'eao': eao, 'accuracy': accuracy, 'robustness': robustness, 'failures': failures, 'ao': ao}
    return data.Published(tracker, _known(found), source, fps, hardware)


def _known(found: dict[str, float | None]) -> dict[str, float]:
    return {key: value for key, value in found.items() if value is not None}


_TABLE_1, _TABLE_3, _TABLE_4, _SECTION_4_4 = (f'{_SCTRPN}, {part}' for part in ('Table 1', 'Table 3', 'Table 4', '4.4'))

PUBLISHED: dict[str, tuple[data.Published, ...]] = {
    # SCTRPN's own are in a plot (Figure 7) only.
    'otb': (
        _one_pass('SiamRPN', _ROAD_TRIP, 0.637, 0.851, fps=160.0),
        _one_pass('DaSiamRPN', _ROAD_TRIP, 0.658, 0.880, fps=160.0),
        _one_pass('C-RPN', _ROAD_TRIP, 0.663, fps=36.0),
        _one_pass('SiamRPN++ (AlexNet)', _PYSOT, 0.666, 0.876, fps=180.0, hardware=_GTX),
        _one_pass('SiamRPN++ (ResNet-50)', _PYSOT, 0.696, 0.914, fps=35.0, hardware=_GTX),
        _one_pass('ATOM', _PYTRACKING, 0.663),
        _one_pass('ECO', _FOOLWOOD, 0.694, 0.910, fps=6.0),
        _one_pass('SiamFC', _ROAD_TRIP, 0.58, 0.77, fps=65.0),
        _one_pass('SRDCF', _FOOLWOOD, 0.598, 0.789, fps=5.0),
        _one_pass('KCF', _FOOLWOOD, 0.477, 0.693, fps=172.0),
    ),
    'vot': (
        _vot('SCTRPN', _TABLE_3, 0.395, 0.583, 0.243, 0.478, fps=22.0, hardware=_GTX),
        _vot('SCTRPN without STN', _TABLE_3, 0.381, 0.564, 0.269, 0.453),
        _vot('SCTRPN, 3 stages', _TABLE_1, 0.361, 0.577, failures=0.97, fps=22.0, hardware=_GTX),
        _vot('SCTRPN, 2 stages', _TABLE_1, 0.352, 0.565, failures=1.02, fps=30.0, hardware=_GTX),
        _vot('SCTRPN, 1 stage', _TABLE_1, 0.321, 0.523, failures=1.23, fps=45.0, hardware=_GTX),
        _vot('SCTRPN without STN, 3 stages', _TABLE_1, 0.349, 0.566, failures=1.04, fps=25.0, hardware=_GTX),
        _vot('SCTRPN without STN, 2 stages', _TABLE_1, 0.342, 0.538, failures=1.19, fps=36.0, hardware=_GTX),
        _vot('SCTRPN without STN, 1 stage', _TABLE_1, 0.314, 0.508, failures=1.34, fps=54.0, hardware=_GTX),
        _vot('MFT', _TABLE_3, 0.385, 0.525, 0.140, 0.393),
        _vot('LADCF', _TABLE_3, 0.389, 0.503, 0.159, 0.421),
        _vot('DRT', _TABLE_3, 0.357, 0.519, 0.201, 0.426),
        # The paper's "SiamRPN" has the numbers of the VOT2018 entry by DaSiamRPN's authors: their raw files give them.
        _vot('SiamRPN (VOT2018 entry)', _TABLE_3, 0.382, 0.586, 0.276, 0.462),
        _vot('DaSiamRPN', _TABLE_3, 0.327, 0.569, 0.323, 0.439),
        _vot('SiamRPN (CVPR 2018)', _DASIAMRPN, 0.244, 0.49, 0.46),
        _vot('DaSiamRPN (ECCV 2018)', _DASIAMRPN, 0.326, 0.56, 0.34),
        # VOT2017 and VOT2018 have the same sequences.
        _vot('C-RPN', f'{_ROAD_TRIP}, VOT2017', 0.289, fps=36.0),
        _vot('SiamRPN++ (AlexNet)', _PYSOT, 0.352, 0.576, 0.290, fps=180.0, hardware=_GTX),
        _vot('SiamRPN++ (ResNet-50)', _PYSOT, 0.415, 0.601, 0.234, fps=35.0, hardware=_GTX),
        _vot('ATOM', _PYTRACKING, 0.401),
    ),
    'lasot': (
        _one_pass('SCTRPN', _SECTION_4_4, 0.487, normalized_precision=0.559),
        _one_pass('ATOM', _PYTRACKING, 0.515),
    ),
    'trackingnet': (
        # The text of 4.4 prints 76.4 for SCTRPN's last.
        _one_pass('SCTRPN', _TABLE_4, 0.697, 0.664, 0.763),
        _one_pass('SCTRPN without STN', _TABLE_4, 0.627, 0.594, 0.739),
        _one_pass('ECO', _TABLE_4, 0.554, 0.493, 0.621),
        _one_pass('MDNet', _TABLE_4, 0.606, 0.568, 0.712),
        _one_pass('SiamFC', _TABLE_4, 0.572, 0.536, 0.666),
        _one_pass('SiamRPN', _TABLE_4, 0.624, 0.584, 0.741),
        _one_pass('DaSiamRPN', _TABLE_4, 0.638, 0.592, 0.732),
        _one_pass('ATOM', _PYTRACKING, 0.703),
    ),
    'uav123': (
        _one_pass('SCTRPN', _SECTION_4_4, 0.613, 0.797),
        _one_pass('SiamRPN', _DASIAMRPN, 0.527, 0.748),
        _one_pass('DaSiamRPN', _DASIAMRPN, 0.586, 0.796),
        _one_pass('DaSiamRPN', _SECTION_4_4, 0.584, 0.794),
        _one_pass('ATOM', _PYTRACKING, 0.642),
    ),
    'got10k': (data.Published('ATOM', {'ao': 0.556}, _PYTRACKING),),
}


def of_benchmark(kind: str) -> tuple[data.Published, ...]:
    """Published results on a benchmark, a key of `metric_sets.BENCHMARKS`; () where none are known."""
    return PUBLISHED.get(kind, ())

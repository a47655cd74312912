"""The rules by which toolkits score one-pass tracking, by name; they agree on clean data and differ where it is not.

They differ in which ground truth can be judged, what the other frames count as, and what is done to broken predictions.
Read in the toolkits' own code; `about` of each is what a report should print beside its numbers.
"""

import dataclasses

import numpy as np

HIT, MISS = -1.0, np.inf  # error of a frame that cannot be judged: -1 passes every `<=` threshold


@dataclasses.dataclass(frozen=True)
class Convention:
    """One toolkit's rules.

    Attributes:
      about: one line, for reports.
      overlap_truth: which truth has an overlap, a name that `judged` knows; others get -1, which no threshold passes.
      error_truth: which truth has a centre error.
      unjudged: centre error, in pixels and normalised, of frames whose truth has none: HIT or MISS.
      absent: what frames flagged absent are: `dropped`, `miss`, `unjudged` (as frames whose truth cannot be judged), or
        `ignored` (the flags are).
      drop: frames that cannot be judged leave numerator and denominator; otherwise every frame counts.
      divide_by_valid: they leave the denominator alone.
      first_given: the first prediction is replaced by the truth.
      repair: predictions that the one before replaces: `none`, `empty` (a side of 0) or `broken` (NaN, a side <= 0).
      normalized_area: normalised precision is the mean of its curve, not its value at 0.20.
      least_side: pixels that the target's sides have at least, where an error is normalised.
      drop_zero_curves: the mean over sequences leaves out sequences whose curve is 0 throughout.
    """

    about: str
    overlap_truth: str = 'sized'
    error_truth: str = 'sized'
    unjudged: tuple[float, float] = (MISS, MISS)
    absent: str = 'dropped'
    drop: bool = False
    divide_by_valid: bool = False
    first_given: bool = True
    repair: str = 'none'
    normalized_area: bool = False
    least_side: float = 0.0
    drop_zero_curves: bool = False


def judged(rule: str, truth: np.ndarray, origin: float) -> np.ndarray:
    """Which ground truth can be judged.

    Args:
      rule: `known`: all four are numbers; `sized`: a width and a height above 0; `positive`: all four above 0;
        `centred`: a centre above 0.
      truth: [T, 4] xywh, 0-based.
      origin: what the benchmark's files count pixels from; `positive` and `centred` look at the numbers in the files.

    Returns:
      [T] bool.
    """
    corner, size = truth[:, :2] + origin, truth[:, 2:]
    if rule == 'known':
        return ~np.isnan(truth).any(axis=1)
    if rule == 'sized':
        return np.isfinite(truth).all(axis=1) & (size > 0).all(axis=1)
    if rule == 'positive':
        return np.all(corner > 0, axis=1) & np.all(size > 0, axis=1)
    return np.all(corner + (size - 1) / 2 > 0, axis=1)


def repaired(predicted: np.ndarray, truth: np.ndarray, rule: str) -> np.ndarray:
    """Predictions with each broken one replaced by the one before, in frames that have truth.

    Args:
      predicted: [T, 4] xywh.
      truth: [T, 4] xywh.
      rule: as `Convention.repair`. Rows of inf, which a file lacks, are no predictions and stay.

    Returns:
      [T, 4], a new array.
    """
    if rule == 'none':
        return predicted.copy()
    size = predicted[:, 2:]
    broken = (size == 0) if rule == 'empty' else (size <= 0)
    broken = broken.any(axis=1) | (np.isnan(predicted).any(axis=1) & (rule == 'broken'))
    broken &= ~np.isnan(truth).any(axis=1)
    broken[0] = False
    source = np.maximum.accumulate(np.where(broken, 0, np.arange(len(predicted))))
    return predicted[source]


_CURVES = 'success: mean over overlap > 0, 0.05 .. 1; precision: centre error <= 20 px'
_AT = f'{_CURVES}; normalized precision: <= 0.20'
_FIRST = 'the first frame counts as exact'

CONVENTIONS = {
    'otb': Convention(f'{_AT}; {_FIRST}; frames without truth are not counted', drop=True),
    'otb-miss': Convention(f'{_AT}; {_FIRST}; frames without truth are misses', absent='miss'),
    'otb-matlab': Convention(
        f'{_AT}; {_FIRST}; broken boxes are replaced by the one before; frames whose truth has a value <= 0 (1-based) '
        'fail in success and pass in precision',
        overlap_truth='positive',
        error_truth='positive',
        unjudged=(HIT, HIT),
        absent='ignored',
        repair='broken',
    ),
    'pysot': Convention(
        f'{_AT}; the first frame is scored as predicted; frames without truth fail in success and pass in precision; '
        'absent frames are misses',
        error_truth='centred',
        unjudged=(HIT, HIT),
        absent='miss',
        first_given=False,
    ),
    'got10k': Convention(
        f'{_CURVES}; normalized precision: mean over <= 0, 0.01 .. 0.50 of sides of at least 1 px; {_FIRST}; frames '
        'with NaN truth are not counted, absence flags are ignored',
        overlap_truth='known',
        error_truth='known',
        absent='ignored',
        drop=True,
        normalized_area=True,
        least_side=1.0,
    ),
    'lasot': Convention(
        f'{_AT}; {_FIRST}; broken boxes are replaced by the one before; absent frames are misses; sequences with a '
        'curve of zeros are left out of its mean',
        overlap_truth='positive',
        error_truth='positive',
        unjudged=(HIT, HIT),
        absent='miss',
        repair='broken',
        drop_zero_curves=True,
    ),
    'pytracking': Convention(
        f'{_AT}; {_FIRST}; empty boxes are replaced by the one before; frames whose truth has a value <= 0 fail in '
        'success and precision and pass in normalized precision',
        overlap_truth='positive',
        error_truth='positive',
        unjudged=(MISS, HIT),
        absent='unjudged',
        repair='empty',
    ),
}
CONVENTIONS['pytracking-uav'] = dataclasses.replace(
    CONVENTIONS['pytracking'],
    about=f'{_AT}; {_FIRST}; empty boxes are replaced by the one before; frames without truth fail in success and pass '
    'in precision',
    unjudged=(HIT, HIT),
)
CONVENTIONS['pytracking-lasot'] = dataclasses.replace(
    CONVENTIONS['pytracking'],
    about=f'{_AT}; {_FIRST}; empty boxes are replaced by the one before; absent frames are misses',
    absent='miss',
)
for _name in ('pytracking', 'pytracking-uav', 'pytracking-lasot'):
    CONVENTIONS[f'{_name}-valid'] = dataclasses.replace(
        CONVENTIONS[_name],
        about=f'{CONVENTIONS[_name].about}; divided by the number of valid frames (exclude_invalid_frames)',
        divide_by_valid=True,
    )


def convention(name: str) -> Convention:
    """The convention of that name.

    Raises:
      ValueError: an unknown name; the message has the known ones.
    """
    if name not in CONVENTIONS:
        raise ValueError(f'convention: got {name!r}, accepted are {", ".join(CONVENTIONS)}')
    return CONVENTIONS[name]

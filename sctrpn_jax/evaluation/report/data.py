"""The report of one benchmark as plain data: what was measured, how, by whom, and what was wrong with the files.

JSON and back gives the same object. Everything but `Timing` and `Environment` follows from the result files alone, so
two reports of the same results differ there at most.
"""

import dataclasses
import json
import math
import types
import typing

from sctrpn_jax import bounded
from sctrpn_jax.data.benchmarks import published as published_lib

FORMAT = 2  # of the JSON; a file of another one is refused
NOTHING = '–'  # shown where there is no value


@dataclasses.dataclass(frozen=True)
class Metric:
    """What a number is.

    Attributes:
      key: name in `values`.
      name: for people.
      unit: for people; '' for a share.
      higher_is_better: which end is good.
      format: format spec, `.3f` or `.1%` (then 0.5 is shown as 50.0%).
    """

    key: str
    name: str
    unit: str = ''
    higher_is_better: bool = True
    format: str = '.3f'

    def text(self, value: float | None) -> str:
        """A value for people."""
        return NOTHING if value is None else format(value, self.format)

    def place(self, value: float | None) -> float:
        """What to sort by for the best to come first and what has no value last."""
        if value is None:
            return math.inf
        return -value if self.higher_is_better else value

    @property
    def title(self) -> str:
        """Name and unit."""
        return f'{self.name} ({self.unit})' if self.unit else self.name


@dataclasses.dataclass(frozen=True)
class CurveKind:
    """What a curve is over.

    Attributes:
      key: name in `Tracker.curves`.
      title: of the plot.
      x_label: with the unit.
      y_label: with the unit.
      x: [N] where the curves have values, ascending.
      metric: key of the metric that is read from the curve, shown in its legend.
      marks: x where that is: one value, or the two ends of an interval; () for the whole curve.
    """

    key: str
    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    metric: str
    marks: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True)
class Value:
    """A score and its 95 % interval; None where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    """One sequence: name, frames, and metric -> value."""

    sequence: str
    frames: int
    values: dict[str, float | None]


@dataclasses.dataclass(frozen=True)
class Attribute:
    """Scores of what has an attribute.

    Attributes:
      count: of how many sequences (or frames).
      values: metric -> value.
      curves: curve -> [N] over that curve's x; those that are known by attribute.
    """

    count: int
    values: dict[str, float | None]
    curves: dict[str, tuple[float | None, ...]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Timing:
    """What a clock said; nothing else in a report depends on one.

    Attributes:
      fps: tracked frames per second, over all sequences.
      hardware: where that was.
      sequences: name -> frames per second.
    """

    fps: float | None = None
    hardware: str = ''
    sequences: dict[str, float | None] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Tracker:
    """One tracker's results.

    Attributes:
      name: unique in the report.
      source: one line, where the results are from.
      seed: of the run, where one is known.
      config: JSON-ready settings of the run.
      values: metric -> value over the benchmark.
      curves: curve -> [N] over that curve's x.
      rows: one per sequence that was scored.
      attributes: name -> scores.
      problems: one line each, `path:line: reason`.
      problem_counts: kind -> how many, which need not be the number of lines; {}: that number.
      timing: measured times.
    """

    name: str
    source: str = ''
    seed: int | None = None
    config: dict[str, typing.Any] = dataclasses.field(default_factory=dict)
    values: dict[str, Value] = dataclasses.field(default_factory=dict)
    curves: dict[str, tuple[float | None, ...]] = dataclasses.field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    attributes: dict[str, Attribute] = dataclasses.field(default_factory=dict)
    problems: tuple[str, ...] = ()
    problem_counts: dict[str, int] = dataclasses.field(default_factory=dict)
    timing: Timing = dataclasses.field(default_factory=Timing)

    @property
    def problem_total(self) -> int:
        """How many problems there were."""
        return sum(self.problem_counts.values()) if self.problem_counts else len(self.problems)


@dataclasses.dataclass(frozen=True)
class Environment:
    """Versions by package, and the machine in one line."""

    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    hardware: str = ''


@dataclasses.dataclass(frozen=True)
class Report:
    """Results of any number of trackers on one benchmark.

    Attributes:
      benchmark: for people, `OTB-2015`.
      convention: by which rules the numbers were made.
      metrics: columns of the results.
      row_metrics: columns of a sequence.
      primary: key of the metric that trackers are ranked by.
      curves: which plots there are.
      sequences: all names of the benchmark, scored or not, in its order.
      attribute_unit: what an attribute's count counts.
      trackers: in the given order.
      published: printed results.
      published_note: how far these compare.
      environment: where the report was made.
      format: `FORMAT`.
    """

    benchmark: str
    convention: str
    metrics: tuple[Metric, ...]
    row_metrics: tuple[Metric, ...]
    primary: str
    curves: tuple[CurveKind, ...]
    sequences: tuple[str, ...]
    attribute_unit: str
    trackers: tuple[Tracker, ...]
    published: tuple[published_lib.Published, ...]
    published_note: str
    environment: Environment
    format: int = FORMAT

    def ranked(self) -> list[Tracker]:
        """Trackers, best first by `primary`; those without a value last, ties as given."""
        metric = self.metric(self.primary)
        return sorted(
            self.trackers, key=lambda tracker: metric.place(tracker.values.get(metric.key, Value(None)).value)
        )

    def metric(self, key: str) -> Metric:
        """The metric of that key.

        Raises:
          ValueError: there is none.
        """
        for metric in self.metrics:
            if metric.key == key:
                return metric
        raise ValueError(f'metric: got {key!r}, accepted are {", ".join(metric.key for metric in self.metrics)}')


def to_json(report: Report) -> str:
    """JSON text; the same report gives the same bytes.

    Raises:
      ValueError: a number that is not finite.
    """
    return json.dumps(dataclasses.asdict(report), indent=1, allow_nan=False) + '\n'


def from_json(text: str) -> Report:
    """The report that `to_json` wrote.

    Raises:
      ValueError: no JSON, another format, or a field that is missing, unknown or of another type.
    """
    content = bounded.parse_json(text)
    found = content.get('format') if isinstance(content, dict) else None
    if found != FORMAT:
        raise ValueError(f'report: got format {found!r}, accepted is {FORMAT}')
    return _decode(Report, content, 'report')


def _decode(kind: typing.Any, value: typing.Any, where: str) -> typing.Any:
    """A JSON value as what the type hint says."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return value
    if origin is types.UnionType:
        return None if value is None else _decode(inner[0], value, where)
    if dataclasses.is_dataclass(kind):
        fields = typing.get_type_hints(kind)
        _expect(isinstance(value, dict) and value.keys() == fields.keys(), where, value, f'fields {", ".join(fields)}')
        return kind(**{name: _decode(fields[name], value[name], f'{where}.{name}') for name in fields})
    if origin is dict:
        _expect(isinstance(value, dict), where, value, 'an object')
        return {name: _decode(inner[1], each, f'{where}.{name}') for name, each in value.items()}
    if origin is tuple:
        _expect(isinstance(value, list), where, value, 'a list')
        return tuple(_decode(inner[0], each, f'{where}[{i}]') for i, each in enumerate(value))
    accepted = (int, float) if kind is float else kind
    right = isinstance(value, accepted) and not (isinstance(value, bool) and kind is not bool)
    _expect(right and not (kind is float and not math.isfinite(value)), where, value, f'a {kind.__name__}')
    return float(value) if kind is float else value


def _expect(right: bool, where: str, value: typing.Any, expected: str) -> None:
    if not right:
        raise ValueError(f'{where}: got {value!r:.80}, expected {expected}')

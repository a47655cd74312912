"""Which plots a report has: its curves, over all and by attribute, and accuracy over speed (the paper's Figure 8)."""

import html
import typing
from collections.abc import Sequence

from sctrpn_jax.evaluation.report import data, svg, tables

_WIDTH, _HEIGHT = 400.0, 300.0
_REAL_TIME = 20.0  # frames per second, the limit of VOT's real-time experiment


def order(report: data.Report) -> dict[str, int]:
    """Tracker -> the index that gives it its look, the same in every plot: places in the given order."""
    return {tracker.name: i for i, tracker in enumerate(report.trackers)}


def figures(report: data.Report) -> list[str]:
    """HTML figures of all that the report has values for."""
    made = [curve_figure(report, kind) for kind in report.curves]
    return [figure for figure in (*made, speed_figure(report)) if figure]


def curve_figure(report: data.Report, kind: data.CurveKind, attribute: str = '') -> str:
    """One kind of curve, one line per tracker; '' where no tracker has one.

    Args:
      report: whose curves.
      kind: which of them.
      attribute: of what has this attribute alone; '': of all.
    """
    look, metric = order(report), report.metric(kind.metric)
    curves, values = {}, {}
    for tracker in report.trackers:
        scored = tracker.attributes.get(attribute) if attribute else tracker
        curve = scored.curves.get(kind.key, ()) if scored else ()
        if any(value is not None for value in curve):
            found = scored.values.get(metric.key)
            curves[tracker.name] = curve
            values[tracker.name] = found if isinstance(found, data.Value) else data.Value(found)
    if not curves or len(kind.x) < 2:
        return ''
    ranked = sorted(curves, key=lambda name: metric.place(values[name].value))
    top = max(value for curve in curves.values() for value in curve if value is not None)
    high = 1.0 if top <= 1 else top
    area = svg.Area(_WIDTH, _HEIGHT, (kind.x[0], kind.x[-1]), (0.0, high))
    parts = [_marks(area, kind.marks)]
    parts += svg.axes(area, svg.ticks(*area.x), svg.ticks(*area.y), kind.x_label, kind.y_label)
    for i, name in reversed(list(enumerate(ranked))):  # the best on top
        words = f'{name}: {tables.with_interval(metric, values[name])}'
        parts.append(svg.line(area, kind.x, curves[name], look[name], words, i))
    title = kind.title
    if attribute:
        title = f'{attribute} ({attribute_counts(report)[attribute]}): {kind.title.lower()}'
    about = f'{kind.y_label} over {kind.x_label}, one line per tracker; {metric.title} is in the legend.'
    legend = [(look[name], name, metric.text(values[name].value)) for name in ranked]
    return _figure(title, svg.picture(area, parts, title, about), _legend(legend, metric.title))


def attribute_counts(report: data.Report) -> dict[str, int]:
    """Attribute -> of how many sequences (or frames), for the tracker that has most; in alphabetical order."""
    counts: dict[str, int] = {}
    for tracker in report.trackers:
        for name, attribute in tracker.attributes.items():
            counts[name] = max(counts.get(name, 0), attribute.count)
    return dict(sorted(counts.items()))


class _Point(typing.NamedTuple):
    """A tracker in `speed_figure`: look, name, frames per second, value, whether others printed it."""

    index: int
    name: str
    fps: float | None
    value: float | None
    printed: bool


def speed_figure(report: data.Report) -> str:
    """The ranking metric over frames per second (logarithmic): measured filled, published hollow; '' without speeds."""
    look, metric = order(report), report.metric(report.primary)
    points = []
    for tracker in report.trackers:
        value = tracker.values.get(metric.key, data.Value(None)).value
        points.append(_Point(look[tracker.name], tracker.name, tracker.timing.fps, value, False))
    for i, printed in enumerate(report.published, len(look)):
        name = f'{printed.tracker} ({tables.PUBLISHED})'
        points.append(_Point(i, name, printed.fps, printed.values.get(metric.key), True))
    points = [point for point in points if point.fps and point.value is not None]
    if not points:
        return ''
    speeds, values = [point.fps for point in points], [point.value for point in points]
    room = max((max(values) - min(values)) * 0.12, 0.02)
    x = min(*speeds, _REAL_TIME) / 1.5, max(*speeds, _REAL_TIME) * 1.5
    area = svg.Area(_WIDTH, _HEIGHT, x, (max(min(values) - room, 0.0), max(values) + room), log=True)
    parts = [_marks(area, (_REAL_TIME,))]
    parts += svg.axes(area, svg.log_ticks(*area.x), svg.ticks(*area.y, 9), 'frames per second', metric.title)
    for point in reversed(points):  # what was measured on top
        words = f'{point.name}: {metric.text(point.value)} at {tables.speed(point.fps)} frames per second'
        place = area.at_x(point.fps), area.at_y(point.value)
        parts.append(svg.series(point.index, words, svg.marker(*place, point.index, 4.6, point.printed)))
    legend = [
        (point.index, point.name, f'{metric.text(point.value)}, {tables.speed(point.fps)} f/s', point.printed)
        for point in sorted(points, key=lambda point: metric.place(point.value))
    ]
    title = f'{metric.name} over speed'
    note = f'Speeds are of different machines. Dashed: {_REAL_TIME:.0f} frames per second. Hollow: published.'
    about = f'{metric.title} over frames per second, one marker per tracker.'
    drawn = svg.picture(area, parts, title, about)
    return _figure(title, drawn, _legend(legend, metric.title, with_line=False), note, wide=True)


def _marks(area: svg.Area, marks: Sequence[float]) -> str:
    """Where a score is read: a line, or a band between two."""
    _, top, _, bottom = area.box
    inside = [min(max(mark, area.x[0]), area.x[1]) for mark in marks]
    if len(inside) == 2:
        x0, x1 = (area.at_x(mark) for mark in inside)
        return f'<rect class="band" x="{x0:.1f}" y="{top:.1f}" width="{x1 - x0:.1f}" height="{bottom - top:.1f}"/>'
    return ''.join(f'<path class="cut" d="M{area.at_x(mark):.1f} {top:.1f}V{bottom:.1f}"/>' for mark in inside)


def _legend(entries: Sequence[tuple], head: str, with_line: bool = True) -> str:
    """Entries (index, name, value, hollow or not) as buttons that take a tracker out of the plots."""
    items = []
    for index, name, value, *hollow in entries:
        sample = svg.swatch(index, bool(hollow and hollow[0]), with_line)
        words = f'<span class="name">{html.escape(name)}</span> <span class="value">{html.escape(value)}</span>'
        items.append(f'<li><button type="button" aria-pressed="true" data-t="{index}">{sample}{words}</button></li>')
    label = f' aria-label="{html.escape(head)}"' if head else ''
    return f'<ul class="legend"{label}>{"".join(items)}</ul>'


def _figure(title: str, drawn: str, legend: str, note: str = '', wide: bool = False) -> str:
    words = f'<p class="note">{html.escape(note)}</p>' if note else ''
    style = ' class="wide"' if wide else ''
    head = f'<h3>{html.escape(title)}</h3><button type="button" class="save" title="Save as SVG">SVG</button>'
    caption = f'<figcaption>{legend}{words}</figcaption>'
    return f'<figure{style}><div class="head">{head}</div>{drawn}{caption}</figure>'

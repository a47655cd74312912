"""Plots as SVG text: axes, lines and markers whose colours come from the page's style sheet, so they follow its theme.

A series' look is its index: colour, marker and dash each cycle with another length, so that no two need their colour to
be told apart.
"""

import dataclasses
import html
import math
from collections.abc import Callable, Iterable, Sequence

COLORS, MARKERS, DASHES = 7, 8, ('', '7 3', '2 2', '9 3 2 3', '12 4')  # page.css has the colours
# Corners, turn in whole turns, radius over size, radius between the corners (of a star): square, triangle, diamond,
# star, triangle down, pentagon, triangle to the right.
_SHAPES = (
    (4, 0.125, 1.2, 0),
    (3, -0.25, 1.35, 0),
    (4, 0, 1.3, 0),
    (5, -0.25, 1.6, 0.45),
    (3, 0.25, 1.35, 0),
    (5, -0.25, 1.2, 0),
    (3, 0, 1.35, 0),
)
_TICK, _GAP = 4.0, 6.0  # pixels


def number(value: float) -> str:
    """A coordinate or tick: at most six decimals, no trailing zeros."""
    text = f'{value:.6f}'.rstrip('0').rstrip('.')
    return '0' if text in ('', '-0') else text


def _place(value: float) -> str:
    return f'{value:.1f}'.removesuffix('.0')


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """About `count` round values (steps of 1, 2 or 5 times a power of ten) within low..high."""
    rough = (high - low) / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within low..high."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [v for p in powers for f in (1, 2, 5) if low * 0.999 <= (v := f * 10.0**p) <= high * 1.001]


@dataclasses.dataclass(frozen=True)
class Area:
    """Where the data goes in a picture.

    Attributes:
      width: of the picture, pixels.
      height: of the picture.
      x: range of the data.
      y: range of the data.
      log: the x axis is logarithmic.
      margins: left, top, right, bottom, pixels.
    """

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = False
    margins: tuple[float, float, float, float] = (52, 10, 14, 40)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the data's area, pixels."""
        left, top, right, bottom = self.margins
        return left, top, self.width - right, self.height - bottom

    def at_x(self, value: float) -> float:
        """Pixel column of a value."""
        scale: Callable[[float], float] = math.log10 if self.log else float
        low, high = scale(self.x[0]), scale(self.x[1])
        left, _, right, _ = self.box
        return left + (scale(value) - low) / (high - low) * (right - left)

    def at_y(self, value: float) -> float:
        """Pixel row of a value."""
        low, high = self.y
        _, top, _, bottom = self.box
        return bottom - (value - low) / (high - low) * (bottom - top)


def axes(area: Area, x_ticks: Iterable[float], y_ticks: Iterable[float], x_label: str, y_label: str) -> list[str]:
    """Grid, tick labels and axis labels."""
    left, top, right, bottom = area.box
    parts = []
    for value in x_ticks:
        x = _place(area.at_x(value))
        parts.append(f'<path class="grid" d="M{x} {_place(top)}V{_place(bottom + _TICK)}"/>')
        parts.append(text(area.at_x(value), bottom + 17, number(value), 'tick middle'))
    for value in y_ticks:
        y = _place(area.at_y(value))
        parts.append(f'<path class="grid" d="M{_place(left - _TICK)} {y}H{_place(right)}"/>')
        parts.append(text(left - _GAP - 2, area.at_y(value) + 4, number(value), 'tick end'))
    parts.append(f'<path class="axis" d="M{_place(left)} {_place(top)}V{_place(bottom)}H{_place(right)}"/>')
    parts.append(text((left + right) / 2, area.height - 6, x_label, 'label middle'))
    if y_label:
        turned = f'translate(12 {_place((top + bottom) / 2)}) rotate(-90)'
        parts.append(f'<text class="label middle" transform="{turned}">{html.escape(y_label)}</text>')
    return parts


def text(x: float, y: float, words: str, kind: str) -> str:
    """Words at a place; `kind`: classes of the style sheet."""
    return f'<text class="{kind}" x="{_place(x)}" y="{_place(y)}">{html.escape(words)}</text>'


def line(area: Area, x: Sequence[float], y: Sequence[float | None], index: int, name: str, offset: int = 0) -> str:
    """A curve with a marker now and then; values that are None break it.

    Args:
      area: where.
      x: [N].
      y: [N].
      index: of the series.
      name: shown when pointed at.
      offset: shifts the markers along the curve, so that curves on top of each other show theirs side by side.
    """
    path, pen_down, places = [], False, []
    for xi, yi in zip(x, y, strict=True):
        if yi is None or not area.x[0] <= xi <= area.x[1]:
            pen_down = False
            continue
        px, py = area.at_x(xi), area.at_y(yi)
        path.append(f'{"L" if pen_down else "M"}{_place(px)} {_place(py)}')
        places.append((px, py))
        pen_down = True
    if not places:
        return ''
    every = max(len(places) // 6, 1)
    dash = DASHES[index % len(DASHES)]
    style = f' stroke-dasharray="{dash}"' if dash else ''
    marks = [marker(px, py, index) for px, py in places[offset * every // 4 % every :: every]]
    return series(index, name, f'<path class="line" d="{"".join(path)}"{style}/>{"".join(marks)}')


def series(index: int, name: str, parts: str) -> str:
    """What belongs to one series: the page's scripts find it by `data-t`."""
    return f'<g class="c{index % COLORS}" data-t="{index}"><title>{html.escape(name)}</title>{parts}</g>'


def marker(x: float, y: float, index: int, size: float = 3.6, hollow: bool = False) -> str:
    """The series' marker at (x, y), pixels: eight closed shapes, hollow for what is published."""
    kind = index % MARKERS
    style = 'hollow' if hollow else 'mark'
    if kind == 0:
        return f'<circle class="{style}" cx="{_place(x)}" cy="{_place(y)}" r="{_place(size)}"/>'
    corners, turn, scale, inner = _SHAPES[kind - 1]
    points = []
    for i in range(corners):
        for part, factor in ((i, 1.0), (i + 0.5, inner)):
            if factor:
                angle, radius = 2 * math.pi * (turn + part / corners), size * scale * factor
                points.append(f'{_place(x + radius * math.cos(angle))} {_place(y + radius * math.sin(angle))}')
    return f'<path class="{style}" d="M{"L".join(points)}Z"/>'


def picture(area: Area, parts: Iterable[str], title: str, description: str) -> str:
    """The whole picture, named for those who do not see it."""
    size = f'0 0 {_place(area.width)} {_place(area.height)}'
    words = f'<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>'
    return f'<svg viewBox="{size}" role="img" aria-label="{html.escape(title)}">{words}{"".join(parts)}</svg>'


def swatch(index: int, hollow: bool = False, with_line: bool = True) -> str:
    """A legend's sample of a series."""
    dash = DASHES[index % len(DASHES)]
    style = f' stroke-dasharray="{dash}"' if dash else ''
    drawn = f'<path class="line" d="M1 7H33"{style}/>' if with_line else ''
    mark = marker(17, 7, index, hollow=hollow)
    return f'<svg class="swatch c{index % COLORS}" viewBox="0 0 34 14" aria-hidden="true">{drawn}{mark}</svg>'

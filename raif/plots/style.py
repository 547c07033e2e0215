"""The one look of every chart: palette, sizes, and the three forms a chart takes (PNG, SVG, inline SVG).

Charts are drawn in the light colours. On a page each of them becomes a CSS variable, so that charts follow its theme.
The four colours of data stay apart for readers who see fewer colours (at least 13 units of CIELAB in each kind
of colour blindness), and a marker or a line style always says the same as the colour.
"""

from __future__ import annotations

import io
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from markupsafe import Markup

from rewards.errors import RaifError

try:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager, get_font
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.text import Text
except ImportError as error:
    raise RaifError("plots need matplotlib, which is not installed: `pip install 'raif[report]'`.") from error

PAGE, INK, MUTED, LINE = "#ffffff", "#1e242c", "#5b6470", "#e2e0db"
BEFORE, AFTER, THIRD, FOURTH = "#b4590a", "#1f5fae", "#0d7f70", "#7d2360"
THEME = {  # drawn colour -> CSS variable, and what it is in a dark theme where the page does not define the variable
    PAGE: ("page", "#14171b"),
    INK: ("ink", "#e4e7eb"),
    MUTED: ("muted", "#a0a9b4"),
    LINE: ("line", "#313740"),
    BEFORE: ("before", "#eba45c"),
    AFTER: ("after", "#7db3f2"),
    THIRD: ("third", "#4fd0a5"),
    FOURTH: ("fourth", "#e08fc0"),
}
WIDTH = 360.0  # points; a chart is read at 310 to 460 px, so its text keeps its size
SMALL = 9.0  # points; notes and counts
_EAST_ASIAN = 0x2E80  # the first letter beyond what the usual font is for
RC: dict[Any, Any] = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11, "text.parse_math": False, "text.color": MUTED,
    "axes.edgecolor": LINE, "axes.linewidth": 1.0, "axes.labelcolor": MUTED, "axes.facecolor": PAGE,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "axes.axisbelow": True,
    "axes.grid": True, "grid.color": LINE, "grid.linewidth": 1.0, "lines.solid_capstyle": "round",
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.major.size": 0, "ytick.major.size": 0,
    "figure.facecolor": PAGE, "figure.edgecolor": "none", "savefig.facecolor": "auto",
}  # fmt: skip


class Plot(NamedTuple):
    """A chart, or the reason why there is none: `figure` is None where there is nothing to draw, and `absent` says why.

    `name` is the stem of its files; `description` holds every number of the chart in words, for screen readers.
    """

    name: str
    title: str
    description: str
    figure: Figure | None
    absent: str = ""


def nothing(name: str, title: str, why: str) -> Plot:
    """Return a chart that has nothing to draw."""
    return Plot(name, title, "", None, why)


def new_figure(height: float, width: float = WIDTH, title: str = "", note: str = "") -> Figure:
    """Open a figure (sizes in points) with its title above and a note beneath; both are wrapped to its width."""
    lines = wrap(note, int(width / 4.6))
    figure = Figure(figsize=(width / 72, (height + 11 * len(lines)) / 72), layout="constrained")
    figure.get_layout_engine().set(h_pad=5 / 72)  # type: ignore[union-attr, call-arg]
    if title:
        text = "\n".join(wrap(title, int(width / 7.3)))
        figure.suptitle(text, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    if lines:
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=SMALL, color=MUTED)
    return figure


def readable(plot: Plot) -> Plot:
    """Give texts a second font for letters that the usual one lacks, such as Chinese; no chart where none has them."""
    wanted = frozenset(char for char in plot.title + plot.description if ord(char) >= _EAST_ASIAN)
    if plot.figure is None or not wanted:
        return plot
    font = _font_with(wanted)
    if font is None:
        return nothing(plot.name, plot.title, "no installed font has the letters of its labels; a table has them.")
    for text in plot.figure.findobj(Text):
        text.set_fontfamily(["sans-serif", font])
    return plot


@cache
def _font_with(letters: frozenset[str]) -> str | None:
    """Return the first font, plain sans-serif ones first, that has all the letters."""
    known = {entry.name: entry.fname for entry in fontManager.ttflist if entry.style == "normal"}
    for name in sorted(known, key=lambda each: ("Sans" not in each, "Mono" in each, each)):
        charmap = get_font(known[name]).get_charmap()
        if all(ord(char) in charmap for char in letters):
            return name
    return None


def save(plot: Plot, stem: Path) -> tuple[Path, Path]:
    """Write `STEM.png` (200 dots an inch) and `STEM.svg` (text as text); equal plots give equal bytes.

    Errors: a plot that has nothing to draw.
    """
    if plot.figure is None:
        raise RaifError(f"the plot {plot.name!r} has nothing to draw: {plot.absent}")
    image, vector = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
    buffer = io.BytesIO()
    _settle(plot.figure)
    with rc_context(RC):
        plot.figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    _write(image, buffer.getvalue())
    text = _drawn(plot.figure, plot.title + plot.description, transparent=False)
    _write(vector, _named(text, plot.title, plot.description).encode())
    return image, vector


def inline(plot: Plot) -> Markup:
    """Return a chart as an <svg> element that shares a page with others and follows its theme.

    Errors: a plot that has nothing to draw.
    """
    if plot.figure is None:
        raise RaifError(f"the plot {plot.name!r} has nothing to draw: {plot.absent}")
    return inline_svg(plot.figure, plot.title, plot.description)


def inline_svg(figure: Figure, title: str, description: str = "") -> Markup:
    """Return a figure as an <svg> element, named and described for screen readers."""
    text = _drawn(figure, title + description, transparent=True)
    text = text[text.index("<svg") :]
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| id="[a-zA-Z]+\w*_\d+(?:\.\d+)?"', "", text)  # ids repeat between charts
    text = re.sub(r'(?:style|fill|stroke)="[^"]*"', lambda style: _themed(style[0]), text)
    return Markup(_named(text, title, description).rstrip())


def _drawn(figure: Figure, salt: str, transparent: bool) -> str:
    """Return the SVG of a figure; `salt` keeps the ids of its parts from those of other charts of a page."""
    buffer = io.StringIO()
    _settle(figure)
    with rc_context({**RC, "svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", transparent=transparent, metadata={"Date": None, "Creator": None})
    return re.sub(r"\s*<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)


def _settle(figure: Figure) -> None:
    """Lay a figure out once: a second time would move its parts a little, and bytes with them."""
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        with rc_context(RC):
            figure.draw_without_rendering()
        figure.set_layout_engine("none")


def _named(text: str, title: str, description: str) -> str:
    """Give an <svg> element its name and description."""
    key = f"p{sha256((title + description).encode()).hexdigest()[:12]}"
    named = Markup('<title id="{0}t">{1}</title>').format(key, title)
    attributes = f'role="img" aria-labelledby="{key}t"'
    if description:
        named += Markup('<desc id="{0}d">{1}</desc>').format(key, description)
        attributes += f' aria-describedby="{key}d"'
    opening = text.index("<svg ")
    end = text.index(">", opening) + 1
    return f"{text[:opening]}<svg {attributes} {text[opening + 5 : end]}{named}{text[end:]}"


def _themed(style: str) -> str:
    for drawn, (variable, dark) in THEME.items():
        style = style.replace(drawn, f"var(--{variable}, light-dark({drawn}, {dark}))")
    return style


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)

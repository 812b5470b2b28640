"""How all figures of a cohort look: sizes, colors, line styles, and how they become files."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

Format = Literal["svg", "pdf", "png"]
#: Width of the text of a journal's page (two columns, 180 mm), and of one and a half columns.
FULL_IN, WIDE_IN = 7.1, 5.4
INK, QUIET, FAINT, LINE = "#1d2126", "#5d6670", "#c3c9cf", "#d9dde2"
BLUE, ORANGE = "#164870", "#c8570c"
SMALL, NORMAL = 7.5, 8.5
_TINY, _FOOT_IN = 6.5, 0.2
#: The paper's colors of risk groups; "medium" is the paper's "Mid".
_SOF = {"low": "#000000", "high": "#cd5c5c"}
_CRS = {"low": "#10b4f3", "high": "#164870"}
_GRADE = {"low": "#faa935", "medium": "#10b4f3", "high": "#164870"}
#: All other groups: the colors of Okabe and Ito, told apart by color-blind readers.
_OTHERS = ("#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_SOLID, _LONG, _SHORT = "-", (0, (6, 2)), (0, (2, 1.4))
_DASHES: tuple[Any, ...] = (_SOLID, _LONG, _SHORT, (0, (6, 2, 1.5, 2)), (0, (1, 1.2)))


@dataclass(frozen=True, slots=True)
class Look:
    """Color and line style of a group; each alone tells the groups apart."""

    color: str
    dashes: Any = _SOLID


def looks_of(grouping: str, groups: Sequence[str]) -> dict[str, Look]:
    """Return how groups are drawn: the paper's colors for risk groups, safe ones for others."""
    levels = set(groups)
    if levels <= _SOF.keys() and levels:
        colors = _CRS if grouping == "crs" else _SOF
        return {each: Look(colors[each], _LONG if each == "low" else _SOLID) for each in groups}
    if levels <= _GRADE.keys() and levels:
        dashes = {"high": _SOLID, "medium": _SHORT, "low": _LONG}
        return {each: Look(_GRADE[each], dashes[each]) for each in groups}
    return {
        each: Look(_OTHERS[i % len(_OTHERS)], _DASHES[i % len(_DASHES)])
        for i, each in enumerate(groups)
    }


def as_ink(color: str) -> str:
    """Darken a color until letters in it can be read on white (contrast 4.5, WCAG 2 AA)."""
    red, green, blue = to_rgb(color)
    while _contrast(red, green, blue) < 4.5:
        red, green, blue = (0.94 * part for part in (red, green, blue))
    return to_hex((red, green, blue))


def _contrast(*rgb: float) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    light = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (light + 0.05)


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure that no window and no global state knows of."""
    layout = ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.07)
    figure = Figure(figsize=(width_in, height_in), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes, *, grid: Literal["", "x", "y", "both"] = "") -> Axes:
    """Take away what carries nothing: upper and right line, large letters, loud ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, length=3, width=0.7)
    axes.xaxis.label.set_fontsize(NORMAL)
    axes.yaxis.label.set_fontsize(NORMAL)
    if grid:
        axes.grid(axis=grid, color="#e7eaed", linewidth=0.7)
        axes.set_axisbelow(True)
    return axes


def panels(count: int, cols: int, cell_in: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with a grid of equal panels; unused places stay empty."""
    cols = max(1, min(cols, count))
    rows = -(-max(count, 1) // cols)
    figure = new_figure(cell_in[0] * cols, cell_in[1] * rows)
    grid = figure.subplots(rows, cols, squeeze=False).ravel().tolist()
    for unused in grid[count:]:
        unused.remove()
    return figure, grid[:count]


def as_file(
    figure: Figure, form: Format = "svg", *, dpi: int = 300, salt: str = "", foot: str = ""
) -> bytes:
    """Return a figure as the bytes of a file; the same figure gives the same bytes.

    Parameters
    ----------
    form
        ``"svg"`` keeps text as text, ``"pdf"`` embeds the letters it uses.
    dpi
        Of a PNG.
    salt
        Makes the inner names of an SVG differ from those of another on the same page.
    foot
        A line below the figure, which grows by it.
    """
    stream = io.BytesIO()
    metadata: dict[str, Any] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "png": {"Software": None},
    }[form]
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": salt or "figure", "pdf.fonttype": 42}
    with warnings.catch_warnings(), mpl.rc_context(settings):
        # The font may lack a letter of a name; a box is drawn in its place.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(stream, format=form, dpi=dpi, metadata=metadata, **_with_foot(figure, foot))
    data = stream.getvalue()
    return _own_ids(data.decode(), salt).encode() if form == "svg" and salt else data


def _with_foot(figure: Figure, foot: str) -> dict[str, Any]:
    """Write a line below a figure; return what to tell `savefig`, so that it is on the paper."""
    if not foot:
        return {}
    from matplotlib.transforms import Bbox

    width, height = figure.get_size_inches()
    if not any(text.get_gid() == "foot" for text in figure.texts):  # one file was written before
        figure.text(0.08 / width, -0.05 / height, foot, va="top", ha="left", fontsize=_TINY,
                    color=QUIET, parse_math=False, gid="foot")  # fmt: skip
    return {"bbox_inches": Bbox([[0, -_FOOT_IN], [width, height]])}


def _own_ids(svg: str, salt: str) -> str:
    """Put `salt` before every id, so that several SVGs can stand in one page."""

    def in_tag(tag: re.Match[str]) -> str:
        return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{salt}-", tag[0])

    return re.sub(r"<[a-zA-Z][^>]*>", in_tag, svg)

"""The report of a cohort as one HTML page that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Section, Tables
from napari_crlm_spa.core.report.cohort.facts import fact, is_simulated
from napari_crlm_spa.core.report.cohort.methods import methods
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY

_TEMPLATES = "core/data/templates"
#: Tables with more rows are folded.
ROWS_OPEN = 10
#: Figures are drawn for paper; on a screen they are shown larger, with letters like the page's.
_SCALE = 1.2
#: Of a table with more rows the page shows the first ones; the CSV has all.
ROWS_SHOWN = 200
_TITLES = {
    "fit": "Survival analysis of a cohort",
    "validate": "External validation of a risk model",
    "build": "A cohort",
}


@dataclass(frozen=True, slots=True)
class Links:
    """Where the page finds the files beside it; None leaves a link out."""

    table: Callable[[str], str | None]
    figure: Callable[[str], str | None]


def render_page(
    study: Study, sections: Sequence[Section], drawn: Mapping[str, bytes], links: Links
) -> str:
    """Return the page; every text in it is escaped.

    Parameters
    ----------
    sections
        What it shows, in order.
    drawn
        The figures as SVG, by name.
    links
        Addresses of tables and figures, relative to the page.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(inline=lambda plot: inline_svg(drawn[plot.name], plot.alt))
    tables = Tables(study)
    return environment.from_string(_text("cohort.html")).render(
        study=study,
        title=_TITLES.get(study.kind, "A cohort"),
        simulated=is_simulated(study),
        style=Markup(_text("report.css") + _text("cohort.css")),
        disclaimer=RESEARCH_USE_ONLY,
        summary=_summary(tables),
        sections=sections,
        methods=methods(tables),
        links=links,
        titles={name: table.title or name for name, table in study.tables.items()},
        rows_open=ROWS_OPEN,
        rows_shown=ROWS_SHOWN,
    )


def inline_svg(svg: bytes, alt: str) -> Markup:
    """Make an SVG file part of a page: its head goes, its size follows the window."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<style[^>]*>.*?</style>|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    size = re.search(r'<svg[^>]*?\bwidth="([\d.]+)pt"', text)
    width = float(size[1]) if size else 500.0
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    opening = Markup('<svg role="img" aria-label="{}" style="max-width: {:.2f}rem"').format(
        alt, _SCALE * width / 72 * 96 / 16
    )
    return opening + Markup(text[len("<svg") :])  # made by matplotlib, which escapes


def _summary(tables: Tables) -> list[tuple[str, str]]:
    """Return what stands in large letters: number and what it is."""
    out: list[tuple[str, str]] = []
    n, events = fact(tables.study, "n"), fact(tables.study, "events")
    if n is not None:
        out.append((numbers.whole(float(n)), "patients"))
    if events is not None:
        out.append((numbers.whole(float(events)), "deaths"))
    follow = _numbers(tables.row("follow_up"), "median_months", "lower95", "upper95")
    if numbers.known(follow[0]):
        shown = f"{numbers.fixed(follow[0], 1)} mo"
        out.append((shown, f"median follow-up{_ci(follow, 1)}"))
    overall = tables.row("groups", grouping="overall")
    at5 = _numbers(overall, "survival_5y", "survival_5y_lower95", "survival_5y_upper95")
    if numbers.known(at5[0]):
        out.append((numbers.percent(at5[0]), f"5-year survival{_ci(at5, 1, 100)}"))
    sof = _numbers(tables.row("logrank", grouping="sof"), "hr", "hr_lower95", "hr_upper95", "p")
    if numbers.known(sof[0]):
        fitted = " as fitted" if tables.study.kind == "fit" else ""
        told = f"hazard ratio, high against low spatial risk{fitted}{_ci(sof, 2)}; log-rank "
        out.append((numbers.fixed(sof[0], 2), told + numbers.p_equation(sof[3])))
    final = _numbers(tables.row("models", model="final"), "concordance", "concordance_se")
    if numbers.known(final[0]):
        se = f" (SE {numbers.fixed(final[1], 3)})" if numbers.known(final[1]) else ""
        out.append((numbers.fixed(final[0], 3), f"concordance of the final model as fitted{se}"))
    names = ("concordance", "concordance_lower95", "concordance_upper95")
    frozen = _numbers(tables.row("external"), *names)
    if numbers.known(frozen[0]):
        told = f"concordance of the model from elsewhere{_ci(frozen, 3)}"
        out.append((numbers.fixed(frozen[0], 3), told))
    return out


def _ci(values: Sequence[float], digits: int, scale: float = 1) -> str:
    low, high = (numbers.fixed(scale * each, digits) for each in values[1:3])
    if not numbers.known(values[1]) or not numbers.known(values[2]):
        return ""
    return f" ({low}\u2013{high})"


def _numbers(row: Mapping[str, Any], *names: str) -> list[float]:
    values = (row.get(name) for name in names)
    return [float(v) if isinstance(v, (int, float)) else float("nan") for v in values]


def _text(name: str) -> str:
    folder = resources.files("napari_crlm_spa").joinpath(_TEMPLATES)
    return folder.joinpath(name).read_text("utf-8")

"""The report of a study as one HTML page that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from napari_crlm_spa.core.cohort.study.contents import Study
from napari_crlm_spa.core.report.cohort.contents import Section, Tables
from napari_crlm_spa.core.report.cohort.facts import is_simulated
from napari_crlm_spa.core.report.cohort.form import form_of

_TEMPLATES = "core/data/templates"
#: Tables with more rows are folded.
ROWS_OPEN = 10
#: Figures are drawn for paper; on a screen they are shown larger, with letters like the page's.
_SCALE = 1.2
#: Of a table with more rows the page shows the first ones; the CSV has all.
ROWS_SHOWN = 200


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
    form = form_of(study.kind)
    tables = Tables(study, columns=form.columns)
    return environment.from_string(_text("cohort.html")).render(
        study=study,
        title=form.title,
        simulated=is_simulated(study),
        style=Markup(_text("report.css") + _text("cohort.css")),
        disclaimer=form.disclaimer,
        summary=form.summary(tables),
        sections=sections,
        methods=form.methods(tables),
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


def _text(name: str) -> str:
    folder = resources.files("napari_crlm_spa").joinpath(_TEMPLATES)
    return folder.joinpath(name).read_text("utf-8")

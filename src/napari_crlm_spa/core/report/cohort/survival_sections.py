"""Sections on survival curves and adjuvant chemotherapy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.report.cohort import figures, numbers
from napari_crlm_spa.core.report.cohort.columns import GROUPINGS, treated_words
from napari_crlm_spa.core.report.cohort.contents import Plot, Section, Tables
from napari_crlm_spa.core.report.cohort.facts import fact

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.cohort.study.contents import Study

_KM = ("grouping", "group", "time_months", "survival")
_ADJUVANT = "adjuvant"
_ARMS = {"without": "no adjuvant chemotherapy", "with": "adjuvant chemotherapy"}


def curves_section(tables: Tables) -> Section:
    """Return Kaplan-Meier curves of all groupings but those of adjuvant chemotherapy."""
    names = [name for name in _groupings(tables) if not name.startswith(_ADJUVANT)]
    return Section(
        "survival",
        "Survival of groups",
        plots=tuple(_curves(tables, names)),
        tables=tables.shown(
            "groups", "logrank", "logrank_pairwise", where=lambda rows: ~_is_adjuvant(rows)
        ),
        files=tables.files("km", "risk_table"),
        risk=any(name != "overall" for name in names),
    )


def adjuvant_section(tables: Tables) -> Section:
    """Return what adjuvant chemotherapy changes inside risk groups."""
    plots = []
    table = tables.get("adjuvant", "pretreated", "sof_group", "hr", "hr_lower95", "hr_upper95")
    if table is not None:
        plots.append(
            Plot("adjuvant", partial(figures.draw_adjuvant, table),
                 "Adjuvant chemotherapy against none: deaths/patients with and without, hazard "
                 "ratio, log-rank p. Treatment was not randomized; a difference between groups is "
                 "shown by the interaction test below, not by one p below 0.05 and one above.",
                 f"Forest plot of adjuvant chemotherapy in {len(table)} groups.", ("adjuvant",))
        )  # fmt: skip
    curves = _adjuvant_curves(tables)
    if curves is not None:
        plots.append(curves)
    return Section(
        "adjuvant",
        "Adjuvant chemotherapy",
        plots=tuple(plots),
        tables=(
            *tables.shown("adjuvant", "adjuvant_interaction"),
            *tables.shown("groups", where=_is_adjuvant),
        ),
        risk=bool(plots),
    )


def _is_adjuvant(rows: pd.DataFrame) -> Any:
    return rows["grouping"].astype(str).str.startswith(_ADJUVANT)


def _adjuvant_curves(tables: Tables) -> Plot | None:
    """Return curves of treated against untreated patients, side by side."""
    names = [name for name in _groupings(tables) if name.startswith(_ADJUVANT)]
    km = tables.get("km", *_KM)
    if not names or km is None:
        return None
    panels = []
    for name in names:
        rows = {g: tables.row("groups", grouping=name, group=g) for g in _of(km, name)}
        told = [", ".join(_arm(g, row) for g, row in rows.items())]
        told.append(note(tables.row("logrank", grouping=name)).replace("\n", ", "))
        panels.append(figures.CurvePanel(name, treated_words(name), "\n".join(filter(None, told))))
    alt = "; ".join(f"{p.title}: {p.note}".replace("\n", ", ") for p in panels)
    return Plot(
        "adjuvant-km",
        partial(figures.draw_curve_panels, km, panels, _ARMS),
        "Overall survival with and without adjuvant chemotherapy, by pretreatment and risk.",
        f"Survival curves. {alt}.",
        tables.files("km", "risk_table", "groups", "logrank"),
    )


def _arm(group: str, row: Mapping[str, Any]) -> str:
    n = float(row.get("n", float("nan")))
    return f"{numbers.whole(n)} {group}" if numbers.known(n) else group


def _groupings(tables: Tables) -> list[str]:
    km = tables.get("km", *_KM)
    return [] if km is None else list(dict.fromkeys(km["grouping"].astype(str)))


def _curves(tables: Tables, groupings: Iterable[str]) -> list[Plot]:
    km = tables.get("km", *_KM)
    if km is None:
        return []
    risk = tables.get("risk_table", "grouping", "group", "time_months", "n_risk")
    plots = []
    for grouping in groupings:
        words = grouping_words(tables.study, grouping)
        rows = {g: tables.row("groups", grouping=grouping, group=g) for g in _of(km, grouping)}
        test = tables.row("logrank", grouping=grouping)
        draw = partial(
            figures.draw_kaplan_meier,
            km,
            risk,
            grouping=grouping,
            labels={g: legend(words, g, row) for g, row in rows.items()},
            note=note(test),
        )
        told = "; ".join(_told(legend(words, g, row), row) for g, row in rows.items())
        caption = (
            f"{words.title}. Overall survival by Kaplan-Meier, with pointwise 95\u00a0% bands."
        )
        alt = f"Survival curves. {told}. {note(test).replace(chr(10), ', ')}".strip()
        plots.append(Plot(f"km-{_file(grouping)}", draw, caption, alt,
                          tables.files("km", "risk_table", "groups", "logrank")))  # fmt: skip
    return plots


@dataclass(frozen=True, slots=True)
class GroupingWords:
    """What people call a grouping and its groups."""

    name: str
    title: str
    labels: Mapping[str, str]


def grouping_words(study: Study, grouping: str) -> GroupingWords:
    """Return the words of a grouping: the study's own, or plain ones."""
    known = fact(study, "groupings")
    told = known.get(grouping) if isinstance(known, Mapping) else None
    told = told if isinstance(told, Mapping) else {}
    labels = dict(zip(told.get("levels") or (), told.get("labels") or (), strict=False))
    title = str(told.get("title") or GROUPINGS.get(grouping, _words(grouping)))
    return GroupingWords(grouping, title, labels)


def legend(words: GroupingWords, group: str, row: Mapping[str, Any]) -> str:
    """Name a group for a legend: Low spatial risk (n = 121, 40 deaths)."""
    name = words.labels.get(group) or _words(group)
    if words.name == "overall":
        name = words.title
    elif group in ("low", "medium", "high"):
        name = f"{name} {words.title.lower()}"
    n, events = (float(row.get(each, float("nan"))) for each in ("n", "events"))
    if not numbers.known(n):
        return name
    return f"{name} (n\u00a0=\u00a0{numbers.whole(n)}, {numbers.whole(events)} deaths)"


def note(test: Mapping[str, Any]) -> str:
    """Write what a curve's corner says: log-rank p, and the hazard ratio of two groups."""
    p = float(test.get("p", float("nan")))
    if not numbers.known(p):
        return ""
    lines = [f"Log-rank {numbers.p_equation(p)}"]
    hr = [float(test.get(c, float("nan"))) for c in ("hr", "hr_lower95", "hr_upper95")]
    if numbers.known(hr[0]):
        lines.append(f"HR {numbers.ratio(*hr)}")
    return "\n".join(lines)


def _told(name: str, row: Mapping[str, Any]) -> str:
    at5 = float(row.get("survival_5y", float("nan")))
    return f"{name}, 5-year survival {numbers.percent(at5)}" if numbers.known(at5) else name


def _of(km: Any, grouping: str) -> list[str]:
    return list(dict.fromkeys(km["group"][km["grouping"] == grouping].astype(str)))


def _words(key: str) -> str:
    text = key.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def _file(grouping: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in grouping.casefold())

"""The sections of a growth-pattern study's page: readers first, then what is measured of them."""

from __future__ import annotations

from functools import partial

from napari_crlm_spa.core.hgp.columns import MARKERS as COMPARED
from napari_crlm_spa.core.hgp.columns import PCT_D, PCT_NON_D
from napari_crlm_spa.core.hgp.consensus import reviewed
from napari_crlm_spa.core.report.cohort import numbers
from napari_crlm_spa.core.report.cohort.contents import Plot, Section, Tables
from napari_crlm_spa.core.report.cohort.figures import draw_flow
from napari_crlm_spa.core.report.cohort.summary import row_numbers
from napari_crlm_spa.core.report.growth import figures
from napari_crlm_spa.core.report.growth.figures.forests import PAIRS_DRAWN
from napari_crlm_spa.core.report.growth.outcome_section import outcome_section
from napari_crlm_spa.core.report.growth.rows import ALL, of_stratum, with_interval
from napari_crlm_spa.core.report.growth.telling_section import telling_section
from napari_crlm_spa.core.report.growth.words import MARKERS, VIEWS


def growth_sections(tables: Tables) -> list[Section]:
    """Return the sections that have anything to show; tables that none of them knows come last."""
    makers = (
        slides_section,
        readers_section,
        measured_section,
        association_section,
        telling_section,
        strata_section,
        outcome_section,
    )
    sections = [make(tables) for make in makers]
    others = [name for name in tables.study.tables if name not in tables.taken]
    sections.append(Section("more", "More tables", tables=tables.shown(*others)))
    return [section for section in sections if not section.is_empty]


def slides_section(tables: Tables) -> Section:
    """Return which slides count, and why others do not."""
    plots = []
    flow = tables.get("flow", "step", "unit", "before", "after", "excluded", "reason")
    if flow is not None:
        last = flow.to_dict("records")[-1]
        alt = f"Flow diagram that ends with {numbers.whole(float(last['after']))} {last['unit']}."
        plots.append(Plot("flow", partial(draw_flow, flow), "Flow diagram.", alt, ("flow",)))
    return Section(
        "slides",
        "What counts",
        plots=tuple(plots),
        tables=tables.shown("flow"),
        # They name slides and patients, which a page that is sent around doesn't.
        files=tables.files("slides", "patients", "problems"),
    )


def readers_section(tables: Tables) -> Section:
    """Return how far readers agree: no estimate can agree with them better."""
    plots = []
    table = tables.get("reliability", "what", "value", "lower", "upper")
    if table is not None:
        told = "; ".join(
            f"{VIEWS.get(str(row['what']), row['what'])} "
            f"{numbers.interval(row['value'], row['lower'], row['upper'], 2)}"
            for row in table.to_dict("records")
        )
        plots.append(
            Plot("growth-readers", partial(figures.draw_reliability, table),
                 "How far readers agree with each other (filled: beyond chance; open: not, or no "
                 "interval). No estimate can be expected to agree with them better.",
                 f"Agreement of readers: {told}.", ("reliability",))
        )  # fmt: skip
    for name, key, whom in (
        ("rater_pairs", "rater_a", "every two readers"),
        ("within_readers", "rater", "readers and their own earlier reading"),
    ):
        pairs = tables.get(name, key, "bias", "low_limit", "high_limit", "icc")
        if pairs is not None and pairs["bias"].notna().any():
            few = PAIRS_DRAWN
            cut = f" The {few} with the widest limits." if len(pairs) > few else ""
            caption = (
                f"Bland-Altman comparison of {whom}: bias with its interval (square, thick) and "
                f"the limits that hold 95\u00a0% of differences (thin).{cut}"
            )
            alt = f"Bias and limits of agreement of {len(pairs)} comparisons of {whom}."
            draw = partial(figures.draw_pairs, pairs, within=key == "rater")
            plots.append(Plot(f"growth-{name.replace('_', '-')}", draw, caption, alt, (name,)))
    return Section(
        "readers",
        "Readers",
        plots=tuple(plots),
        tables=tables.shown("raters", "reliability", "rater_pairs", "within_readers"),
    )


def measured_section(tables: Tables) -> Section:
    """Return whether the measured share is the reviewed share."""
    plots = []
    slides = tables.get("slides", PCT_D, reviewed(PCT_D))
    if slides is not None and slides[[PCT_D, reviewed(PCT_D)]].notna().all(axis=1).any():
        row = tables.row("agreement", stratum=ALL)
        icc = with_interval(row, "icc", "icc_")
        bias, low, high = row_numbers(row, "bias", "low_limit", "high_limit")
        alt = (
            f"Measured and reviewed desmoplastic share of "
            f"{numbers.whole(float(row.get('n', len(slides))))} slides: ICC "
            f"{numbers.interval(*icc, 2)}; bias {numbers.fixed(bias, 1)} points, limits "
            f"{numbers.fixed(low, 1)} to {numbers.fixed(high, 1)}."
        )
        caption = (
            "Left: measured and reviewed share, the line where both are the same (gray) and the "
            "line of calibration (dashed). Right: their difference, bias (line) and limits of "
            "agreement (dashed), each with its interval (band). Larger marks: several slides at "
            "the same place."
        )
        draw = partial(figures.draw_measured, slides, row)
        plots.append(
            Plot("growth-measured", draw, caption, alt, tables.files("slides", "agreement"))
        )
    groups = of_stratum(tables.get(
        "calibration", "stratum", "measured_mean", "reviewed_mean", "reviewed_lower",
        "reviewed_upper", "share_d", "share_d_lower", "share_d_upper"), ALL)  # fmt: skip
    if groups is not None and groups["measured_mean"].notna().any():
        plots.append(
            Plot("growth-calibration", partial(figures.draw_calibration, groups),
                 "Calibration, in groups by the measured share. Left: mean reviewed share; on the "
                 "gray line both are the same. Right: how many slides readers call D.",
                 f"Reviewed share and share of D in {len(groups)} groups by the measured share.",
                 ("calibration",))
        )  # fmt: skip
    return Section(
        "measured",
        "Measured against reviewed",
        plots=tuple(plots),
        tables=tables.shown("agreement", "calibration"),
        risk=bool(plots),
    )


def association_section(tables: Tables) -> Section:
    """Return whether interaction, contact and rim go with the reviewed growth pattern."""
    plots = []
    table = of_stratum(tables.get("association", "stratum", "marker", "rho", "lower", "upper"), ALL)
    if table is not None and table["rho"].notna().any():
        told = "; ".join(
            f"{MARKERS.get(str(row['marker']), row['marker'])} "
            f"{numbers.interval(row['rho'], row['lower'], row['upper'], 2)}"
            for row in table.to_dict("records")
        )
        plots.append(
            Plot("growth-association", partial(figures.draw_association, table),
                 "Rank correlation with the reviewed non-desmoplastic share; below, given the "
                 "size of the tumor, since the paper's form of the interaction sinks as a lesion "
                 "grows. A rim should go the other way.",
                 f"Forest plot of Spearman's rho: {told}.", ("association",))
        )  # fmt: skip
    slides = tables.get("slides", reviewed(PCT_NON_D))
    if slides is not None:
        known = slides[reviewed(PCT_NON_D)].notna()
        markers = [each for each in COMPARED if each in slides and slides.loc[known, each].count()]
        rho = {} if table is None else {
            str(row["marker"]): (row["rho"], row["lower"], row["upper"])
            for row in table.to_dict("records")
        }  # fmt: skip
        if markers:
            named = ", ".join(MARKERS[each] for each in markers)
            draw = partial(figures.draw_markers, slides, markers, rho)
            caption = (
                "What was measured, against the reviewed non-desmoplastic share. Larger marks: "
                "several slides at the same place."
            )
            alt = f"Scatter plots of {len(slides)} slides: {named}."
            plots.append(Plot("growth-markers", draw, caption, alt, ("slides",)))
    plots += _extremes(tables)
    return Section(
        "association",
        "Interaction and the reviewed growth pattern",
        plots=tuple(plots),
        tables=tables.shown("association", "extremes"),
        risk=bool(plots),
    )


def _extremes(tables: Tables) -> list[Plot]:
    columns = ("stratum", "marker", "k", "low_d", "high_d", "p")
    table = of_stratum(tables.get("extremes", *columns), ALL)
    table = None if table is None else table[table["k"] > 0]
    if table is None or not len(table):
        return []
    told = "; ".join(
        f"{MARKERS.get(str(row['marker']), row['marker'])}: D {numbers.whole(row['low_d'])} of "
        f"{numbers.whole(row['k'])} lowest, {numbers.whole(row['high_d'])} of "
        f"{numbers.whole(row['k'])} highest, {numbers.p_equation(row['p'])}"
        for row in table.to_dict("records")
    )
    caption = (
        "As in the paper: the slides of lowest and of highest score, by their reviewed call; p of "
        "Fisher's exact test. The slides between them are not shown, which makes an association "
        "look larger than it is."
    )
    draw = partial(figures.draw_extremes, table)
    return [Plot("growth-extremes", draw, caption, f"Bars. {told}.", ("extremes",))]


def strata_section(tables: Tables) -> Section:
    """Return the same in chemotherapy-naive and in pretreated patients."""
    association = tables.get("association", "stratum", "marker", "rho", "lower", "upper")
    agreement = tables.get("agreement", "stratum", "icc", "icc_lower", "icc_upper")
    rules = tables.get("rules", "stratum", "rule", "reviewed_rule", "kappa")
    given = [each for each in (association, agreement, rules) if each is not None]
    if not any(each["stratum"].nunique() > 1 for each in given):
        return Section("strata", "Without and with chemotherapy")
    draw = partial(figures.draw_strata, association, agreement, rules)
    caption = (
        "All patients, and those without and with chemotherapy before the resection: "
        "chemotherapy shifts the growth pattern towards desmoplastic."
    )
    names = ", ".join(dict.fromkeys(str(s) for each in given for s in each["stratum"]))
    alt = f"Agreement and correlation by stratum: {names}."
    used = tables.files("association", "agreement", "rules")
    plot = Plot("growth-strata", draw, caption, alt, used)
    return Section("strata", "Without and with chemotherapy", plots=(plot,), risk=True)

"""Figures of a growth-pattern study show the numbers of their tables, and survive holes."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from napari_crlm_spa._tests.core.report.cohort.test_figures import BLINDNESS, holes, lab
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.growth import figures
from napari_crlm_spa.core.report.growth.figures.extremes import _D, _NON_D
from napari_crlm_spa.core.report.growth.figures.forests import AGREEMENT, PAIRS_DRAWN, POINTS
from napari_crlm_spa.core.report.growth.figures.slides import _LOOKS
from napari_crlm_spa.core.report.growth.sections import growth_sections
from napari_crlm_spa.core.report.growth.words import FOOT


def slides_of(measured, reviewed, chemo=0.0):
    return pd.DataFrame(
        {"pct_D": measured, "reviewed_pct_D": reviewed, "chemo": chemo}, dtype=float
    )  # fmt: skip


def marks(axes):
    return [each for each in axes.collections if isinstance(each, PathCollection)]


def texts(axes):
    return {text.get_text().strip() for text in axes.texts}


def test_every_slide_is_a_mark_and_those_at_one_place_are_one_larger_mark():
    slides = slides_of([100, 100, 100, 40, np.nan], [100, 100, 100, 60, 10])
    scatter, apart = figures.draw_measured(slides, {}).axes
    [shown] = marks(scatter)
    assert sorted(map(tuple, shown.get_offsets().tolist())) == [(40, 60), (100, 100)]
    assert max(shown.get_sizes()) == pytest.approx(3 * min(shown.get_sizes()))
    [shown] = marks(apart)
    assert sorted(map(tuple, shown.get_offsets().tolist())) == [(50, -20), (100, 0)]


def test_pretreated_slides_have_another_mark_and_so_have_unknown_ones():
    slides = slides_of([10, 20, 30], [10, 20, 30], [0, 1, np.nan])
    scatter, _ = figures.draw_measured(slides, {}).axes
    assert [each.get_label() for each in marks(scatter)] == [label for label, *_ in _LOOKS]
    assert len({each.get_paths()[0].vertices.shape for each in marks(scatter)}) == 3


@pytest.mark.parametrize("eye", BLINDNESS)
def test_colors_differ_for_every_eye(eye):
    pairs = [*itertools.combinations([color for *_, color in _LOOKS], 2), (_D, _NON_D)]
    for one, other in pairs:
        assert np.linalg.norm(lab(one, eye) - lab(other, eye)) > 18, (one, other)


def test_bias_and_limits_lie_where_the_table_says():
    row = {"bias": 3.0, "low_limit": -9.5, "high_limit": 15.5}
    _, apart = figures.draw_measured(slides_of([10, 50], [5, 49]), row).axes
    assert {"3.0", "\u22129.5", "15.5"} <= texts(apart)
    drawn = {line.get_ydata()[0] for line in apart.lines}
    assert {3.0, -9.5, 15.5} <= drawn


def test_bars_count_as_the_paper_does():
    table = pd.DataFrame(
        {"marker": ["interaction_paper"], "k": [15], "low_d": [15], "high_d": [4], "p": [5e-5]}
    )
    axes = figures.draw_extremes(table).axes[0]
    assert texts(axes) == {"15", "4", "11", "p <\u00a00.0001"}
    widths = [round(bar.get_width(), 1) for bar in axes.patches]
    assert widths == [100, 0, 26.7, 73.3]


def test_forests_say_the_numbers_of_their_tables(study):
    table = study.tables["association"].frame.query("stratum == 'all'")
    said = texts(figures.draw_association(table).axes[0])
    row = table.iloc[0]
    assert f"{row.rho:.2f} ({row.lower:.2f}\u2013{row.upper:.2f})" in said
    assert f"{row.partial_rho:.2f} ({row.partial_lower:.2f}\u2013{row.partial_upper:.2f})" in said
    added = study.tables["outcome_added"].frame
    said = texts(figures.draw_added(added).axes[0])
    assert f"{added['lrt'].iloc[0]:.2f}" in said
    assert "Interaction, paper's form, per SD" in said


def test_limits_of_agreement_are_a_thinner_line_than_the_interval(study):
    pairs = study.tables["rater_pairs"].frame
    axes = figures.draw_pairs(pairs).axes[0]
    first = pairs.iloc[0]
    ends = {tuple(np.round(line.get_xdata(), 6)): line.get_linewidth() for line in axes.lines}
    outer = ends[tuple(np.round([first.low_limit, first.high_limit], 6))]
    assert outer < ends[tuple(np.round([first.bias_lower, first.bias_upper], 6))]


def test_of_many_readers_the_pairs_that_differ_most_are_drawn(study):
    pair = study.tables["rater_pairs"].frame.head(1)
    many = pd.concat([pair.assign(high_limit=float(i), rater_b=f"R{i}") for i in range(190)])
    figure = figures.draw_pairs(many.reset_index(drop=True))
    assert figure.get_size_inches()[1] < 8
    assert {"Ada \u2212 R189", "Ada \u2212 R160"} <= texts(figure.axes[0])
    assert len(figure.axes[0].texts) < 6 * (PAIRS_DRAWN + 1)


def test_axes_of_agreement_reach_from_chance_to_full_and_further_if_needed():
    low, high = AGREEMENT.limits([0.4, 0.9])
    assert low < 0 and high > 1
    assert AGREEMENT.limits([-0.4])[0] < -0.4
    assert AGREEMENT.ticks_within(low, high) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert len(POINTS.ticks_within(-100, 100)) <= 6


@pytest.mark.parametrize("change", [holes, lambda f: f.head(1), lambda f: f.head(0)])
def test_no_table_can_break_the_report_by_holes_or_few_rows(study, change):
    tables = {
        name: dataclasses.replace(table, frame=change(table.frame))
        for name, table in study.tables.items()
    }
    for section in growth_sections(Tables(dataclasses.replace(study, tables=tables))):
        for plot in section.plots:
            style.as_file(plot.draw(), "png", dpi=20, foot=FOOT)


def test_every_table_can_be_missing(study):
    for name in study.tables:
        tables = {key: table for key, table in study.tables.items() if key != name}
        sections = growth_sections(Tables(dataclasses.replace(study, tables=tables)))
        assert not any(name in plot.tables for section in sections for plot in section.plots)


def test_the_line_below_a_figure_is_on_every_paper_and_written_once():
    figure = style.new_figure(3, 2)
    plain = style.as_file(figure, "svg", salt="x")
    svg = style.as_file(figure, "svg", salt="x", foot=FOOT).decode()
    assert FOOT not in plain.decode()
    assert svg.count(f">{FOOT}<") == 1
    style.as_file(figure, "png", dpi=50, foot=FOOT)
    assert len(figure.texts) == 1
    assert 'height="158.4pt"' in svg

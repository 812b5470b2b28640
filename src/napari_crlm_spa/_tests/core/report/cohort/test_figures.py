"""Figures show their numbers, and are told apart by color-blind readers."""

import dataclasses
import itertools
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from napari_crlm_spa.core.report.cohort import figures
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.figures import style
from napari_crlm_spa.core.report.cohort.sections import all_sections

#: Machado, Oliveira & Fernandes, IEEE Trans Vis Comput Graph 2009;15:1291, severity 1.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def lab(color, eye):
    """CIE L*a*b* of a color as an eye sees it."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(BLINDNESS[eye] @ linear, 0, 1)
    xyz = seen @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192],
                           [0.1805, 0.0722, 0.9505]])  # fmt: skip
    x, y, z = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", BLINDNESS)
@pytest.mark.parametrize(
    ("grouping", "groups"),
    [
        ("sof", ["low", "high"]),
        ("crs", ["low", "high"]),
        ("combined", ["low", "medium", "high"]),
        ("adjuvant_all_all", ["without", "with"]),
        ("other", ["a", "b", "c"]),
    ],
)
def test_groups_differ_in_color_for_every_eye_and_in_line_style(grouping, groups, eye):
    looks = figures.looks_of(grouping, groups)
    for one, other in itertools.combinations(groups, 2):
        distance = np.linalg.norm(lab(looks[one].color, eye) - lab(looks[other].color, eye))
        assert distance > 20, (one, other, distance)
        assert looks[one].dashes != looks[other].dashes


def test_the_colors_are_the_papers():
    colors = [figures.looks_of("sof", ["low", "high"])[each].color for each in ("low", "high")]
    assert colors == ["#000000", "#cd5c5c"]
    grade = figures.looks_of("combined", ["low", "medium", "high"])
    assert [grade[each].color for each in ("high", "medium", "low")] == [
        "#164870", "#10b4f3", "#faa935"
    ]  # fmt: skip


@pytest.mark.parametrize("color", ["#faa935", "#10b4f3", "#cd5c5c", "#56b4e9"])
def test_colored_letters_can_be_read(color):
    assert style._contrast(*to_rgb(style.as_ink(color))) >= 4.5


def km_of(times, shares):
    return pd.DataFrame(
        {"group": "a", "time_months": times, "survival": shares, "n_censor": 0,
         "lower95": shares, "upper95": shares}
    )  # fmt: skip


def test_a_curve_steps_down_where_patients_die():
    drawing = figures.draw_curves(Figure(), km_of([0.0, 10.0, 25.0], [1.0, 0.5, 0.25]))
    line = drawing.lines["a"]
    assert line.get_drawstyle() == "steps-post"
    assert line.get_xdata().tolist() == [0, 10, 25]
    assert line.get_ydata().tolist() == [100, 50, 25]


def test_rows_need_not_be_in_order():
    drawing = figures.draw_curves(Figure(), km_of([25.0, 0.0, 10.0], [0.25, 1.0, 0.5]))
    assert drawing.lines["a"].get_ydata().tolist() == [100, 50, 25]


def test_the_number_at_risk_stands_below_its_month():
    risk = pd.DataFrame({"group": "a", "time_months": [0.0, 12.0, 24.0], "n_risk": [433, 344, 9]})
    drawing = figures.draw_curves(Figure(), km_of([0.0, 24.0], [1.0, 0.5]), risk)
    shown = {text.get_position()[0]: text.get_text() for text in drawing.risk.texts}
    assert shown == {0: "433", 12: "344", 24: "9"}


def test_curves_fit_into_axes_that_somebody_else_owns():
    axes = Figure().subplots()
    assert figures.draw_curves(axes, km_of([0.0, 5.0], [1.0, 0.9])).curves is axes


def test_a_forest_plot_says_the_numbers_of_its_table(study):
    table = study.tables["univariate"].frame
    said = {t.get_text().strip() for t in figures.draw_univariate(table).axes[0].texts}
    assert set(table["label"]) <= said
    row = table.iloc[0]
    assert f"{row.hr:.2f} ({row.hr_lower95:.2f}\u2013{row.hr_upper95:.2f})" in said


def test_an_infinite_interval_ends_in_an_arrow_and_a_missing_one_is_left_out():
    rows = [figures.ForestRow("runs away", 40.0, 0.5, np.inf, (), ("\u2013",)),
            figures.ForestRow("none", right=("\u2013",))]  # fmt: skip
    axes = figures.draw_forest(rows, left_heads=("",), right_heads=("HR",)).axes[0]
    assert [line.get_marker() for line in axes.lines].count(">") == 1
    low, high = axes.get_xlim()
    assert high <= 20 and low > 0


def holes(frame):
    frame = frame.copy()
    for name in frame.select_dtypes("number").columns:
        frame[name] = np.nan
    return frame


@pytest.mark.parametrize("change", [holes, lambda f: f.head(1), lambda f: f.head(0)])
def test_no_table_can_break_the_report_by_holes_or_few_rows(study, change):
    tables = {
        name: dataclasses.replace(table, frame=change(table.frame))
        for name, table in study.tables.items()
    }
    for section in all_sections(Tables(dataclasses.replace(study, tables=tables))):
        for plot in section.plots:
            style.as_file(plot.draw(), "png", dpi=20)


def test_every_table_can_be_missing(study):
    for name in study.tables:
        tables = {key: table for key, table in study.tables.items() if key != name}
        sections = all_sections(Tables(dataclasses.replace(study, tables=tables)))
        assert not any(name in plot.tables for section in sections for plot in section.plots)
        assert not any(table.name == name for section in sections for table in section.tables)


def test_a_figure_is_valid_svg_with_text_as_text(study):
    svg = style.as_file(figures.draw_flow(study.tables["flow"].frame), salt="flow").decode()
    ElementTree.fromstring(svg)
    assert "patients left out" in svg


def test_the_same_figure_gives_the_same_bytes(study):
    table = study.tables["flow"].frame
    once, again = (style.as_file(figures.draw_flow(table), salt="flow") for _ in range(2))
    assert once == again


def test_letters_that_mean_something_to_xml_or_tex_stay_letters(study):
    table = study.tables["univariate"].frame.head(1).assign(label="<b> & $x_1$")
    svg = style.as_file(figures.draw_univariate(table), salt="u").decode()
    assert "&lt;b&gt; &amp; $x_1$" in svg


def test_the_flow_diagram_counts_from_slides_to_patients(study):
    figure = figures.draw_flow(study.tables["flow"].frame)
    said = [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    assert said[0] == "252 slides"
    assert said[-2:] == ["150 patients", "analyzed"]
    assert "67 slides left out" in said
    assert not any(text.startswith("0 ") for text in said)


def test_the_flow_diagram_counts_one_slide_as_one():
    steps = {"step": "select", "reason": "too little tumor", "unit": "slides"}
    flow = pd.DataFrame([{**steps, "before": 2, "excluded": 1, "after": 1}])
    said = [text.get_text() for text in figures.draw_flow(flow).axes[0].texts]
    assert "1 slide left out" in said
    assert "1 slide" in said


def calibration(**more):
    frame = pd.DataFrame({"model": "final", "time_months": 60.0, "group": [1, 2], "n": 9})
    return frame.assign(predicted=[0.4, 0.6], observed=[0.5, 0.8], std_err=[0.2, 0.6], **more)


def bars(table):
    """Ends of the intervals as drawn, in percent."""
    (stems,) = figures.draw_calibration(table).axes[0].collections
    return np.array([[segment[0][1], segment[1][1]] for segment in stems.get_segments()])


def test_calibration_shows_the_intervals_of_its_table():
    drawn = bars(calibration(lower95=[0.3, 0.5], upper95=[0.7, 0.9]))
    np.testing.assert_allclose(drawn, [[30, 70], [50, 90]])


def test_without_intervals_the_error_is_that_of_the_logarithm_and_ends_at_one():
    drawn = bars(calibration())
    wanted = [[50 * np.exp(-0.392), 50 * np.exp(0.392)], [80 * np.exp(-1.176), 100]]
    np.testing.assert_allclose(drawn, wanted)


def test_schoenfeld_smooths_stand_where_the_test_has_its_time():
    rows = pd.DataFrame(
        {"column": "a", "time_months": [1.0, 10.0, 50.0], "residual": [0.1, 0.2, 0.3],
         "transformed_time": [0.1, 0.5, 0.9]}
    )  # fmt: skip
    smooth = pd.DataFrame(
        {"column": "a", "time_months": [1.0, 50.0], "beta": [0.0, 1.0], "lower95": -1.0,
         "upper95": 2.0}
    )  # fmt: skip
    axes = figures.draw_schoenfeld(rows, smooth).axes[0]
    line = next(each for each in axes.lines if each.get_color() == style.BLUE)
    np.testing.assert_allclose(line.get_xdata(), [0.1, 0.9])


def test_the_selection_says_what_it_began_with():
    path = pd.DataFrame(
        [("backward", 0, "", np.nan, 9.0), ("backward", 1, "- Overall_Debris_ratio", 1, 8.0),
         ("forward", 0, "", np.nan, 11.0), ("forward", 1, "+ Overall_Debris_ratio", 1, 10.0)],
        columns=["direction", "step", "change", "df", "aic"],
    )  # fmt: skip
    backward, forward = figures.draw_selection(path).axes
    said = [[t.get_text() for t in axes.get_yticklabels()] for axes in (backward, forward)]
    assert said == [
        ["start: all candidates", "\u2212 Debris (necrosis), overall"],
        ["start: none", "+ Debris (necrosis), overall"],
    ]

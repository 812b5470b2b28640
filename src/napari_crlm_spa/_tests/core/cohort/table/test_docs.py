"""docs/cohort-table.md says what the code does."""

import re
from pathlib import Path

import pytest

from napari_crlm_spa.core.cohort.columns import CLINICAL, DECLARED, EVENT, PATIENT, SLIDE, TIME
from napari_crlm_spa.core.cohort.table import BuildOptions, FilterOptions
from napari_crlm_spa.core.cohort.table.check import LONGEST_MONTHS, MEDIAN_MONTHS
from napari_crlm_spa.core.cohort.table.headers import take_columns
from napari_crlm_spa.core.cohort.table.patients import RULES

PAGE = Path(__file__).parents[6] / "docs" / "cohort-table.md"


@pytest.fixture(scope="module")
def page():
    if not PAGE.is_file():
        pytest.skip("the documentation lies beside the source only")
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(page):
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in page.splitlines()]
    named = [row for row in cells if len(row) == 3 and re.fullmatch(r"`[\w.]+`", row[0])]
    return {row[0].strip("`"): (row[1], re.findall(r"`([^`]+)`", row[2])) for row in named}


def test_the_page_lists_every_clinical_column_with_codes_unit_and_aliases(rows):
    assert set(rows) >= {PATIENT, SLIDE, DECLARED, TIME, EVENT, *CLINICAL}
    for name, variable in CLINICAL.items():
        holds, aliases = rows[name]
        assert aliases == list(variable.aliases), name
        assert variable.unit in holds, name
        for code, word in enumerate(variable.codes):
            assert f"{code} {word}" in holds, name


def test_every_other_spelling_is_found(rows):
    for name, (_, aliases) in rows.items():
        for alias in (each for each in aliases if not each.startswith("--")):
            assert take_columns([alias], {}, "t.csv").headers == {name: alias}


def test_rules_flags_and_limits_are_those_of_the_code(page):
    assert re.findall(r"^- `(\w+)`(?: \(default\))?:", page, re.MULTILINE) == list(RULES)
    assert BuildOptions().patient_rule == "largest_tumor"
    flags = set(re.findall(r"--([a-z][a-z-]+)", page)) - {"clinical", "strict"}
    known = {*BuildOptions.__dataclass_fields__, *FilterOptions.__dataclass_fields__}
    assert {flag.replace("-", "_") for flag in flags} <= known
    assert f"over {MEDIAN_MONTHS:g} or longest over {LONGEST_MONTHS:g} months" in page

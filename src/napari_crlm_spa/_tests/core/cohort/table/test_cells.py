"""Spreadsheets of all dialects are one table."""

import datetime

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.table.cells import read_sheet
from napari_crlm_spa.core.cohort.table.numbers import to_numbers
from napari_crlm_spa.errors import CohortError

HEADER = ("patient", "Größe", "os.time")
ROWS = (("Müller", "1,5", "12"), ("O'Neil; Jr", "", "3"))


def _csv(separator):
    quote = lambda cell: f'"{cell}"' if separator in cell else cell  # noqa: E731
    return "".join(separator.join(map(quote, row)) + "\r\n" for row in (HEADER, *ROWS))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
def test_every_dialect_and_encoding_is_read(tmp_path, separator, encoding):
    path = tmp_path / "table.csv"
    path.write_bytes(_csv(separator).encode(encoding))
    sheet = read_sheet(path)
    assert sheet.header == HEADER
    assert sheet.rows == ROWS
    assert sheet.numbers == (2, 3)
    assert sheet.semicolons == (separator == ";")


def test_rows_are_counted_as_the_spreadsheet_does(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\na,b\n\n1,2\n,\n3,4\n")
    sheet = read_sheet(path)
    assert sheet.rows == (("1", "2"), ("3", "4"))
    assert sheet.numbers == (4, 6)


def test_excel_cells_become_text_without_losing_a_digit(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["patient", "x", "yes", "day", None, "n"])
    page.append([12, 0.123456789012345, True, datetime.datetime(2020, 3, 4), None, 7.0])
    page.append(["007", 1e-300, False, None, "odd", None])
    book.create_sheet("other").append(["a"])
    path = tmp_path / "t.xlsx"
    book.save(path)
    sheet = read_sheet(path)
    assert sheet.header == ("patient", "x", "yes", "day", "column E", "n")
    assert sheet.rows[0] == ("12", "0.123456789012345", "TRUE", "2020-03-04", "", "7")
    assert sheet.rows[1] == ("007", "1e-300", "FALSE", "", "odd", "")
    assert "not read: other" in sheet.dialect
    assert read_sheet(path, "other").header == ("a",)
    with pytest.raises(CohortError, match=r"no sheet 'third'.*Sheet, other"):
        read_sheet(path, "third")


def test_a_line_that_excel_writes_for_itself_is_no_header(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("sep=;\na;b\n1;2\n")
    assert read_sheet(path).header == ("a", "b")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x,x\n1,2\n", "several columns of the name x"),
        ("a.csv", b"x,y\n1,2,3\n", "Row 2 of a.csv has more cells"),
        ("a.csv", b"\x00\x01\x02", "no table of text"),
        ("a.xlsx", b"PK\x03\x04 broken", "no Excel file"),
        ("a.xls", b"", "save it as .xlsx"),
    ],
)
def test_what_is_no_table_says_so(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CohortError, match=says):
        read_sheet(path)
    with pytest.raises(CohortError, match="cannot be read"):
        read_sheet(tmp_path / "absent.csv")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_to_the_last_digit(numbers):
    found = to_numbers([repr(number) for number in numbers])
    assert found.values.tolist() == numbers
    assert not found.bad.any()


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 2)), min_size=1))
def test_decimal_commas_are_read_in_a_table_of_semicolons(numbers):
    found = to_numbers([f"{number:.2f}".replace(".", ",") for number in numbers], semicolons=True)
    assert found.values == pytest.approx(numbers, abs=1e-9)
    assert found.decimal_comma


@pytest.mark.parametrize(
    ("cells", "values", "bad"),
    [
        (["1,5", "2"], [1.5, 2.0], [False, False]),
        (["0,123", "0,456"], [0.123, 0.456], [False, False]),
        # A thousand and more, or one and a bit? Nobody knows, so nobody guesses.
        (["1,234", "7"], [np.nan, 7.0], [True, False]),
        (["1,5", "2.5"], [np.nan, 2.5], [True, False]),
        (["<5", "n/a", "", "12 cm", "inf", "1e3"], [np.nan] * 5 + [1000.0],
         [True, False, False, True, True, False]),
    ],
)  # fmt: skip
def test_doubtful_numbers_are_no_numbers(cells, values, bad):
    found = to_numbers(cells)
    np.testing.assert_array_equal(found.values, values)
    assert found.bad.tolist() == bad

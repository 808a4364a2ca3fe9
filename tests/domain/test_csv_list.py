"""Lists as spreadsheets write them are read; what cannot be read is named with its line."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.csv_list import Listed, read_rows, refused_list
from callcenter.errors import Invalid

_COLUMNS = ("id", "name", "phones")


def read(raw: bytes) -> list[Listed]:
    return list(read_rows(raw, _COLUMNS, needed=("name",)))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_it_is_read_with_any_separator_and_any_mark_of_its_encoding(separator: str, encoding: str) -> None:
    cells = {"name": "李娜", "phones": "1;2,3\t4"}
    raw = f'name{separator}phones\r\n李娜{separator}"1;2,3\t4"\r\n'.encode(encoding)
    assert read(raw) == [Listed(2, cells)]


def test_empty_rows_are_left_out_and_keep_their_place() -> None:
    assert [row.number for row in read(b"name,phones\n\n,\n  , \nAmy,\n")] == [5]


def test_a_row_that_is_too_wide_says_so_unless_nothing_stands_there() -> None:
    narrow, wide = read(b"name,phones\nAmy,1,,\nBo,2,3\n")
    narrow.check_width()
    with pytest.raises(Invalid, match="more cells than columns"):
        wide.check_width()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "Line 1: the column name is missing"),
        (b"name,born\n", "Line 1: 'born' is no column; expected id, name, phones"),
        (b"name,name\n", "Line 1: the column name is there twice"),
        ("name\nAmy\n李娜\n".encode("gbk"), "Line 3 is not in UTF-8"),
        (b'name\n"' + b"x" * 1_000_001, "Line 2 is not CSV"),
    ],
)
def test_what_is_no_such_list_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(raw)


_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=8)


@given(st.lists(st.tuples(_text, _text, _text), max_size=5))
def test_what_was_refused_is_read_again_without_its_reasons(rows: list[tuple[str, str, str]]) -> None:
    listed = [
        Listed(n, dict(zip(_COLUMNS, cells, strict=True)))
        for n, cells in enumerate(rows, start=2)
        if any(cell.strip() for cell in cells)
    ]
    text = refused_list(_COLUMNS, [(row, "no. ") for row in listed])
    assert [row.cells for row in read(text.encode())] == [row.cells for row in listed]
    reasons = [row["reason"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert reasons == [f"row {row.number}: no. " for row in listed]


@pytest.mark.parametrize("said", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_first_line_may_say_the_separator_and_rows_keep_the_number_that_a_person_sees(said: str) -> None:
    assert read(f"{said}\r\nname;phones\r\nLi, Na;1\r\n".encode()) == [Listed(3, {"name": "Li, Na", "phones": "1"})]
    with pytest.raises(Invalid, match="Line 2: 'age' is no column"):
        read(f"{said}\r\nname;age\r\n".encode())


def test_a_header_may_be_in_capitals_and_end_in_empty_cells() -> None:
    assert read(b"Name,PHONES,,\nAmy,1,,\n") == [Listed(2, {"name": "Amy", "phones": "1"})]
    assert read(b"name,,\nAmy,1,\n")[0].wide

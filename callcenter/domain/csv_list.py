"""Lists of other systems: CSV with a header, as spreadsheets and databases write it; and rows with reasons."""

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from callcenter.errors import Invalid

_LONGEST_CELL = 1_000_000
_DELIMITERS = ",;\t"
_SAID = re.compile(r'"?sep=([,;\t])"?\s*$', re.IGNORECASE)
_REASON = "reason"


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list; `number`: its place there, the first line being 1. `wide`: it has more cells than the header."""

    number: int
    cells: Mapping[str, str]
    wide: bool = False

    def check_width(self) -> None:
        if self.wide:
            raise Invalid("there are more cells than columns")


def read_rows(raw: bytes, columns: Sequence[str], *, needed: Collection[str]) -> Iterator[Listed]:
    """The rows that are not empty. A column of reasons, of a list that was refused and mended, is left out.

    In UTF-8, or in UTF-16 with a mark at its beginning; cells are separated by what a first line such as `sep=;` of a
    spreadsheet says, else by what separates most of the header: commas, semicolons or tabs. Columns may be named in
    capitals. Raises Invalid when this is no such list.
    """
    csv.field_size_limit(_LONGEST_CELL)
    text = _decoded(raw)
    first = text.partition("\n")[0]
    said = _SAID.match(first)
    delimiter = max(_DELIMITERS, key=first.count) if said is None else said[1]
    reader = csv.reader(io.StringIO(text if said is None else text[len(first) + 1 :], newline=""), delimiter=delimiter)
    top = 1 if said is None else 2
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        while header and not header[-1]:
            header.pop()
        _check_header(header, columns, needed, line=top)
        for number, row in enumerate(reader, start=top + 1):
            if any(cell.strip() for cell in row):
                cells = {name: cell for name, cell in zip(header, row, strict=False) if name != _REASON}
                yield Listed(number, cells, wide=any(cell.strip() for cell in row[len(header) :]))
    except csv.Error as error:
        raise Invalid(f"Line {reader.line_num + top - 1} is not CSV: {error}.") from None


def _decoded(raw: bytes) -> str:
    encoding = "utf-16" if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid(f"Line {line} is not in UTF-8: save the list as CSV UTF-8.") from None


def _check_header(header: Sequence[str], columns: Sequence[str], needed: Collection[str], *, line: int) -> None:
    if unknown := [name for name in header if name not in columns and name != _REASON]:
        raise Invalid(f"Line {line}: {unknown[0][:60]!r} is no column; expected {', '.join(columns)}.")
    if twice := [name for name in header if header.count(name) > 1]:
        raise Invalid(f"Line {line}: the column {twice[0]} is there twice.")
    if missing := [name for name in columns if name in needed and name not in header]:
        raise Invalid(f"Line {line}: the column {missing[0]} is missing.")


def refused_list(columns: Sequence[str], refused: Iterable[tuple[Listed, str]]) -> str:
    """Rows with why they were refused: the same columns, so that they can be mended and read again, and the reason."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*columns, _REASON])
    for row, reason in refused:
        writer.writerow([*(row.cells.get(name) or "" for name in columns), f"row {row.number}: {reason.rstrip('.')}"])
    return text.getvalue()

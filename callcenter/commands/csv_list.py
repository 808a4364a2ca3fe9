"""Lists of other systems: CSV in UTF-8 with a header; rows that cannot be kept go into a file with reasons."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from callcenter.errors import Invalid

_LONGEST_CELL = 1_000_000


def read_rows(path: Path, columns: Sequence[str], *, needed: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their numbers, the header being the first. Raises Invalid when the file is no such list."""
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            header = reader.fieldnames or []
            if unknown := [name for name in header if name not in columns]:
                raise Invalid(f"{path}, line 1: {unknown[0]!r} is no column; expected {', '.join(columns)}.")
            if missing := [name for name in columns if name in needed and name not in header]:
                raise Invalid(f"{path}, line 1: the column {missing[0]} is missing.")
            yield from enumerate(reader, start=2)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: UTF-8 was expected; byte {error.start} is not.") from None
    except csv.Error as error:
        raise Invalid(f"{path}: not CSV: {error}.") from None


def refusal(number: int, cells: Mapping[str, str], columns: Sequence[str], reason: str) -> dict[str, str]:
    """A row of the file with reasons."""
    kept = {column: cells.get(column) or "" for column in columns}
    return {**kept, "reason": f"row {number}: {reason.rstrip('.')}"}


def write_refused(path: Path, columns: Sequence[str], refused: Sequence[Mapping[str, str]]) -> Path:
    target = path.with_name(f"{path.stem}.refused.csv")
    with target.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, [*columns, "reason"])
        writer.writeheader()
        writer.writerows(refused)
    return target

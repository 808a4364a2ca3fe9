"""Percentiles, medians, and the rows of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Unit(StrEnum):
    """How a figure is printed."""

    MS = "ms"
    PER_SECOND = "/s"
    KIB = "KiB"
    MB = "MB"
    SECONDS = "s"
    CPU_MS = "ms CPU"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the product's figure, or on its ratio to the floor's; `least` turns the bound round."""

    bound: float
    ratio: bool = False
    least: bool = False

    def met(self, row: "Row") -> bool | None:
        value = row.ratio if self.ratio else row.product
        if value is None:
            return None
        return value >= self.bound if self.least else value <= self.bound

    def __str__(self) -> str:
        bound = "1/6" if abs(self.bound - 1 / 6) < 1e-9 else f"{self.bound:g}"
        return f"{'≥' if self.least else '≤'} {bound}{' ×' if self.ratio else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: medians of the rounds; `ratio` is the median of the rounds' ratios."""

    what: str
    unit: Unit
    product: float
    floor: float | None = None
    ratio: float | None = None
    target: Target | None = None
    note: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def paired(
    what: str, unit: Unit, rounds: Sequence[tuple[float, float]], target: Target | None = None, note: str = ""
) -> Row:
    """A row from rounds of (floor, product)."""
    return Row(
        what,
        unit,
        median(product for _, product in rounds),
        median(floor for floor, _ in rounds),
        median(product / floor for floor, product in rounds),
        target,
        note,
    )


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| measure | floor | product | ratio | target | |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        met = row.target.met(row) if row.target else None
        mark = "" if met is None else "met" if met else "**missed**"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        remark = "; ".join(part for part in (mark, row.note) if part)
        floor = "" if row.floor is None else _shown(row.floor, row.unit)
        aim = str(row.target) if row.target else ""
        lines.append(f"| {row.what} | {floor} | {_shown(row.product, row.unit)} | {ratio} | {aim} | {remark} |")
    return "\n".join(lines) + "\n"


def _shown(value: float, unit: Unit) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}" if unit is not Unit.PER_SECOND else f"{value:,.{digits}f}/s"

"""Lists page by page: an opaque place to go on from, which names a row and so stays right while rows are added."""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from callcenter.errors import Invalid

T = TypeVar("T")

Limit = Annotated[int, Field(ge=1, le=200)]
# What `after` may be: the `next` of the page before.
Place = Annotated[str, Field(max_length=40)]
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` is null on the last page."""

    items: list[T]
    next: str | None


def place_of(ident: int) -> str:
    return f"{ident:x}"


def read_place(text: str | None, *, start: int) -> int:
    """The id to go on from; `start` on the first page. Raises Invalid."""
    if text is None:
        return start
    try:
        ident = int(text, 16)
    except ValueError:
        ident = -1
    if not 0 <= ident <= _MOST or text != place_of(ident):
        raise Invalid("That is no place in this list.", field="after")
    return ident

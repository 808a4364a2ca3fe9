"""Places in a JSON document: pointers (RFC 6901), from a place upwards too, with `*` for each element."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# `/text/body`; `2/contacts/0/name` begins two levels up (relative JSON pointers); `/entry/*/changes` goes through all.
FORM = re.compile(r"\d{0,2}(/[^/]{0,200}){0,20}")
_MOST = 1000

Place = tuple[str | int, ...]


def places(document: Any, pointer: str, at: Place = ()) -> list[Place]:
    """Where the document has something under a pointer that counts from `at`, in its order, a thousand at most."""
    up, _, rest = pointer.partition("/")
    above = int(up) if up else 0
    if above > len(at):
        return []
    keys = [_key(each) for each in rest.split("/")] if rest or pointer.endswith("/") else []
    found = [at[: len(at) - above]]
    for key in keys:
        found = [place for before in found for place in _below(value_at(document, before), before, key)][:_MOST]
    return found


def _key(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _below(value: Any, place: Place, key: str) -> Iterator[Place]:
    match value:
        case Mapping() if key in value:
            yield (*place, key)
        case Sequence() if not isinstance(value, str):
            if key == "*":
                yield from ((*place, n) for n in range(len(value)))
            elif key.isascii() and key.isdecimal() and int(key[:6]) < len(value):
                yield (*place, int(key[:6]))


def value_at(document: Any, place: Place) -> Any:
    """What stands at a place that `places` found."""
    for key in place:
        document = document[key]
    return document


def text_of(value: Any) -> str | None:
    """A value as one word or text; None for what is none (objects, lists, null, an empty text)."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str() if value.strip():
            return value
        case _:
            return None

"""Texts for gateways: `{{ to }}` and the like are filled in, and nothing else is understood."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from callcenter.errors import Invalid

_PLACE = re.compile(r"\{\{\s*([a-z]+(?:\.[A-Za-z0-9._@-]+?)?)\s*\}\}")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9a-fA-F:.]+")


def names_in(text: str) -> list[str]:
    """What a text asks for. Raises Invalid for braces that name nothing."""
    rest = _PLACE.sub("", text)
    if "{{" in rest or "}}" in rest or "{%" in rest:
        raise Invalid("expected values like {{ to }} and nothing that is worked out")
    return _PLACE.findall(text)


def fill(text: str, values: Mapping[str, str], *, each: Callable[[str], str] = str) -> str:
    """`each` is done to every value; a value that is a place itself is not filled in again."""
    return _PLACE.sub(lambda found: each(values.get(found[1], "")), text)


def check_url(text: str) -> str:
    """The text itself. Where it leads is in the file: only path and query are filled in."""
    expected = "expected the address of a web service like https://api.example.com/send, values in path and query only"
    if re.search(r"[\x00-\x1f\x7f]", text) or not text.isascii():
        raise Invalid(expected)
    plain = _PLACE.sub("x", text)
    try:
        parts = urlsplit(plain)
        port = parts.port
    except ValueError:
        raise Invalid(expected) from None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise Invalid(expected)
    if " " in plain or "{{" in text.split("/", 3)[2] or "?" in text.split("/", 3)[2]:
        raise Invalid(expected)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("expected an address without user, password and #; there is login for these")
    return text

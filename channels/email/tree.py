"""The parts of a message (RFC 2045, 2046): where each begins and ends; pure, without errors, in bounded time.

Nothing is copied and no attachment is decoded: a message of 50 MB costs a search for its boundaries. Parts inside
parts are a stack, not a recursion. Beyond the limits a part stays closed: what it contains is not looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callcenter.domain.transfer import from_encoding
from channels.email.headers import Field, first, split_fields, text_of, value_of

DEEPEST = 10
MOST_PARTS = 500
_LONGEST_HEAD = 262_144
_MOST_HITS = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """Something with a body of its own: `start` and `end` are where that stands in the message, as it was encoded."""

    fields: Sequence[Field]
    kind: str  # text/plain
    parameters: Mapping[str, str]
    disposition: str  # attachment, inline or empty
    encoding: str  # base64, quoted-printable, uuencode or empty
    name: str | None
    cid: str | None
    start: int
    end: int
    depth: int
    inside: tuple[str, ...]  # the kinds of what it stands in, the outermost first
    nth: int  # place among its brothers


@dataclass(frozen=True, slots=True)
class Tree:
    fields: Sequence[Field]  # the message's own
    kind: str
    parameters: Mapping[str, str]
    parts: Sequence[Part]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Open:
    """An entity that is to be looked at."""

    start: int
    end: int
    depth: int
    inside: tuple[str, ...]
    nth: int
    default: str  # the kind of one that says none


def tree_of(raw: bytes) -> Tree:
    notes: dict[str, None] = {}
    parts: list[Part] = []
    top: tuple[Sequence[Field], str, Mapping[str, str]] | None = None
    # The last is the next: children are put on in reverse, so parts come in their order.
    waiting = [_Open(_beginning(raw), len(raw), 0, (), 0, "text/plain")]
    hits = _MOST_HITS
    while waiting:
        if len(parts) >= MOST_PARTS:
            notes["It has too many parts; the first ones are shown, and the message as it came has all."] = None
            break
        entity = waiting.pop()
        fields, body = _head(raw, entity)
        kind, parameters = value_of(first(fields, "content-type"))
        if kind.count("/") != 1:
            kind, parameters = (entity.default, {} if not kind else parameters)
        top = top or (fields, kind, parameters)
        closed = entity.depth >= DEEPEST
        boundary = parameters.get("boundary", "").encode("utf-8", "replace")[:200]
        if kind.startswith("multipart/") and boundary and not closed:
            children, hits = _children(raw, body, entity, kind, boundary, hits)
            if hits <= 0:
                notes["It has too many lines that look like boundaries."] = None
            if children:
                waiting += reversed(children)
                continue
            notes["A part that should contain others contains none; it is shown as text."] = None
            kind = "text/plain"
        part = _part(fields, kind, parameters, body, entity)
        inner = kind == "message/rfc822" and not part.encoding
        if inner and not closed and len(entity.inside) < DEEPEST:
            parts.append(part)
            waiting.append(_Open(body, entity.end, entity.depth + 1, (*entity.inside, kind), 0, "text/plain"))
            continue
        if closed and (kind.startswith("multipart/") or kind == "message/rfc822"):
            notes["It is nested too deeply; what is inside is kept in the message as it came."] = None
        parts.append(part)
    assert top is not None
    return Tree(*top, parts, tuple(notes))


def _beginning(raw: bytes) -> int:
    """Behind the line that mboxes put before a message, and empty lines."""
    start = 0
    while raw[start : start + 1] in (b"\r", b"\n"):
        start += 1
    if raw.startswith((b"From ", b">From "), start):
        start = raw.find(b"\n", start) + 1 or len(raw)
    return start


def _head(raw: bytes, entity: _Open) -> tuple[list[Field], int]:
    """The fields, and where the body begins: behind the first empty line; a part may begin with it."""
    start, end = entity.start, entity.end
    if raw.startswith(b"\n", start) or raw.startswith(b"\r\n", start):
        return [], min(raw.find(b"\n", start) + 1, end)
    limit = min(end, start + 8 * _LONGEST_HEAD)
    found = [(at, at + len(empty)) for empty in (b"\n\n", b"\n\r\n") if (at := raw.find(empty, start, limit)) >= 0]
    at, body = min(found, default=(limit, limit))
    return split_fields(raw[start : min(at, start + _LONGEST_HEAD)]), body


def _children(raw: bytes, body: int, entity: _Open, kind: str, boundary: bytes, hits: int) -> tuple[list[_Open], int]:
    """Between the lines of its boundary; a last one that is missing is where the whole ends. And the hits left."""
    line = b"--" + boundary
    found: list[_Open] = []
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    start: int | None = None
    at = raw.find(line, body, entity.end)
    while at >= 0 and hits > 0 and len(found) < MOST_PARTS:
        hits -= 1
        behind = at + len(line)
        last = raw[behind : behind + 2] == b"--"
        stop = _end_of_boundary(raw, behind + 2 * last, entity.end) if at == body or raw[at - 1 : at] == b"\n" else None
        if stop is not None:
            if start is not None:
                found.append(_child(entity, start, _without_break(raw, start, at), kind, len(found), default))
            start = None if last else stop
            if last:
                break
        at = raw.find(line, behind, entity.end)
    if start is not None and start < entity.end and len(found) < MOST_PARTS:
        found.append(_child(entity, start, entity.end, kind, len(found), default))
    return found, hits


def _end_of_boundary(raw: bytes, at: int, end: int) -> int | None:
    """Behind its line; None when something else than space stands in it."""
    line, found, _ = raw[at : min(at + 200, end)].partition(b"\n")
    if line.strip() or not (found or at + 200 >= end):
        return None
    return at + len(line) + len(found)


def _child(entity: _Open, start: int, end: int, kind: str, nth: int, default: str) -> _Open:
    return _Open(start, max(start, end), entity.depth + 1, (*entity.inside, kind), nth, default)


def _without_break(raw: bytes, start: int, at: int) -> int:
    """The line break before a boundary belongs to it."""
    if at > start and raw[at - 1 : at] == b"\n":
        at -= 1
        if at > start and raw[at - 1 : at] == b"\r":
            at -= 1
    return at


_ENCODINGS = {
    "base64": "base64", "quoted-printable": "quoted-printable", "x-uuencode": "uuencode", "uuencode": "uuencode",
    "x-uue": "uuencode",
}  # fmt: skip


def _part(fields: Sequence[Field], kind: str, parameters: Mapping[str, str], body: int, entity: _Open) -> Part:
    disposition, more = value_of(first(fields, "content-disposition"))
    encoding, _ = value_of(first(fields, "content-transfer-encoding"))
    cid = text_of((first(fields, "content-id") or b"")[:300]).strip("<>")[:250]
    return Part(
        fields=fields,
        kind=kind,
        parameters=parameters,
        disposition=disposition if disposition in ("attachment", "inline") else "",
        encoding=_ENCODINGS.get(encoding, ""),
        name=more.get("filename") or parameters.get("name") or None,
        cid=cid or None,
        start=body,
        end=entity.end,
        depth=entity.depth,
        inside=entity.inside,
        nth=entity.nth,
    )


def body_of(raw: bytes, part: Part, *, longest: int) -> tuple[bytes, bool]:
    """Decoded, of at most so many bytes of what came; and whether that was all."""
    taken = raw[part.start : min(part.end, part.start + longest)]
    return from_encoding(taken, part.encoding), part.end - part.start <= longest

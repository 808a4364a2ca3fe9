"""What other PBXs tell of a call, as Zammad's generic CTI interface takes it; pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from callcenter.actions.cti import Told
from callcenter.errors import Invalid

EVENTS: Final = ("newCall", "answer", "hangup")
_DIRECTIONS: Final = {"in": "inbound", "out": "outbound"}
_LONGEST = 200


def read_event(given: Mapping[str, Any]) -> tuple[str, Told]:
    """The event, and what it tells. More keys than these may stand there. Raises Invalid in words."""
    event = _text(given, "event")
    if event not in EVENTS:
        raise Invalid(f"event: expected {', '.join(EVENTS[:-1])} or {EVENTS[-1]}, not {event!r}.", field="event")
    call = _text(given, "callId") or _text(given, "call_id")
    if not call:
        raise Invalid("callId is missing: it tells which call this is about.", field="callId")
    direction = _text(given, "direction") or "in"
    if direction not in _DIRECTIONS:
        raise Invalid(f"direction: expected in or out, not {direction!r}.", field="direction")
    told = Told(
        call=call,
        direction=_DIRECTIONS[direction],
        caller=_text(given, "from"),
        called=_text(given, "to"),
        users=tuple(_users(given)),
        answering=_text(given, "answeringNumber"),
        cause=_text(given, "cause"),
        queue=_text(given, "queue"),
        diversion=_text(given, "diversion"),
    )
    return event, told


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"{key}: expected a text.", field=key)
    text = str(value).strip()
    if len(text) > _LONGEST or not text.isprintable():
        raise Invalid(f"{key}: expected at most {_LONGEST} printable characters.", field=key)
    return text


def _users(given: Mapping[str, Any]) -> list[str]:
    """One or several, as `user[]` in a form and as a text or a list in JSON."""
    found: Sequence[Any] | Any = given.get("user[]", given.get("user"))
    names = list(found) if isinstance(found, list | tuple) else [] if found is None else [found]
    if len(names) > 100 or not all(isinstance(name, str) for name in names):
        raise Invalid("user: expected names, a hundred at most.", field="user")
    return [text for name in names if (text := _text({"user": name}, "user"))]

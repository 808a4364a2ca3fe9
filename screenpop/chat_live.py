"""What desks are told of chats: at once, once each, and only those who have the chat in hand."""

from collections import OrderedDict, deque
from collections.abc import Callable

import orjson

from callcenter.domain.events import Event
from callcenter.feed import Signal

_LINES = 500  # that were told of lately: the commit and the feed both tell of each
_CHATS = 20_000
_HELD_SINCE = ("interaction.answered", "message.received", "message.sent", "message.read")
_LEFT = ("interaction.transferred", "interaction.ended", "interaction.closed")


class ChatNews:
    """`put` writes a frame to the desks of an agent, if there are any."""

    def __init__(self, put: Callable[[int, bytes], None]) -> None:
        self._put = put
        self._told: deque[int] = deque(maxlen=_LINES)
        self._holders: OrderedDict[int, int] = OrderedDict()

    def note(self, event: Event) -> None:
        """Of the commit or of the feed, in no order."""
        ident = event.interaction
        if ident is None or event.data.get("channel") != "chat":
            return
        if event.kind in _LEFT:
            self._holders.pop(ident, None)
        elif event.kind in _HELD_SINCE and event.agent is not None:
            self._holders[ident] = event.agent
            if len(self._holders) > _CHATS:
                self._holders.popitem(last=False)
        if event.noun != "message" or event.agent is None or event.seq in self._told:
            return
        self._told.append(event.seq)
        at = int(event.at.timestamp() * 1000)
        self._put(event.agent, _frame(ident, event.kind.removeprefix("message."), at))

    def heard(self, signal: Signal) -> None:
        """The visitor types, or comes to the page or leaves it."""
        if signal.by == "visitor" and (agent := self._holders.get(signal.interaction)) is not None:
            self._put(agent, _frame(signal.interaction, signal.what, None))


def _frame(interaction: int, kind: str, at: int | None) -> bytes:
    """`kind`: received, sent, read, typing, here or away; `at` in milliseconds since 1970."""
    return orjson.dumps({"type": "chat", "interaction": interaction, "kind": kind, "at": at})

"""The visitor's side of a chat, as the widget keeps it in the browser: what is unanswered is sent again; no IO.

For whoever speaks to the door of chats without a browser: the demo's visitors, tests, measurements.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def _chance() -> str:
    return secrets.token_urlsafe(18)


@dataclass(slots=True)
class Visitor:
    """Give it what comes (`received`), send what it answers. A connection begins with `connected`."""

    token: str = field(default_factory=_chance)
    browser: str = field(default_factory=_chance)
    language: str = "en"
    page: str = "https://shop.example/"
    proof: str | None = None
    lines: list[Mapping[str, Any]] = field(default_factory=list)
    state: Mapping[str, Any] = field(default_factory=dict)
    refused: list[Mapping[str, Any]] = field(default_factory=list)
    unanswered: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _prefix: str = field(default_factory=lambda: secrets.token_hex(4))
    _said: int = 0
    _welcome: bool = False

    def connected(self) -> list[Mapping[str, Any]]:
        self._welcome = False
        kind = "resume" if self.lines else "hello"
        hello = {
            "type": kind, "token": self.token, "browser": self.browser, "language": self.language, "page": self.page,
            "title": "Shop", "after": len(self.lines),
        }  # fmt: skip
        return [hello if self.proof is None else {**hello, "proof": self.proof}]

    def say(self, text: str, **more: Any) -> list[Mapping[str, Any]]:
        """A line; it goes out now, or with the next connection."""
        self._said += 1
        frame = {"type": "message", "id": f"{self._prefix}-{self._said}", "text": text, **more}
        self.unanswered[frame["id"]] = frame
        return [frame] if self._welcome else []

    def received(self, frame: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        match frame["type"]:
            case "welcome":
                self._welcome = True
                return list(self.unanswered.values())
            case "line":
                if frame["n"] == len(self.lines) + 1:
                    self.lines.append(frame)
                self.unanswered.pop(frame["id"] or "", None)
                if frame["by"] == "agent":
                    return [{"type": "read", "upto": frame["n"]}]
            case "state":
                self.state = frame
            case "refused":
                self.refused.append(frame)
                self.unanswered.pop(frame["id"] or "", None)
        return []

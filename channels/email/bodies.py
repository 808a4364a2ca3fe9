"""The text and the formatted text of a message, put together from its parts in their order; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from channels.email.text import LONGEST_HTML, harmless, is_knotted, text_of_html, without_tags


@dataclass(frozen=True, slots=True)
class Body:
    """A part that is to be read. `choice`: it stands where others say the same in another form (RFC 2046, 5.1.4)."""

    text: str
    formatted: bool
    choice: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """What is said once, plain or formatted or both. Of the same thing said twice people read one."""

    plain: str = ""
    html: str = ""

    def as_plain(self) -> str:
        return self.plain if self.plain.strip() or not self.html.strip() else read_html(self.html)

    def as_html(self) -> str:
        return self.html if self.html.strip() else in_html(self.plain)


def passages_of(bodies: Sequence[Body]) -> list[Passage]:
    """Siblings follow each other: text before and behind a picture, a footer that a list or a gateway adds."""
    found: list[Passage] = []
    open_choice = False
    for body in bodies:
        last = found[-1] if found else None
        if last is not None and _same(last, body, chosen=open_choice):
            found[-1] = _joined(last, body)
        elif body.text.strip():
            found.append(Passage(html=body.text) if body.formatted else Passage(plain=body.text))
        open_choice = body.choice
    return found


def _same(last: Passage, body: Body, *, chosen: bool) -> bool:
    """Whether a part says in another form what was just said: by its place, or word for word."""
    if chosen and body.choice:
        return body.formatted or not last.html  # the plain form comes first
    return body.formatted and not last.html and last.plain.split() == read_html(body.text).split()


def _joined(last: Passage, body: Body) -> Passage:
    if body.formatted:
        return Passage(last.plain, "<hr>".join(filter(None, [last.html, body.text])))
    return Passage("\n\n".join(filter(None, [last.plain, body.text])))


def read_html(html: str) -> str:
    """As plain text."""
    html = html[:LONGEST_HTML]
    return without_tags(html) if is_knotted(html) else text_of_html(harmless(html))


def in_html(text: str) -> str:
    return f"<div>{escape(text.strip()).replace(chr(10), '<br>')}</div>" if text.strip() else ""

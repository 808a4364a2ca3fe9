"""Markdown as HTML that is safe to show, and as plain text for a note or an answer; pure."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

# CommonMark with tables and struck text. HTML in the text is shown as it is written, and pictures are left out: they
# would have to come from somewhere else, whom nobody wants to tell who reads what.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image"])
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel"}
# The title of the page is its first heading.
_HEADINGS = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h4", "h5": "h4", "h6": "h4"}


@lru_cache(maxsize=256)
def html_of(text: str) -> str:
    """What the parser makes of it, cleaned once more by a list of what is allowed."""
    tokens = _PARSER.parse(text)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    drawn = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return nh3.clean(
        drawn, tags=_TAGS, attributes={"a": {"href"}, "ol": {"start"}}, url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip


@lru_cache(maxsize=256)
def plain_of(text: str) -> str:
    """Without marks: lists keep their dashes and numbers, links their address behind them."""
    lines: list[str] = []
    lists: list[int | None] = []  # of the lists that are open: the next number, or None for dashes
    mark = ""
    for token in _PARSER.parse(text):
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                mark = "  " if lists else ""
                _part(lines, lists)
            case "list_item_open":
                mark = _mark(lists)
            case "inline":
                lines.append(f"{'  ' * (len(lists) - 1)}{mark}{_said(token.children or ())}")
                mark = "  " if lists else ""
            case "fence" | "code_block":
                lines += [token.content.rstrip("\n"), ""]
            case "paragraph_close" | "heading_close" | "tr_close":
                _part(lines, lists)
            case _:
                pass
    return "\n".join(lines).strip()


def _mark(lists: list[int | None]) -> str:
    number = lists[-1]
    if number is None:
        return "- "
    lists[-1] = number + 1
    return f"{number}. "


def _part(lines: list[str], lists: Sequence[object]) -> None:
    if not lists and lines and lines[-1]:
        lines.append("")


def _said(children: Iterable[Token]) -> str:
    said: list[str] = []
    address, begin = "", 0
    for child in children:
        match child.type:
            case "text" | "code_inline":
                said.append(child.content)
            case "softbreak" | "hardbreak":
                said.append("\n")
            case "link_open":
                address, begin = str(child.attrs.get("href", "")), len(said)
            case "link_close" if address and "".join(said[begin:]) != address:
                said.append(f" ({address})")
            case _:
                pass
    return "".join(said)

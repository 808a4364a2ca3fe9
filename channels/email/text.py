"""Text of a message as people read it: format=flowed put together, HTML made harmless, and HTML as text; pure."""

import re
from html import unescape
from html.parser import HTMLParser

import nh3

from callcenter.domain.mail_markup import ATTRIBUTES, LINK, LINK_VALUES, SCHEMES, TAGS
from channels.email.headers import one_line

LONGEST_HTML = 500_000
LONGEST_TEXT = 100_000

_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    clean_content_tags={"script", "style", "title", "head", "template", "svg", "math", "iframe", "object", "noscript"},
    url_schemes=SCHEMES,
    link_rel=LINK,
    set_tag_attribute_values=LINK_VALUES,
)


def harmless(html: str) -> str:
    """Without anything that runs, frames or styles. Its images may still lead elsewhere: whoever shows it decides."""
    return _CLEANER.clean(html.replace("\x00", ""))


# Of these many may stand open, as the next one ends them; void ones contain nothing.
_LOOSE = frozenset({
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "colgroup", "thead", "tbody", "tfoot", "br", "hr", "img", "meta",
    "link", "input", "col", "area", "base", "wbr", "html", "body", "o:p",
})  # fmt: skip
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,20})")
_WHOLE_TAG = re.compile(r"<[a-zA-Z][^<>]*")
_DEEPEST = 400
_MOST_ATTRIBUTES = 300


def is_knotted(html: str) -> bool:
    """Whether so much stands open at once that any reader of HTML takes a time that grows with its square."""
    if any(tag.count("=") > _MOST_ATTRIBUTES for tag in _WHOLE_TAG.findall(html)):
        return True
    depth = 0
    for match in _TAG.finditer(html):
        if match[2].lower() not in _LOOSE:
            depth = max(depth - 1, 0) if match[1] else depth + 1
            if depth > _DEEPEST:
                return True
    return False


def without_tags(html: str) -> str:
    """For HTML that is not worth a reader: its words."""
    return unescape(re.sub(r"<[^<>]{0,2000}>", " ", html))


# QQ Mail makes its plain text of HTML, and leaves entities in what it puts below the answer.
_ENTITIES_BELOW = re.compile(r"^-{4,}+&nbsp;[^\n&]{1,40}&nbsp;-{4,}", re.MULTILINE)


def without_entities(text: str) -> str:
    """Plain text whose quotation is written as in HTML; what stands above it stays as its writer typed it."""
    found = _ENTITIES_BELOW.search(text)
    return text if found is None else text[: found.start()] + unescape(text[found.start() :]).replace("\xa0", " ")


def unflowed(text: str, *, delsp: bool) -> str:
    """format=flowed (RFC 3676): lines that end with a space go on in the next of the same quotation depth."""
    out: list[list[str]] = []  # the pieces of each: a text of millions of short lines may become one
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        rest = line[depth:]
        rest = rest.removeprefix(" ")  # space-stuffing
        flows = rest.endswith(" ") and rest != "-- "
        body = rest[:-1] if flows and delsp else rest
        if open_depth == depth and rest != "-- ":
            out[-1].append(body)
        else:
            out.append([f"{'>' * depth} {body}" if depth else body])
        open_depth = depth if flows else None
    return "\n".join(map("".join, out))


def tidy(text: str) -> tuple[str, bool]:
    """With plain line breaks, without what cannot be kept; and whether all of it is there."""
    whole = len(text) <= 2 * LONGEST_TEXT
    text = text[: 2 * LONGEST_TEXT]
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    text = "".join(char for char in text if char >= " " or char in "\n\t") if not text.isprintable() else text
    text = re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")
    text = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair has no place in a database
    return text[:LONGEST_TEXT], whole and len(text) <= LONGEST_TEXT


_BREAKS = {
    "p",
    "div",
    "br",
    "tr",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "ul",
    "ol",
    "pre",
    "hr",
    "dd",
    "dt",
}
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "blockquote"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._words: list[str] = []
        self._depth = 0
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS or tag == "blockquote":
            self._end(empty=tag in _SPACED)
        if tag == "blockquote":
            self._depth = min(self._depth + 1, 9)
        elif tag == "li":
            self._words.append("- ")
        elif tag in ("td", "th"):
            self._words.append(" ")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self._words))
        elif tag == "img" and (alt := dict(attrs).get("alt")):
            self._words.append(f"[{alt}]")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            href, begin = self._link
            shown = one_line("".join(self._words[begin:]))
            if href.startswith(("http:", "https:")) and href not in shown and shown and shown not in href:
                self._words.append(f" <{href[:300]}>")
            self._link = None
        if tag in _BREAKS or tag == "blockquote":
            self._end(empty=tag in _SPACED)
        if tag == "blockquote":
            self._depth = max(self._depth - 1, 0)

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def _end(self, *, empty: bool) -> None:
        line = " ".join("".join(self._words).split())
        self._words.clear()
        mark = ">" * self._depth
        if line:
            self.lines.append(f"{mark} {line}" if mark else line)
        elif self.lines and self.lines[-1] != mark and empty:
            self.lines.append(mark)

    def text(self) -> str:
        self._end(empty=False)
        return "\n".join(self.lines).strip()


def text_of_html(clean: str) -> str:
    """`clean` is what `harmless` made: well formed, so this takes no longer than its length."""
    reader = _Text()
    reader.feed(clean)
    reader.close()
    return reader.text()

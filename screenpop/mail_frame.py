"""The HTML of a mail as the document of a frame of its own: nothing in it runs, and nothing loads unasked; pure.

The frame has no scripts, no origin and a policy of its own, so that what slips through one of them stops at the next.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from unicodedata import east_asian_width

import nh3

from callcenter.domain.mail_markup import ATTRIBUTES, LINK, LINK_VALUES, SCHEMES, TAGS
from callcenter.domain.quotes import Kind, passages

# Sandboxed frames get no file of ours, so the style stands in the document, and its hash in the policy.
_STYLE = (
    ":root{color-scheme:light}body{margin:12px 16px;background:#fff;color:#1b1f27;"
    "font:14px/20px system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;"
    "overflow-wrap:anywhere}img{max-width:100%;height:auto}img:not([src]){display:inline-block;min-width:20px;"
    "min-height:20px;max-width:240px;max-height:60px;border:1px dashed #9aa3b2;color:#5b6475;font-size:12px}"
    "table{max-width:100%}pre{white-space:pre-wrap}blockquote{margin:4px 0 4px 8px;padding-left:8px;"
    "border-left:2px solid #c9ced8;color:#4a5263}summary{margin:8px 0;color:#5b6475;font-size:12px;cursor:pointer}"
    "a{color:#0b57d0}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Links open in a tab of their own, and that is all the frame may do.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
# Of what is attached, these are shown where the text has them; SVG never is.
_PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF87a": "image/gif", b"GIF89a": "image/gif",
}  # fmt: skip
_LINE = 20  # pixels, as above
_UNITS = 100  # half-width characters in a line at the width that most frames have
_LOWEST, _HIGHEST = 64, 640
_HIDDEN_PICTURE, _PICTURE = 24, 96


@dataclass(frozen=True, slots=True)
class Framed:
    """`height` in pixels is a guess from its text. `blocked`: how many images lead elsewhere and are not shown."""

    document: str
    height: int
    blocked: int


def policy(*, images: bool) -> str:
    """The Content-Security-Policy of the frame; `images`: those from elsewhere are wanted too, by HTTPS."""
    return (
        f"sandbox {SANDBOX}; default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
        f"img-src data:{' https:' if images else ''}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


def picture_type(content: bytes) -> str | None:
    """By its first bytes, whatever its sender calls it; None for what is no picture that is shown."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for begin, kind in _PICTURES.items() if content.startswith(begin)), None)


def inline_ids(html: str) -> Sequence[str]:
    """The ids of the attachments that it shows in its text."""
    found: dict[str, None] = {}

    def note(tag: str, name: str, value: str) -> str:
        if tag == "img" and name == "src" and value[:4].lower() == "cid:":
            found[value[4:]] = None
        return value

    _cleaner(note).clean(html)
    return tuple(found)


def framed(
    html: str, *, images: bool, pictures: Mapping[str, bytes], title: str, language: str, earlier: str
) -> Framed:
    """`html` was made harmless when it came, and is so once more. `pictures`: content by the id of its attachment.

    `earlier`: what the line says behind which earlier messages and the signature are folded away.
    """
    blocked = 0

    def source(tag: str, name: str, value: str) -> str | None:
        nonlocal blocked
        scheme, _, rest = value.partition(":")
        match tag, name, scheme.lower():
            case "img", "src", "cid":
                content = pictures.get(rest, b"")
                kind = picture_type(content)
                return None if kind is None else f"data:{kind};base64,{base64.b64encode(content).decode()}"
            case "img", "src", "https" if images:
                return value
            case "img", "src", "http" | "https":
                blocked += 1
                return None
            case "img", "src", _:
                return None
            case "a", "href", "http" | "https" | "mailto" | "tel":
                return value
            case "a", "href", _:
                return None  # one that leads into our own pages
        return value

    writer = _Writer(_cleaner(source).clean(html.replace("\x00", "")), earlier)
    body = writer.written()
    document = (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta name="referrer" content="no-referrer"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
    return Framed(document, min(max(writer.height + 2 * _LINE, _LOWEST), _HIGHEST), blocked)


def _cleaner(source: Callable[[str, str, str], str | None]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=source,
        url_schemes=SCHEMES,
        link_rel=LINK,
        set_tag_attribute_values=LINK_VALUES,
    )


_VOID = frozenset({"br", "hr", "img", "col"})
_BREAKS = frozenset({
    "p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre", "hr", "dd", "dt",
    "blockquote", "center",
})  # fmt: skip
_SPACED = frozenset({"p", "h1", "h2", "h3", "table", "ul", "ol", "pre", "blockquote"})


@dataclass(slots=True)
class _Piece:
    """Of the clean HTML: a tag or a run of text, as it is written."""

    text: str
    tag: str = ""
    opens: bool = False
    shown: str = ""  # the text, read


@dataclass(slots=True)
class _TextLine:
    """As people see one; `at`: its first piece."""

    at: int
    words: list[str] = field(default_factory=list)
    depth: int = 0


class _Writer(HTMLParser):
    """Well-formed HTML once more, with what was there before folded away."""

    def __init__(self, clean: str, earlier: str) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[_Piece] = []
        self._earlier = escape(earlier)
        self.height = 0
        self.feed(clean)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            given = dict(attrs)
            self.height += _tall(given.get("height")) if given.get("src") else _HIDDEN_PICTURE
        self.height += 8 * (tag in _SPACED)
        self._pieces.append(_Piece(self.get_starttag_text() or "", tag, opens=True))

    def handle_endtag(self, tag: str) -> None:
        self._pieces.append(_Piece(f"</{tag}>", tag))

    def handle_data(self, data: str) -> None:
        self._pieces.append(_Piece(escape(data, quote=False), shown=data))

    def written(self) -> str:
        lines = self._lines()
        quoted = [">" * line.depth + " ".join("".join(line.words).split()) for line in lines]
        kinds = [part.kind for part in passages("\n".join(quoted)) for _ in part.text.split("\n")]
        last = max((n for n, kind in enumerate(kinds) if kind is Kind.SAID and quoted[n].strip()), default=-1)
        hides = last + 1 < len(lines) and any(quoted[last + 1 :])
        self.height += _LINE * sum(_rows(text) for text in quoted[: last + 1] if not text.startswith(">"))
        if last < 0:
            # Nothing was added: what there is, is meant to be read.
            self.height += _LINE * sum(map(_rows, quoted))
            return "".join(piece.text for piece in self._pieces)
        cut = lines[last + 1].at if hides else len(self._pieces)
        return self._folded(cut)

    def _lines(self) -> list[_TextLine]:
        lines, depth = [_TextLine(0)], 0
        for at, piece in enumerate(self._pieces):
            if piece.tag == "blockquote":
                depth += 1 if piece.opens else -1
            if piece.tag in _BREAKS:
                lines.append(_TextLine(at if piece.opens and piece.tag != "br" else at + 1, depth=min(depth, 9)))
            elif piece.tag in ("td", "th"):
                lines[-1].words.append(" ")
            elif piece.shown:
                lines[-1].words.append(piece.shown)
        return [line for line in lines if "".join(line.words).strip()] or lines[:1]

    def _folded(self, cut: int) -> str:
        """From `cut` on all of it, and before that each quotation."""
        out: list[str] = []
        stack: list[_Piece] = []
        depth = 0
        for at, piece in enumerate(self._pieces):
            if at == cut and depth == 0:
                out += [f"</{each.tag}>" for each in reversed(stack)]
                out += [self._fold(), *(each.text for each in stack), *(rest.text for rest in self._pieces[cut:])]
                return "".join([*out, "</details>"])
            if piece.tag == "blockquote":
                if piece.opens and depth == 0:
                    out.append(self._fold())
                depth += 1 if piece.opens else -1
            out.append(piece.text)
            if piece.tag == "blockquote" and depth == 0:
                out.append("</details>")
            if piece.tag and piece.tag not in _VOID:
                if piece.opens:
                    stack.append(piece)
                elif stack:
                    stack.pop()
        return "".join(out)

    def _fold(self) -> str:
        self.height += _LINE + 16
        return f"<details><summary>{self._earlier}</summary>"


def _rows(text: str) -> int:
    units = sum(2 if east_asian_width(char) in "WF" else 1 for char in text[: 100 * _UNITS])
    return -(-units // _UNITS)


def _tall(height: str | None) -> int:
    return min(int(height), _HIGHEST) if height and height.isascii() and height.isdecimal() else _PICTURE

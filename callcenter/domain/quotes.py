"""Which lines of a mail are new, and which were there before: quoted text and signatures; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile


class Kind(StrEnum):
    SAID = "said"
    QUOTED = "quoted"  # of an earlier message
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Passage:
    kind: Kind
    text: str


# The line above a quotation. A date and an address or a colon at its end: "On 10 March, Amy wrote:".
_WROTE = re.compile(
    r"(on|am|le|el|il|em|op)\b.{5,200}\b(wrote|schrieb|écrit|escribió|scritto|escreveu|schreef)\s?.{0,80}:|"
    r".{0,120}(写道|寫道|撰写|來信|wrote)\s*[:\uff1a]",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"-{2,}\s*(original message|original-nachricht|ursprüngliche nachricht|message d'origine|mensaje original|"
    r"messaggio originale|forwarded message|原始邮件|原始郵件|原邮件|原郵件|原始信件|邮件原件|郵件原件|"
    r"(回复|回覆|转发|轉寄|转寄)的(原)?(邮件|郵件|信件)|转发邮件信息|轉寄郵件|original)\s*-{2,}|_{20,}|-{20,}",
    re.IGNORECASE,
)
# The block of fields that Outlook and Foxmail put above: at least two of them in a row.
_FIELD = re.compile(
    r"\*?(from|sent|date|to|cc|subject|von|gesendet|an|betreff|发件人|发送时间|日期|收件人|抄送|主题|寄件者|寄件日期|收件者|副本|主旨)"
    r"\*?\s*[:\uff1a]\s?.*",
    re.IGNORECASE,
)
# Only in mail: a journey has a from, a to and a date as well, and so has a parcel.
_MAILS_OWN = re.compile(r"\*?(sent|subject|gesendet|betreff|发送时间|主题|主旨)\*?\s*[:\uff1a]|.*@", re.IGNORECASE)
_BLOCK = 8  # lines in which one of these stands
# How a line above a quotation begins that goes on in the next: "On Tue, 10 Mar 2026 at 16:20, Amy Chen <amy@".
_GOES_ON = re.compile(r"(on|am|le|el|il|em|op)\s.*\d|.*(<[^<>]*@|\d{4}\s?年)|[在于於]\s?\d", re.IGNORECASE)
_MOST_WROTE = 3  # lines
_SIGNATURE_LINE = "--"
_LONGEST_SIGNATURE = 20
_LONGEST_LINE = 500


def passages(text: str) -> list[Passage]:
    """All of the text, in its order. Answers between the lines of a quotation count as said."""
    lines = text.split("\n")
    kinds = _quoted(lines)
    _mark_signature(lines, kinds)
    found: list[tuple[Kind, list[str]]] = []
    for line, kind in zip(lines, kinds, strict=True):
        if found and found[-1][0] is kind:
            found[-1][1].append(line)
        else:
            found.append((kind, [line]))
    return [Passage(kind, "\n".join(part)) for kind, part in found]


def said(text: str) -> str:
    """What the writer added themselves; the whole where that is nothing."""
    own = "\n".join(part.text for part in passages(text) if part.kind is Kind.SAID).strip()
    return own or text.strip()


def _quoted(lines: Sequence[str]) -> list[Kind]:
    kinds = [Kind.SAID] * len(lines)
    rest = next((at for at in range(len(lines)) if _begins_rest(lines, at)), len(lines))
    for at, line in enumerate(lines):
        if at >= rest or line.lstrip().startswith(">"):
            kinds[at] = Kind.QUOTED
    for at, line in enumerate(lines[:rest]):
        length = _wrote(lines, at) if kinds[at] is Kind.SAID and line.strip() else 0
        if length:
            behind = at + length
            below = next((kinds[on] for on in range(behind, min(behind + 3, len(lines))) if lines[on].strip()), None)
            if below is Kind.QUOTED:
                kinds[at:behind] = [Kind.QUOTED] * length
    _fill(lines, kinds)
    return kinds


def _wrote(lines: Sequence[str], at: int) -> int:
    """How many lines the one above a quotation takes from here: programs wrap it; 0 where there is none."""
    said = lines[at].strip()[:_LONGEST_LINE]
    if _WROTE.fullmatch(said):
        return 1
    if not _GOES_ON.match(said):
        return 0
    for length in range(2, min(_MOST_WROTE, len(lines) - at) + 1):
        more = lines[at + length - 1].strip()
        if not more or more.startswith(">"):
            return 0
        said = f"{said} {more}"[:_LONGEST_LINE]
        if _WROTE.fullmatch(said):
            return length
    return 0


def _is_block(lines: Sequence[str]) -> bool:
    """Whether fields of a mail begin here: two in a row or more, of which one is found in mail alone."""
    fields = list(takewhile(_FIELD.fullmatch, lines[:_BLOCK]))
    return len(fields) >= 2 and any(map(_MAILS_OWN.match, fields))


def _fill(lines: Sequence[str], kinds: list[Kind]) -> None:
    """Empty lines between two that are quoted are too."""
    quoted = False
    empty: list[int] = []
    for at, line in enumerate(lines):
        if line.strip():
            if quoted and kinds[at] is Kind.QUOTED:
                for each in empty:
                    kinds[each] = Kind.QUOTED
            quoted, empty = kinds[at] is Kind.QUOTED, []
        else:
            empty.append(at)


def _begins_rest(lines: Sequence[str], at: int) -> bool:
    """Whether an earlier message stands from here to the end, without marks before its lines."""
    line = lines[at].strip()[:_LONGEST_LINE]
    if not line:
        return False
    if _RULE.fullmatch(line) and "_" not in line and line.strip("-"):
        return True
    following = [each.strip()[:_LONGEST_LINE] for each in lines[at + 1 : at + 1 + _BLOCK] if each.strip()]
    if _RULE.fullmatch(line):
        return _is_block(following)
    if _FIELD.fullmatch(line):
        return len(following) >= 2 and _FIELD.fullmatch(following[1]) is not None and _is_block([line, *following])
    length = _wrote(lines, at)
    following = [each.strip() for each in lines[at + length : at + length + 5] if each.strip()]
    return length > 0 and not any(each.startswith(">") for each in following[:2])


def _mark_signature(lines: Sequence[str], kinds: list[Kind]) -> None:
    """Behind a line of two hyphens (RFC 3676, 4.3), as far as it is said; short ones only, as lists use hyphens too."""
    end = len(lines)
    for at in range(len(lines) - 1, -1, -1):
        if kinds[at] is not Kind.SAID:
            end = at
        elif lines[at].rstrip() == _SIGNATURE_LINE and end - at <= _LONGEST_SIGNATURE:
            kinds[at:end] = [Kind.SIGNATURE] * (end - at)
            end = at

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
# What tells it from a sentence where no marks follow, and where it is wrapped: programs give the year, the time or an
# address, people write "On 10 March your colleague wrote:".
_DATED = re.compile(r"\d{4}|\d:\d\d|@")
# The first of its lines, where a program wrapped it; a sentence ends otherwise.
_OPENS = re.compile(
    r"((on|am|le|el|il|em|op)\b|在\s?\d|[^<>]{0,80}<[^<>\s@]{1,64}@[^<>\s@]{1,200}>\s*[于於]).{0,200}(?<![.!?。\uff01\uff1f])",
    re.IGNORECASE,
)
_MOST_WRAPPED = 3  # lines
_RULE = re.compile(
    r"-{2,}\s*(original message|original-nachricht|ursprüngliche nachricht|message d'origine|mensaje original|"
    r"messaggio originale|forwarded message|replied message|原始邮件|原始郵件|原始信件|"
    r"((回复|回覆|转发|轉寄|转寄)的)?原?(邮件|郵件|信件)|邮件原件|郵件原件|转发邮件信息|轉寄郵件|original)\s*-{2,}|"
    r"_{20,}|-{20,}|原始邮件|原始郵件",
    re.IGNORECASE,
)
# The block of fields that Outlook and Foxmail put above.
_FIELD = re.compile(
    r"\*?(?:(?P<date>sent|date|gesendet|发送时间|发件时间|日期|寄件日期)|(?P<subject>subject|betreff|主题|主旨)|"
    r"from|to|cc|von|an|发件人|收件人|抄送|寄件者|收件者|副本)\*?\s*[:\uff1a]\s?.*",
    re.IGNORECASE,
)
_LONGEST_HEAD = 10  # lines, with empty ones between
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
        if at >= rest or (line.lstrip().startswith(">") and not _is_escaped(lines, at)):
            kinds[at] = Kind.QUOTED
    for at in range(rest):
        behind = at + _attribution(lines, at)
        if kinds[at] is Kind.SAID and behind > at:
            below = next((kinds[on] for on in range(behind, min(behind + 3, len(lines))) if lines[on].strip()), None)
            if below is Kind.QUOTED:
                kinds[at:behind] = [Kind.QUOTED] * (behind - at)
    _fill(lines, kinds)
    return kinds


def _is_escaped(lines: Sequence[str], at: int) -> bool:
    """Whether a mark is one that servers put before a line with "From" (mbox), and not one of a quotation."""
    around = [*lines[max(at - 1, 0) : at], *lines[at + 1 : at + 2]]
    return lines[at].startswith(">From ") and not any(line.lstrip().startswith(">") for line in around)


def _attribution(lines: Sequence[str], at: int) -> int:
    """How many lines from here say who wrote what follows and when; 0 where none does."""
    line = _cut(lines[at])
    if _WROTE.fullmatch(line):
        return 1
    if not _OPENS.fullmatch(line):
        return 0
    for count in range(2, _MOST_WRAPPED + 1):
        more = _cut(lines[at + count - 1]) if at + count <= len(lines) else ""
        if not more or more.startswith(">") or _OPENS.fullmatch(more):
            return 0
        line = f"{line} {more}"
        if _WROTE.fullmatch(line) and _DATED.search(line):
            return count
    return 0


def _cut(line: str) -> str:
    return line.strip()[:_LONGEST_LINE]


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
    line = _cut(lines[at])
    if not line:
        return False
    if _RULE.fullmatch(line):
        names_it = line.startswith("-") and line.strip("-")
        return bool(names_it) or _is_head(lines[at + 1 : at + 1 + _LONGEST_HEAD], least=2)
    if _FIELD.fullmatch(line):
        if at and _FIELD.fullmatch(_cut(lines[at - 1])):
            return False  # it was looked at with the one above
        return _is_head(lines[at : at + _LONGEST_HEAD], least=3)
    behind = at + _attribution(lines, at)
    if behind == at or not _DATED.search(" ".join(map(_cut, lines[at:behind]))):
        return False
    following = [each.strip() for each in lines[behind : behind + 5] if each.strip()]
    return not any(each.startswith(">") for each in following[:2])


def _is_head(lines: Sequence[str], *, least: int) -> bool:
    """Whether they begin with the fields of a message: an address, or a date and a subject.

    Without that they are what a traveller or a sender of parcels writes: "From: Shanghai", "To: Beijing".
    """
    matches = (_FIELD.fullmatch(line) for line in map(_cut, lines) if line)
    found = [match for match in takewhile(bool, matches) if match is not None]
    named = any("@" in match[0] for match in found) or (
        any(match["date"] for match in found) and any(match["subject"] for match in found)
    )
    return len(found) >= least and named


def _mark_signature(lines: Sequence[str], kinds: list[Kind]) -> None:
    """Behind a line of two hyphens (RFC 3676, 4.3), as far as it is said; short ones only, as lists use hyphens too."""
    end = len(lines)
    for at in range(len(lines) - 1, -1, -1):
        if kinds[at] is not Kind.SAID:
            end = at
        elif lines[at].rstrip() == _SIGNATURE_LINE and end - at <= _LONGEST_SIGNATURE:
            kinds[at:end] = [Kind.SIGNATURE] * (end - at)
            end = at

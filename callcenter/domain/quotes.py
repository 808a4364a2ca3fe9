"""Which lines of a mail are new, and which were there before: quoted text and signatures; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


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
    r"-{2,}\s*(original message|original-nachricht|message d'origine|forwarded message|原始邮件|原始郵件|原邮件|"
    r"转发邮件信息|轉寄郵件|original)\s*-{2,}|_{20,}|-{20,}",
    re.IGNORECASE,
)
# The block of fields that Outlook and Foxmail put above: at least two of them in a row.
_FIELD = re.compile(
    r"\*?(from|sent|date|to|cc|subject|von|gesendet|an|betreff|发件人|发送时间|日期|收件人|抄送|主题|寄件者|寄件日期|收件者|副本|主旨)"
    r"\*?\s*[:\uff1a]\s?.*",
    re.IGNORECASE,
)
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
        if kinds[at] is Kind.SAID and line.strip() and _WROTE.fullmatch(line.strip()[:_LONGEST_LINE]):
            below = next((kinds[on] for on in range(at + 1, min(at + 4, len(lines))) if lines[on].strip()), None)
            if below is Kind.QUOTED:
                kinds[at] = Kind.QUOTED
    _fill(lines, kinds)
    return kinds


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
    following = [each.strip()[:_LONGEST_LINE] for each in lines[at + 1 : at + 6] if each.strip()]
    if _RULE.fullmatch(line):
        return len(following) >= 2 and all(map(_FIELD.fullmatch, following[:2]))
    if _FIELD.fullmatch(line):
        return len(following) >= 2 and all(map(_FIELD.fullmatch, following[:2]))
    return bool(_WROTE.fullmatch(line)) and not any(each.startswith(">") for each in following[:2])


def _mark_signature(lines: Sequence[str], kinds: list[Kind]) -> None:
    """Behind a line of two hyphens (RFC 3676, 4.3), as far as it is said; short ones only, as lists use hyphens too."""
    end = len(lines)
    for at in range(len(lines) - 1, -1, -1):
        if kinds[at] is not Kind.SAID:
            end = at
        elif lines[at].rstrip() == _SIGNATURE_LINE and end - at <= _LONGEST_SIGNATURE:
            kinds[at:end] = [Kind.SIGNATURE] * (end - at)
            end = at

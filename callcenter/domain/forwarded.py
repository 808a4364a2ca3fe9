"""Somebody else's message inside one that passes it on: who wrote it, and the words above it; pure.

The forms are those of Gmail, Outlook, Apple Mail, Thunderbird, Yahoo, QQ, Foxmail, NetEase and Aliyun, in the
languages that their users set. Where a reply looks the same (Outlook, Foxmail, QQ) the subject decides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.domain.mail import Forwarded, Mailbox

_COLON = "[:\uff1a]"
_PREFIX = re.compile(
    rf"\s*(fwd?|wg|tr|rv|enc|i|vs|vb|vl|pd|转发|轉寄|轉發|转寄|転送|전달)\s*{_COLON}",
    re.IGNORECASE,
)
# Above a message that is passed on, and above no other. What fills a line is never given back: a line of hyphens with
# an x at its end would take the square of its length.
_PASSED_ON = re.compile(
    r"[-\s>_*=\xa0]*+(begin )?(forwarded|fwd) message( follows)?[-\s_*=\xa0]*+:?[-\s_*=\xa0]*+"
    r"|[-\s>_*=\xa0]*+(以下|下面)?(是|为)?(被)?(开始)?(转发|轉寄|轉發|转寄)(的|之)?(原始)?(邮件|郵件|消息|訊息|"
    r"信件|信息)"
    r"(信息|資訊)?[-\s_*=\xa0]*+" + _COLON + r"?[-\s_*=\xa0]*+"
    r"|[-\s>_*=\xa0]*+(weitergeleitete nachricht|anfang der weitergeleiteten (nachricht|e-mail)|message transféré|"
    r"début du (message transféré|message réexpédié)|mensaje reenviado|inicio del mensaje reenviado|"
    r"mensagem (encaminhada|reencaminhada)|início da mensagem (encaminhada|reencaminhada)|messaggio inoltrato|"
    r"inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht|転送(された)?メッセージ|転送メール|"
    r"(пересылаемое|пересланное) сообщение|전달된 메시지)[-\s_*=\xa0]*+:?[-\s_*=\xa0]*+",
    re.IGNORECASE,
)
# One of these stands in each of them; most messages have none.
_WORDS = (
    "forward",
    "fwd message",
    "转发",
    "轉發",
    "轉寄",
    "转寄",
    "weitergeleitet",
    "transféré",
    "réexpédié",
    "reenviado",
    "encaminhada",
    "inoltrato",
    "doorgestuurd",
    "転送",
    "пересылаемое",
    "пересланное",
    "전달",
)
# Above any earlier message.
_EARLIER = re.compile(
    r"[-_\s>\xa0]*+(original message|original-nachricht|ursprüngliche nachricht|message d'origine|mensaje original|"
    r"mensagem original|messaggio originale|original|原始邮件|原始郵件|邮件原件|郵件原件|原邮件|原始信件|"
    r"元のメッセージ|"
    r"原件)[-_\s\xa0]*+|_{10,}|-{10,}|[-=\xa0 ]{10,}",
    re.IGNORECASE,
)
_FROM = (
    "from|von|de|da|van|från|fra|发件人|寄件者|寄件人|發件人|发信人|差出人|送信者|发送者|от|от кого|보낸 사람|보낸사람"
)  # fmt: skip
_SUBJECT = "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|主 ?题|主旨|主題|标题|件名|тема|제목"
_OTHER = (
    "date|sent|to|cc|bcc|reply-to|reply to|importance|priority|attachments?|resent-from|message-id|sender|"
    "gesendet|datum|an|kopie|cci?|envoyé|date d'envoi|à|enviado( el)?|enviada em|fecha|para|data|inviato|a|"
    "verzonden|aan|"
    "skickat|till|sendt|til|发送时间|发送日期|发件时间|日 ?期|时 ?间|收件人|抄送|密送|附件|优先级|重要性|回复|"
    "寄件日期|傳送時間|發送時間|收件者|"
    "副本|密件副本|時間|日付|日時|送信日時|宛先|дата|отправлено|кому|копия|보낸 날짜|날짜|받는 사람|받는사람|참조"
)  # fmt: skip
_FIELD = re.compile(
    rf"(?:(?P<sender>{_FROM})|(?P<subject>{_SUBJECT})|(?:{_OTHER}))[*\s]*(?:{_COLON}[*]*|\|)\s*(?P<value>.*)",
    re.IGNORECASE,
)
# Cells of a table, whose borders are lost.
_CELL = re.compile(rf"(?:(?P<sender>{_FROM})|(?P<subject>{_SUBJECT})|(?:{_OTHER}))\s+(?P<value>\S.*)", re.IGNORECASE)
_ADDRESS = re.compile(r"(?P<address>[^\s<>()\[\],;:\"'\\@|\uff1b\uff1a]{1,64}@[A-Za-z0-9.-]{1,250}[A-Za-z0-9])")
_BRACKETED = re.compile(rf"[<\[(]\s*(?:mailto:)?{_ADDRESS.pattern}\s*[>\])]")
_LONGEST_LINE = 400
_MOST_FIELDS = 15
_LONGEST_NAME = 200
_MOST_LINES = 1_000


def is_passed_on(subject: str) -> bool:
    """Whether a subject says that the message is somebody else's."""
    return _PREFIX.match(subject) is not None


def bare_subject(subject: str) -> str:
    """Without the marks of passing on, however many."""
    while match := _PREFIX.match(subject):
        subject = subject[match.end() :]
    return subject.strip()


def find_forwarded(text: str, *, subject: str) -> Forwarded | None:
    """The first message that is passed on in it; None where there is none, or none whose sender has an address."""
    passed_on = is_passed_on(subject)
    lowered = text.lower()
    if not passed_on and not any(word in lowered for word in _WORDS):
        return None
    lines = text.split("\n")[:_MOST_LINES]
    for at, line in enumerate(lines):
        start = _fields_start(lines, at, line[:_LONGEST_LINE], passed_on=passed_on)
        if start is None:
            continue
        head = _read_head(lines, start, cells=start != at)
        if head.sender is not None and head.count > 1:
            words = "\n".join(lines[:at]).strip()
            rest = _unquoted(lines[head.end :], quoted=_quoted(lines[start]))
            return Forwarded(words=words, sender=head.sender, subject=head.subject or bare_subject(subject), text=rest)
        if head.named and head.subject:
            return None  # this is the message, of whom no address is known; those below it are older
    return None


def _fields_start(lines: Sequence[str], at: int, line: str, *, passed_on: bool) -> int | None:
    """Where the fields of an earlier message may begin, if this line announces one."""
    bare = line.strip()
    if not bare:
        return None
    if _PASSED_ON.fullmatch(bare) or (passed_on and _EARLIER.fullmatch(bare)):
        return next((on for on in range(at + 1, min(at + 5, len(lines))) if lines[on].strip(" >\t\r")), None)
    return at if passed_on and _field(line, cells=False) else None


def _quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _plain(line: str) -> str:
    return " ".join(line[:_LONGEST_LINE].split()).lstrip("> ").strip("|* ")


def _field(line: str, *, cells: bool) -> re.Match[str] | None:
    plain = _plain(line)
    return _FIELD.fullmatch(plain) or (_CELL.fullmatch(plain) if cells else None)


@dataclass(slots=True)
class _Head:
    """Of a message that is passed on. `named`: it says whom it is from; `end`: the line behind its fields."""

    end: int
    sender: Mailbox | None = None
    subject: str = ""
    count: int = 0
    named: bool = False
    spaced: bool = False  # with empty lines between its fields

    def is_whole(self, line: str) -> bool:
        """Whether an empty line ends it: what looks like a field behind it is the first of the words."""
        return not line.strip(" >\t\r") and self.sender is not None and bool(self.subject) and not self.spaced


def _read_head(lines: Sequence[str], start: int, *, cells: bool) -> _Head:
    head = _Head(start)
    after_sender = False
    while head.end < len(lines) and head.count < _MOST_FIELDS:
        line = lines[head.end]
        match = _field(line, cells=cells)
        if match is None:
            if head.is_whole(line) or not _goes_on(lines, head.end, cells=cells):
                break
            head.spaced |= not line.strip(" >\t\r")
            if after_sender and head.sender is None:
                head.sender = _mailbox(_plain(line))
            head.end += 1
            continue
        head.count += 1
        after_sender = match["sender"] is not None
        head.named |= after_sender
        if after_sender and head.sender is None:
            head.sender = _mailbox(match["value"])
        elif match["subject"] is not None and not head.subject:
            head.subject = _line(match["value"])
        head.end += 1
    return head


def _goes_on(lines: Sequence[str], at: int, *, cells: bool) -> bool:
    """Whether the block has another field soon: senders fold long lines, and HTML leaves empty ones."""
    if not lines[at].strip(" >\t\r") and not (at + 1 < len(lines) and _field(lines[at + 1], cells=cells)):
        return False
    return any(_field(lines[on], cells=cells) for on in range(at + 1, min(at + 3, len(lines))))


def _mailbox(value: str) -> Mailbox | None:
    # Names may look like addresses; what stands in brackets is one.
    match = _BRACKETED.search(value) or _ADDRESS.search(value)
    if match is None:
        return None
    name = value[: match.start()].replace("mailto:", "")
    name = _line(name).strip(" <>[]()\"'\uff1a:;,*|").strip()
    return Mailbox(name[:_LONGEST_NAME], match["address"].lower().rstrip("."))


def _line(value: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())


def _unquoted(lines: Sequence[str], *, quoted: bool) -> str:
    """Apple's has marks before all of its lines."""
    if quoted:
        lines = [re.sub(r"^\s*> ?", "", line) for line in lines]
    return "\n".join(lines).strip()

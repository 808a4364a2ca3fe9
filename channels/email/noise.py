"""Who is behind a message: a person, a programme, an automatic reply, a mail server that gives up; pure.

RFC 3834 (Auto-Submitted), RFC 2919 and 2369 (List-*), RFC 3464 (delivery status), and what others do.
"""

import re
from collections.abc import Iterator, Sequence

from callcenter.domain.mail import Bounce, Nature
from channels.email.away import is_automatic, is_away
from channels.email.charsets import decode
from channels.email.headers import Field, first, ids_of, mailboxes_of, one_line, split_fields, value_of
from channels.email.tree import Tree, body_of

_LONGEST_REPORT = 64_000
_STATUSES = ("message/delivery-status", "message/global-delivery-status")
_LONGEST_WORDS = 500
_REPLIES = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")
_DAEMON = re.compile(r"(mailer-daemon|mail-daemon|postmaster|mdaemon)@", re.IGNORECASE)
_UNDELIVERED = re.compile(
    r"(undeliver|delivery (status notification|failure|has failed|delayed|incomplete)|returned mail|returned to sender|"
    r"mail delivery|message delivery|failure notice|delivery.{0,20}fail|could not (be )?(deliver|send|sent)|"
    r"(systems?|mail) bounce|退信|退件|退回|(无法|未能)(投递|投遞|送达|发送)|(無法|未能)(投遞|傳遞|送達)|"
    r"投递(失败|状态|延迟)|"
    r"(发送|递送|寄送)(失败|延迟)|傳送失敗|配信不能|配送不能|送信エラー)",
    re.IGNORECASE,
)
# Said in words alone: it still tries, or the mailbox has no room.
_PASSING = re.compile(
    r"(delay(ed)?\b|will (be )?(retr|keep trying|continue)|still (being )?(retr|trying)|not yet been delivered|"
    r"no action is required|could not (be )?sen[dt].{0,30}for (the )?past|mailbox (is )?full|over quota|延迟|延误|延遲|"
    r"(继续|繼續)(尝试|重试|投递)|(稍后|稍後)(重试|再试|會再)|(暂时|暫時)(无法|無法)|(邮箱|信箱|空间)(已满|"
    r"已滿|空间不足|不足))",
    re.IGNORECASE,
)
_FINAL = re.compile(r"\b5\d\d\b|\b5\.\d\.\d{1,3}\b")
_REASON = re.compile(
    r"(?:退信原因|退回原因|失败原因|错误信息|错误原因|原因|退信代码|reason|diagnostic information|"
    r"said)[^\S\n]*[:\uff1a\]\u3011]?"
    r"\s*([^\n]{3,300})",
    re.IGNORECASE,
)
_ID_IN_WORDS = re.compile(
    r"message[- ]?id\s*[:\uff1a]\s*<?([^<>\s@]{1,200}@[^<>\s@]{1,200}[^<>\s@.,;\u3002])", re.IGNORECASE
)
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,250}[A-Za-z0-9]")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ONE_ID = re.compile(rb"^message-id:\s*<([^<>\s\x00-\x1f\x7f]{1,250})>", re.IGNORECASE | re.MULTILINE)


def nature_of(tree: Tree, subject: str, text: str, *, bounce: Bounce | None, null_sender: bool) -> Nature:
    """`null_sender`: the envelope came from nobody (MAIL FROM:<>)."""
    fields = tree.fields
    if bounce is not None:
        return Nature.BOUNCE
    auto = _value(fields, "auto-submitted").partition(" ")[0]
    precedence = _value(fields, "precedence")
    report = tree.kind == "multipart/report" or precedence == "auto_reply"
    replied = auto.startswith("auto-replied") or report or any(first(fields, name) for name in _REPLIES)
    is_answer = first(fields, "in-reply-to") is not None or first(fields, "references") is not None
    if replied or is_automatic(subject, text, answers=is_answer):
        return Nature.AUTO_REPLY
    suppressed = _value(fields, "x-auto-response-suppress") in ("all", "oof", "autoreply")
    generated = auto not in ("", "no") or null_sender
    if is_answer and (null_sender or (suppressed and generated)):
        return Nature.AUTO_REPLY
    listed = any(name in ("list-id", "list-unsubscribe", "list-post", "feedback-id") for name, _ in fields)
    if generated or suppressed or listed or precedence in ("bulk", "junk", "list") or is_away(subject):
        return Nature.BULK
    return Nature.PERSON


def is_robot(tree: Tree, subject: str) -> bool:
    """Whether a programme wrote it, should it answer a letter of ours. Alone it may be an alert that somebody must see.

    What a mailing list passes on says `Precedence: list` too, and people write there.
    """
    if _value(tree.fields, "auto-submitted").partition(" ")[0] not in ("", "no") or is_away(subject):
        return True
    listed = any(name in ("list-id", "list-post") for name, _ in tree.fields)
    return not listed and _value(tree.fields, "precedence") in ("bulk", "junk", "list", "auto_reply")


def _value(fields: Sequence[Field], name: str) -> str:
    return value_of(first(fields, name))[0]


def bounce_of(raw: bytes, tree: Tree, subject: str, sender: str, *, text: str, null_sender: bool) -> Bounce | None:
    """None where it is no report of a failure: neither of a mail server's form nor in its words."""
    # What stands in an attached message is about that one: people pass on what came back to them.
    status = [part for part in tree.parts if part.kind in _STATUSES and "message/rfc822" not in part.inside]
    daemon = null_sender or bool(_DAEMON.match(sender))
    by_form = bool(status) and (daemon or _is_report(tree))
    if not by_form and not (daemon and _UNDELIVERED.search(subject)):
        return None
    said = [_reports(body_of(raw, part, longest=_LONGEST_REPORT)[0]) for part in status]
    blocks = [block for each in said for block in each]
    actions = [_plain(block, "action").lower() for block in blocks if first(block, "action")]
    if actions and not any(action in ("failed", "delayed") for action in actions):
        return None  # delivered, relayed: no failure
    recipients = [
        address
        for block in blocks
        for name in ("original-recipient", "final-recipient")
        if (address := _address(first(block, name)))
    ]
    words = next(filter(None, (_plain(block, "diagnostic-code") for block in blocks)), "") or _words(text)
    codes = " ".join(_plain(block, "status") for block in blocks) or words
    code = _STATUS.search(codes)
    # 4.x.x may yet succeed, and 5.2.2 is a mailbox that is full.
    passing = "delayed" in actions or (code is not None and (code[1] == "4" or code[0].startswith("5.2.2")))
    if not actions and code is None:
        said_so = f"{subject}\n{text[:_LONGEST_REPORT]}"
        passing = bool(_PASSING.search(said_so)) and not _FINAL.search(said_so)
    if not recipients:
        recipients = [found.lower() for found in _ADDRESS.findall(text[:_LONGEST_REPORT])]
    return Bounce(
        tuple(dict.fromkeys([*_returned(raw, tree), *_ID_IN_WORDS.findall(text[:_LONGEST_REPORT])]))[:20],
        tuple(dict.fromkeys(each for each in recipients if each != sender))[:50],
        not passing,
        words[:_LONGEST_WORDS],
    )


def _is_report(tree: Tree) -> bool:
    """Of delivery (RFC 3464); some servers leave its type out."""
    kind = tree.parameters.get("report-type", "delivery-status").lower()
    return tree.kind == "multipart/report" and kind in ("delivery-status", "global-delivery-status")


def _reports(data: bytes) -> list[Sequence[Field]]:
    """Its groups of fields: one of the message, then one of each recipient."""
    groups = re.split(rb"\n[ \t]*\n", data.replace(b"\r\n", b"\n"))
    return [split_fields(group) for group in groups[:100] if group.strip()]


def _plain(fields: Sequence[Field], name: str) -> str:
    text = one_line(decode(first(fields, name) or b"", None)[0])
    kind, semicolon, rest = text.partition(";")
    return rest.strip() if semicolon and kind.strip().lower() in ("smtp", "x-unix", "rfc822", "dns") else text


def _address(raw: bytes | None) -> str | None:
    found = mailboxes_of((raw or b"").rpartition(b";")[2], most=1)
    return found[0][1] if found else None


def _returned(raw: bytes, tree: Tree) -> Iterator[str]:
    """The ids of the letter that came back, whole or only its head."""
    for part in tree.parts:
        named = (part.name or "").lower().endswith((".eml", ".msg", "headers.txt"))
        if named or part.kind in ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"):
            head = body_of(raw, part, longest=_LONGEST_REPORT)[0]
            yield from (found.decode("ascii", "replace") for found in _ONE_ID.findall(head)[:1])
    yield from ids_of(first(tree.fields, "in-reply-to"))
    yield from ids_of(first(tree.fields, "x-failed-message-id"))
    for part in tree.parts[:3]:
        # Servers that know no RFC 3464 put the letter into their text.
        if part.kind == "text/plain":
            text = body_of(raw, part, longest=_LONGEST_REPORT)[0]
            yield from (found.decode("ascii", "replace") for found in _ONE_ID.findall(text)[:3])


def _words(text: str) -> str:
    """Why, where a report in words says so; else how it begins."""
    text = text[:_LONGEST_REPORT]
    found = _REASON.search(text)
    return one_line(text[: 4 * _LONGEST_WORDS] if found is None else found[1])

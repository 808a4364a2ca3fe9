"""Mail of which the truth is known: new cases, copies, answers to us and to themselves, bounces, automatic replies."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from enum import StrEnum
from random import Random

HOUSE = "care@heronbay.example"
# Of a hundred messages; one in four of the new ones has an attachment.
_MIXTURE = (("new", 48), ("reply", 14), ("answer", 12), ("copy", 10), ("bounce", 8), ("automatic", 8))
# The first so many come before anything is measured: what they set going is answered by us, and then by the customer.
WARM = 100
_WORDS = {
    "utf-8": "宽带从昨天晚上开始就不能上网了 请尽快帮忙处理 谢谢",
    "gb18030": "发票上的金额不对 请核对后重新开具 合同号码见附件",
    "big5": "我的寬頻從昨天開始就無法上網 請協助處理 謝謝您的幫忙",
    "iso-2022-jp": "昨日からインターネットがつながりません ご確認をお願いします",
    "windows-1252": "Die Verbindung fällt täglich aus – bitte prüfen Sie die Störung für München",
    "us-ascii": "The router does not start since this morning and the red light is on",
}


class Kind(StrEnum):
    NEW = "new"
    REPLY = "reply"  # to the customer's own earlier message
    ANSWER = "answer"  # to what we wrote about an earlier message of theirs, of which they quote nothing else
    COPY = "copy"  # the same message once more, by another server
    BOUNCE = "bounce"  # of a letter of ours
    AUTOMATIC = "automatic"  # out of office


@dataclass(frozen=True, slots=True)
class Item:
    """`of`: the place of the message that it answers or repeats."""

    kind: Kind
    raw: bytes
    subject: str
    of: int | None = None


def letter_id(n: int) -> str:
    """Of the letter that we sent before, of which the n-th message speaks."""
    return f"letter-{n}@heronbay.example"


class _Writer:
    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.items: list[Item] = []

    def text(self, charset: str, count: int) -> str:
        words = _WORDS[charset].split(" ")
        return " ".join(self.dice.choice(words) for _ in range(count))

    def message(self, n: int, subject: str, body: str, charset: str, *more: str) -> bytes:
        html = f"<html><body><p>{body}</p><blockquote>{body}</blockquote></body></html>"
        coded = Header(subject, None if charset == "us-ascii" else charset).encode()
        head = [
            f"Received: from mx{n % 7}.customer.example by heronbay.example; Tue, 10 Mar 2026 16:20:00 +0800",
            f"From: Customer {n} <customer{n % 400}@customer.example>",
            f"To: Heron Bay <{HOUSE}>",
            f"Subject: {coded}",
            f"Message-ID: <message-{n}@customer.example>",
            f"Date: Tue, 10 Mar 2026 {8 + n % 10:02}:{n % 60:02}:00 +0800",
            "MIME-Version: 1.0",
            *more,
        ]
        parts = [self.part(body, f"text/plain; charset={charset}", charset)]
        if n % 2:
            parts = [self.nested(parts[0], self.part(html, f"text/html; charset={charset}", charset))]
        if n % 4 == 0:
            parts.append(self.attachment(n))
        return "\r\n".join(head).encode() + b"\r\n" + self.mixed("mixed", *parts)

    def part(self, text: str, kind: str, charset: str) -> bytes:
        coded = base64.encodebytes(text.encode(charset, "replace")).replace(b"\n", b"\r\n")
        return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + coded

    def nested(self, *parts: bytes) -> bytes:
        return self.mixed("alternative", *parts)

    def mixed(self, subtype: str, *parts: bytes) -> bytes:
        edge = f"=_{subtype}"
        body = b"".join(f"--{edge}\r\n".encode() + part + b"\r\n" for part in parts)
        head = f'Content-Type: multipart/{subtype}; boundary="{edge}"\r\n\r\n'
        return head.encode() + body + f"--{edge}--\r\n".encode()

    def attachment(self, n: int) -> bytes:
        # The very first is too large for the serving process itself.
        size = self.dice.randrange(2_000, 100_000) if n else 150_000
        data = base64.encodebytes(self.dice.randbytes(size)).replace(b"\n", b"\r\n")
        head = (
            "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename*=utf-8''%E5%9B%BE{n}.jpg\r\n\r\n"
        )
        return head.encode() + data

    def add(self, kind: Kind) -> None:
        n = len(self.items)
        charset = self.dice.choice(list(_WORDS))
        # What is answered or repeated came some time before.
        earlier = [m for m, item in enumerate(self.items[: max(n - 64, 0)]) if item.kind is Kind.NEW]
        if kind is Kind.ANSWER:
            earlier = [m for m in earlier if m < WARM] if n >= WARM else []
        if n == 0 or (kind in (Kind.REPLY, Kind.COPY, Kind.ANSWER) and not earlier):
            kind = Kind.NEW
        subject = f"{self.text(charset, 3)} {n}"
        body = self.text(charset, 60)
        match kind:
            case Kind.NEW:
                self.items.append(Item(kind, self.message(n, subject, body, charset), subject))
            case Kind.REPLY:
                of = self.dice.choice(earlier)
                thread = f"In-Reply-To: <message-{of}@customer.example>"
                subject = f"Re: {self.items[of].subject}"
                self.items.append(Item(kind, self.message(n, subject, body, "utf-8", thread), subject, of))
            case Kind.ANSWER:
                of = self.dice.choice(earlier)
                thread = f"In-Reply-To: <{letter_id(n)}>"
                subject = f"答复：{self.items[of].subject}"
                self.items.append(Item(kind, self.message(n, subject, body, "utf-8", thread), subject, of))
            case Kind.COPY:
                of = self.dice.choice(earlier)
                trace = b"Received: from relay.example by heronbay.example; Wed, 11 Mar 2026 01:00:00 +0800\r\n"
                self.items.append(Item(kind, trace + self.items[of].raw, self.items[of].subject, of))
            case Kind.BOUNCE:
                self.items.append(Item(kind, _bounce(n), "Undelivered Mail Returned to Sender"))
            case Kind.AUTOMATIC:
                subject = f"自动回复: {n}" if n % 2 else f"Out of office {n}"
                auto = "Auto-Submitted: auto-replied"
                self.items.append(Item(kind, self.message(n, subject, body, "utf-8", auto), subject))


def _bounce(n: int) -> bytes:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.customer.example\r\n"
        f"To: {HOUSE}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Message-ID: <bounce-{n}@mx.customer.example>\r\n"
        "Date: Tue, 10 Mar 2026 16:20:00 +0800\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="e"\r\n\r\n'
        "--e\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--e\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\n"
        f"Final-Recipient: rfc822; customer{n % 400}@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "--e\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <{letter_id(n)}>\r\nSubject: Hello\r\n\r\n--e--\r\n"
    ).encode()


def corpus(size: int, *, seed: int = 1) -> Sequence[Item]:
    """Always the same."""
    writer = _Writer(seed)
    kinds = [Kind(kind) for kind, share in _MIXTURE for _ in range(share)]
    for n in range(size):
        if n % len(kinds) == 0:
            writer.dice.shuffle(kinds)
        writer.add(kinds[n % len(kinds)])
    return writer.items

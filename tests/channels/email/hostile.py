"""Messages that nobody means well with: each is large, deep, long or many in another way."""

import gzip
import zlib
from collections.abc import Callable, Mapping

from tests.channels.email.messages import attached, message, multipart, part

MB = 1024 * 1024


def _nested() -> bytes:
    raw = message()
    for _ in range(1_000):
        raw = message(raw, kind="message/rfc822")
    return raw


def _deep() -> bytes:
    heads = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1_000))
    return b"From: a@b.example\r\n" + b"".join(heads) + b"\r\nhello"


def _nul() -> bytes:
    return multipart(
        part(b"a\x00b"),
        attached(b"x", "a\x00b.pdf"),
        Subject="a\x00b",
        From="a\x00b <a@b.example>",
        Message_ID="<a\x00b@c.example>",
        References="<x\x00@y.example> <z\x00>",
        In_Reply_To="<q\x00@y.example>",
        Reply_To="x\x00 <y\x00@b.example>",
    )


def _report() -> bytes:
    groups = b"Final-Recipient: rfc822; a@b.example\r\n\r\n" * 80_000
    body = b"--e\r\nContent-Type: message/delivery-status\r\n\r\n" + groups + b"\r\n--e--"
    return message(body, kind="multipart/report; report-type=delivery-status; boundary=e", Subject="Undelivered")


HOSTILE: Mapping[str, Callable[[], bytes]] = {
    "10,000 parts": lambda: multipart(*[part(b"x") for _ in range(10_000)]),
    "a boundary on every line": lambda: message(b"--edge\r\n" * 2 * MB, kind="multipart/mixed; boundary=edge"),
    "almost a boundary on every line": lambda: message(b"--edgex\r\n" * 2 * MB, kind="multipart/mixed; boundary=edge"),
    "1,000 messages in each other": _nested,
    "1,000 parts in each other": _deep,
    "a subject of 1 MB": lambda: message(Subject="x" * MB),
    "a folded subject of 1 MB": lambda: message(Subject="x\r\n " * (MB // 4)),
    "encoded words of 1 MB": lambda: message(Subject="=?utf-8?b?4piD?= " * (MB // 17)),
    "references of 1 MB": lambda: message(References="<a@b.example> " * (MB // 14)),
    "recipients of 1 MB": lambda: message(To="a <a@b.example>, " * (MB // 17)),
    "quotation marks of 1 MB": lambda: message(To='"' * MB + " a@b.example"),
    "a million fields": lambda: b"X: y\r\n" * 1_000_000 + message(),
    "50,000 parameters": lambda: message(kind="text/plain; " + "; ".join(f"n*{n}*=utf-8''a%20" for n in range(50_000))),
    "a parameter of backslashes": lambda: message(kind='text/plain; a="' + "\\" * MB),
    "semicolons": lambda: message(kind="text/plain" + ";" * MB),
    "no head that ends": lambda: b"From: a@b.example\r\n" + b"X" * 20 * MB,
    "NUL bytes in every field": _nul,
    "NUL bytes": lambda: message(b"\x00" * 10 * MB),
    "one line": lambda: message(b"x" * 10 * MB),
    "lines alone": lambda: message(b"\n" * 10 * MB),
    "open tags": lambda: message(b"<div>" * 500_000, kind="text/html"),
    "open tags that others end": lambda: message(b"<p><font color=red>" * 26_000, kind="text/html"),
    "tags that begin": lambda: message(b"<" * 2 * MB, kind="text/html"),
    "a tag of a million attributes": lambda: message(b"<a " + b"x=1 " * 500_000 + b">", kind="text/html"),
    "half a character in HTML": lambda: message(b"<b>+2AA-</b>", kind="text/html; charset=utf-7"),
    "flowed lines": lambda: message(b"x \r\n" * 700_000, kind="text/plain; format=flowed"),
    "shifts between sets": lambda: message(b"\x1b$B" * MB, kind="text/plain; charset=iso-2022-jp"),
    "a packed TNEF": lambda: multipart(
        part(b"hello"), attached(b"\x78\x9f\x3e\x22" + zlib.compress(b"\0" * 50 * MB), "winmail.dat")
    ),
    "a packed body": lambda: message(gzip.compress(b"\0" * 100 * MB), Content_Encoding="gzip"),
    "a packed attachment": lambda: multipart(part(b"hello"), attached(gzip.compress(b"\0" * 100 * MB), "a.gz")),
    "a calendar without end": lambda: message(b"SUMMARY:x\r\n " * 250_000, kind="text/calendar"),
    "a report on 80,000": _report,
}

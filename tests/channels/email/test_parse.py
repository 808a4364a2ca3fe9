"""Messages as real mailboxes hold them, and those that are made to hurt."""

import base64
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.mail import Mailbox, Nature
from callcenter.domain.quotes import said
from callcenter.domain.transfer import from_encoding
from channels.email.charsets import decode
from channels.email.headers import ids_of, mailboxes_of, value_of, words_of
from channels.email.parse import parse, safe_name
from channels.email.text import harmless, unflowed
from tests.channels.email.messages import attached, message, multipart, part

CHINESE = "您好,宽带从昨天开始就不能上网了,请帮忙处理一下。"
TRADITIONAL = "您好,我的寬頻從昨天開始就無法上網,請協助處理,謝謝。"
JAPANESE = "昨日からインターネットがつながりません。ご確認ください。"


def test_a_plain_message_is_read() -> None:
    mail = parse(message())
    assert mail.sender == Mailbox("Wang Fang", "wang@customer.example")
    assert (mail.subject, mail.text, mail.html) == ("No light", "The router does not start.", None)
    assert (mail.message_id, mail.recipients) == ("1@customer.example", ("care@heronbay.example",))
    assert mail.date is not None
    assert mail.date.isoformat() == "2026-03-10T08:20:00+00:00"
    assert (mail.nature, list(mail.attachments), list(mail.notes)) == (Nature.PERSON, [], [])


@pytest.mark.parametrize(
    ("text", "bytes_in", "said"),
    [
        (CHINESE, "gb18030", "gb2312"),
        (CHINESE + "镕", "gb18030", "gb2312"),
        (CHINESE, "gb18030", "unknown-8bit"),
        (CHINESE, "gb18030", None),
        (CHINESE, "utf-8", "gb2312"),
        (CHINESE, "utf-8", "us-ascii"),
        (CHINESE, "gb18030", "utf-8"),
        (TRADITIONAL, "big5", "big5"),
        (TRADITIONAL, "big5", None),
        (JAPANESE, "iso-2022-jp", "iso-2022-jp"),
        (JAPANESE, "iso-2022-jp", None),
        (JAPANESE, "shift_jis", "shift_jis"),
        (JAPANESE, "shift_jis", "unknown-8bit"),
        ("안녕하세요 인터넷", "cp949", "ks_c_5601-1987"),
        ("“Grüße” – 5 €", "cp1252", "windows-1252"),
        ("“Grüße” – 5 €", "cp1252", "iso-8859-1"),
        ("Grüße aus Köln, schöne Woche", "cp1252", None),
        ("Привет, не работает", "cp1251", "windows-1251"),
    ],
)
def test_a_text_is_read_in_its_set_of_characters_or_the_one_it_is_in(
    text: str, bytes_in: str, said: str | None
) -> None:
    kind = "text/plain" if said is None else f"text/plain; charset={said}"
    mail = parse(message(text.encode(bytes_in), kind=kind))
    assert mail.text == text
    assert not mail.notes


def test_what_cannot_be_read_is_replaced_and_said() -> None:
    mail = parse(message(b"a\xff\xfe\x81 b", kind="text/plain; charset=iso-2022-jp"))
    assert mail.text.startswith("a")
    assert mail.notes == ("Some of its characters could not be read.",)


@pytest.mark.parametrize(
    "charset", ["zlib", "base64", "rot13", "punycode", "idna", "unicode_escape", "undefined", "x" * 99]
)
def test_a_codec_that_is_no_set_of_characters_is_never_used(charset: str) -> None:
    assert decode("Grüße an alle, schöne".encode(), charset) == ("Grüße an alle, schöne", True)


def word(text: str, charset: str) -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(text.encode(charset)) + b"?="


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (word("宽带故障", "gb2312"), "宽带故障"),
        (b"Re: " + word("宽带", "utf-8") + b"\r\n " + word("故障", "utf-8") + b" (2)", "Re: 宽带故障 (2)"),
        (b"=?utf-8?Q?=E5=AE?= =?utf-8?Q?=BD=E5=B8=A6?=", "宽带"),
        (b"=?UTF-8?B?5a695bi?=\r\n =?UTF-8?B?m?=", "宽带"),
        (b"=?utf-8*zh?Q?a_b=20c?=", "a b c"),
        (b"=?utf-8?Q?a b c?=", "a b c"),
        ("宽带故障".encode("gb18030"), "宽带故障"),
        ("宽带故障申报".encode(), "宽带故障申报"),
        (b"=?no-such?Q?Gr=FC=DFe?=", "Grüße"),
        (b"100% =?of? it", "100% =?of? it"),
        (b"a\r\n\tb\x00\x1b[31m", "a b [31m"),
        (b'"' + word("引号", "utf-8") + b'"', '"引号"'),
    ],
)
def test_a_subject_is_right_however_it_is_written(raw: bytes, subject: str) -> None:
    text = b"From: a@b.example\r\nSubject: " + raw + b"\r\n\r\n" + CHINESE.encode("gb18030")
    assert parse(text).subject == subject


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a@b.example", [("", "a@b.example")]),
        (b'"Chen, Amy" <Amy@B.example>, bo@b.example', [("Chen, Amy", "amy@b.example"), ("", "bo@b.example")]),
        (word("陈晓", "gbk") + b" <amy@b.example>", [("陈晓", "amy@b.example")]),
        (b'"evil@other.example" <amy@b.example>', [("evil@other.example", "amy@b.example")]),
        (word("李雷@财务部", "utf-8") + b" <li@c.example>", [("李雷@财务部", "li@c.example")]),
        ("李雷@财务部 <li@c.example>".encode("gbk"), [("李雷@财务部", "li@c.example")]),
        (b"=?UTF-8?Q?support=40bank.example?= <x@evil.example>", [("support@bank.example", "x@evil.example")]),
        (
            b"=?utf-8?Q?27=22_Monitor?= <shop@b.example>, a@b.example",
            [('27" Monitor', "shop@b.example"), ("", "a@b.example")],
        ),
        (b"'amy@x.example' via Support <support@h.example>", [("'amy@x.example' via Support", "support@h.example")]),
        (
            b"a@b.example bo@b.example, c@b.example <d@b.example>",
            [("", "a@b.example"), ("", "bo@b.example"), ("c@b.example", "d@b.example")],
        ),
        (word("陈晓 <amy@b.example>", "gbk"), [("陈晓", "amy@b.example")]),
        (b"undisclosed-recipients:;", []),
        (b"", []),
    ],
)
def test_addresses_are_found_with_their_names(raw: bytes, expected: list[tuple[str, str]]) -> None:
    assert mailboxes_of(raw) == expected


def test_parameters_are_read_by_rfc_2231_and_as_others_write_them() -> None:
    raw = b"attachment; filename*0*=utf-8''%E5%90%88; filename*1*=%E5%90%8C; filename*2=.pdf; size=3"
    assert value_of(raw) == ("attachment", {"filename": "合同.pdf", "size": "3"})
    assert value_of(b"attachment; filename*=gb2312'zh'%BA%CF%CD%AC.pdf")[1]["filename"] == "合同.pdf"
    assert value_of(b'application/pdf; name="' + word("合同.pdf", "gbk") + b'"')[1]["name"] == "合同.pdf"
    assert value_of(b'a/b; name="a\\"b;c"; x=y')[1] == {"name": 'a"b;c', "x": "y"}


def test_plain_text_is_preferred_and_html_is_made_harmless() -> None:
    html = b'<p onclick="x()">Hello <script>alert(1)</script><a href="javascript:x">a</a>'
    mail = parse(multipart(part(b"Hello"), part(html, "text/html"), subtype="alternative"))
    assert mail.text == "Hello"
    assert mail.html is not None
    assert "script" not in mail.html
    assert "onclick" not in mail.html
    assert "alert" not in mail.html


def test_html_alone_is_shown_as_text_too() -> None:
    html = "<style>p{}</style><p>您好</p><blockquote>earlier<br>line</blockquote><ul><li>one</ul><a href='https://a.example/x'>here</a>"
    mail = parse(message(html.encode(), kind="text/html; charset=utf-8"))
    assert mail.text == "您好\n\n> earlier\n> line\n\n- one\n\nhere <https://a.example/x>"


def test_attachments_are_found_where_they_stand() -> None:
    raw = multipart(
        part(b"See the file."),
        attached(b"%PDF-1.4 hello" * 20, "=?gb2312?B?us/NrC5wZGY=?="),
        part(
            b"<b>x</b>",
            "text/html",
            Content_Disposition="attachment; filename=../../a.html",
        ),
        part(base64.b64encode(b"GIF89a"), "image/gif", Content_ID="<logo@x>", Content_Transfer_Encoding="base64"),
    )
    mail = parse(raw)
    assert [each.name for each in mail.attachments] == ["合同.pdf", "a.html", "part-3.gif"]
    first, _, logo = mail.attachments
    assert from_encoding(raw[first.start : first.start + first.length], first.encoding) == b"%PDF-1.4 hello" * 20
    assert first.size == len(b"%PDF-1.4 hello" * 20)
    assert (logo.cid, logo.inline) == ("logo@x", True)


@pytest.mark.parametrize(
    ("given", "kept"), [("../../etc/passwd", "passwd"), ("a\u202egpj.exe", "a gpj.exe"), ("", ""), ("...", "")]
)
def test_a_file_name_leads_nowhere(given: str, kept: str) -> None:
    assert safe_name(given) == kept


@pytest.mark.parametrize("disposition", ["inline", "attachment"])
def test_a_forwarded_message_is_an_attachment_that_is_read_below_what_its_sender_wrote(disposition: str) -> None:
    inner = multipart(part(b"I am inside."), part(b"<p>Inside", "text/html"), subtype="alternative", Subject="Old")
    raw = multipart(part(b"Please look."), part(inner.replace(b"edge", b"in"), "message/rfc822",
                                                Content_Disposition=disposition))  # fmt: skip
    mail = parse(raw)
    assert said(mail.text) == "Please look."
    assert mail.text.endswith("Subject: Old\n\nI am inside.")
    assert "From: Wang Fang <wang@customer.example>" in mail.text
    assert [each.type for each in mail.attachments] == ["message/rfc822"]
    written = parse(raw.replace(b"text/plain", b"text/html", 1))
    assert written.html is not None
    assert "Subject: Old" in written.html


def test_an_invitation_is_said_in_a_few_lines_and_kept() -> None:
    event = ["BEGIN:VEVENT", "SUMMARY:Visit\\, floor 3", "DTSTART;TZID=x:20260311T090000", "END:VEVENT"]
    calendar = "\r\n".join(["BEGIN:VCALENDAR", *event]).encode()
    mail = parse(multipart(part(b"Hi"), part(calendar, "text/calendar; method=REQUEST"), subtype="alternative"))
    assert mail.text == "Hi\n\nWhat: Visit, floor 3\nBegins: 2026-03-11 09:00 x"
    assert [each.name for each in mail.attachments] == ["part-1.ics"]


def test_what_outlook_packs_is_kept_and_said() -> None:
    mail = parse(multipart(part(b"Hi"), attached(b"\x78\x9f\x3e\x22", "winmail.dat", "application/ms-tnef")))
    assert [each.name for each in mail.attachments] == ["winmail.dat"]
    assert "winmail.dat" in mail.notes[0]


def test_flowed_lines_are_put_together() -> None:
    assert unflowed("a \nb\n> c \n> d\n-- \nme", delsp=False) == "a b\n> c d\n-- \nme"
    assert unflowed("你 \n好", delsp=True) == "你好"


def test_entities_below_the_rule_of_qq_mail_are_read_and_those_above_are_the_writers() -> None:
    above = "The page shows &nbsp; signs."
    below = "------------------&nbsp;原始邮件&nbsp;------------------\n"
    below += '发件人:&nbsp;"李娜"&lt;li@customer.example&gt;;\n发送时间:&nbsp;2026年3月10日\n主题:&nbsp;水壶\n\n漏水。'
    mail = parse(message(f"{above}\n\n{below}".encode(), Subject="Fwd: x"))
    assert said(mail.text) == above
    assert mail.forwarded is not None
    assert (mail.forwarded.sender.address, mail.forwarded.words) == ("li@customer.example", above)


def test_a_boundary_inside_another_and_one_that_never_ends_are_understood() -> None:
    inner = b"Content-Type: multipart/alternative; boundary=edge2\r\n\r\n--edge2\r\n\r\nplain\r\n--edge2\r\n"
    inner += b"Content-Type: text/html\r\n\r\n<p>html"
    mail = parse(multipart(inner, attached(b"x", "a.pdf")))
    assert (mail.text, len(mail.attachments)) == ("plain", 1)
    cut = multipart(part(b"one"), attached(b"abc", "a.pdf"))[:-40]
    assert parse(cut).text == "one"


def test_the_same_message_by_another_way_is_known() -> None:
    there = message(X_Spam="no")
    here = b"Received: from a by b\r\nDelivered-To: bills@heronbay.example\r\n" + message(
        b"The router does not start.\n\n--\nlist footer"
    )
    assert parse(there).fingerprint == parse(here).fingerprint
    assert parse(message(Subject="Other")).fingerprint != parse(there).fingerprint
    assert parse(message(Message_ID=None)).fingerprint != parse(message(b"Other.", Message_ID=None)).fingerprint
    assert (
        parse(message(Message_ID=None)).fingerprint
        == parse(message(Message_ID=None).replace(b"\r\n", b"\n")).fingerprint
    )


@settings(max_examples=150)
@given(st.binary(max_size=2000))
def test_any_bytes_are_understood_somehow(raw: bytes) -> None:
    mail = parse(raw)
    mail.text.encode()
    assert "\x00" not in mail.text + mail.subject + (mail.html or "")
    assert mail.subject.isprintable()


_PIECES = st.sampled_from([
    b"--q", b"--q--", b"\r\n", b"\n", b"\n\n", b": ", b";", b'"', b"=?utf-8?B?", b"?=", b"=", b"\x00", b"\xff\xd6\xd0",
    b"Content-Type: multipart/mixed; boundary=q", b"Content-Type: text/html", b"Content-Type: message/rfc822",
    b"Content-Transfer-Encoding: base64", b"Subject: ", b"From: ", b"<a@b.example>", b"begin 644 x", b"+AGE-",
    b"Content-Type: text/plain; charset=", b"hz", b"utf-7", b"utf-16",
])  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.one_of(_PIECES, st.binary(max_size=6)), max_size=60).map(b"".join))
def test_any_pieces_of_messages_are_understood_somehow(raw: bytes) -> None:
    mail = parse(raw)
    for each in mail.attachments:
        assert 0 <= each.start <= each.start + each.length <= len(raw)
        from_encoding(raw[each.start : each.start + each.length], each.encoding)


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), max_size=60))
def test_a_subject_comes_back_from_an_encoded_word(text: str) -> None:
    assert words_of(word(text, "utf-8")) == text


def head(kind: str) -> bytes:
    return (
        f"From: a@b.example\nMessage-ID: <x@b>\nDate: Tue, 10 Mar 2026 16:20:00 +0800\nContent-Type: {kind}\n".encode()
    )


MIXED = b"Content-Type: multipart/mixed; boundary=q%d\n\n--q%d\n"
PICTURE = b"\n--q\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n"
UU = "text/plain\nContent-Transfer-Encoding: uuencode"
HOSTILE: dict[str, Any] = {
    "10,000 parts": lambda: head("multipart/mixed; boundary=q") + b"\n" + b"--q\n\nhi\n" * 10_000,
    "nested 1,000 times": lambda: b"From: a@b.example\n" + b"".join(MIXED % (n, n) for n in range(1000)),
    "messages in messages": lambda: b"From: a@b.example\n" + b"Content-Type: message/rfc822\n\n" * 3000,
    "a header of 1 MB": lambda: b"From: a@b.example\nSubject: " + b"=?utf-8?q?a?= " * 75_000 + b"\n\nhi",
    "300,000 fields": lambda: b"From: a@b.example\n" + b"X: y\n" * 300_000 + b"\nhi",
    "long parameters": lambda: head("text/plain; " + "".join(f"name*{n}=a;" for n in range(50_000))) + b"\nhi",
    "only quotes": lambda: head("text/plain; " + 'a="' * 100_000) + b"\nhi",
    "only hyphens": lambda: head("multipart/mixed; boundary=-") + b"\n" + b"-" * 5_000_000,
    "open tags": lambda: head("text/html") + b"\n" + b"<b><i><a>" * 100_000,
    "open comments": lambda: head("text/html") + b"\n" + b"<!--" * 200_000,
    "a tag of 100,000 attributes": lambda: head("text/html") + b"\n<a " + b"a=1 " * 100_000 + b">",
    "broken uuencode": lambda: head(UU) + b"\nbegin 6 x\n" + b"M\xff\n" * 10**6,
    "5 MB of text": lambda: head("text/plain") + b"\n" + b"hello\n" * 800_000,
    "a 20 MB attachment": lambda: head("multipart/mixed; boundary=q") + PICTURE + b"QUJD" * 5_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_message_that_is_made_to_hurt_is_read_in_bounded_time(name: str) -> None:
    raw = HOSTILE[name]()
    began = time.process_time()
    mail = parse(raw)
    assert time.process_time() - began < 2
    assert len(mail.attachments) <= 501


def test_ids_are_read_from_folded_and_broken_fields() -> None:
    assert ids_of(b"<a@b>  <c@d> junk <not an id> <a@b>") == ["a@b", "c@d"]
    assert len(ids_of(b" ".join(b"<%d@x>" % n for n in range(1000)), most=50)) == 50


def test_nothing_that_runs_passes() -> None:
    for bad in (
        "<svg onload=x>",
        "<img src=x onerror=y>",
        "<iframe src=x>",
        "<a href='data:text/html,x'>",
        "<style>*{}</style>",
        "<form action=x>",
    ):
        clean = harmless(bad)
        assert not any(word in clean for word in ("onload", "onerror", "iframe", "data:", "style", "form", "svg"))

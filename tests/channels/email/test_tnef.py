"""Files and text that Outlook packed."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.mail import Mail
from callcenter.domain.transfer import from_encoding
from channels.email.parse import parse
from channels.email.tnef import unpack
from tests.channels.email.messages import attached, multipart, part
from tests.channels.email.packed import (
    A_MESSAGE,
    BEGINS_FILE,
    BINARY,
    BODY,
    BOOLEAN,
    CID,
    CLASS,
    CODEPAGE,
    CONTENT,
    DATA,
    FILE,
    HTML,
    INTEGER,
    KIND,
    MESSAGE,
    OBJECT,
    RTF,
    SHORT_NAME,
    STRING,
    SUBJECT,
    TEXT,
    TIME,
    TITLE,
    UNICODE,
    attribute,
    file,
    prop,
    properties,
    text,
    tnef,
)

_NOTE = "Outlook packed what it sent into winmail.dat, which is kept as an attachment."
_LETTER = attribute(CLASS, b"IPM.Note\0")


def mailed(packed: bytes, said: bytes = b"Hi") -> tuple[Mail, bytes]:
    raw = multipart(part(said), attached(packed, "winmail.dat", "application/ms-tnef"))
    return parse(raw), raw


def contents(mail: Mail, raw: bytes) -> dict[str, bytes]:
    return {a.name: from_encoding(raw[a.start : a.start + a.length], a.encoding) for a in mail.attachments}


def test_the_files_take_the_place_of_the_pack() -> None:
    mail, raw = mailed(
        tnef(
            _LETTER,
            file("报价单 2026.pdf", b"%PDF" * 400),
            file("light.txt", b"on\r\noff", prop(KIND, STRING, b"text/plain\0")),
            file("logo.png", b"\x89PNG", prop(KIND, STRING, b"image/png\0"), prop(CID, STRING, b"<logo@x>\0")),
        )
    )
    assert contents(mail, raw) == {"报价单 2026.pdf": b"%PDF" * 400, "light.txt": b"on\r\noff", "logo.png": b"\x89PNG"}
    assert [(a.type, a.size, a.cid, a.inline) for a in mail.attachments] == [
        ("application/pdf", 1_600, None, False),
        ("text/plain", 7, None, False),
        ("image/png", 4, "logo@x", True),
    ]
    assert (mail.text, mail.notes) == ("Hi", ())


def test_a_name_of_old_programs_is_in_their_characters() -> None:
    name = "宽带账单.txt".encode("gbk") + b"\0"
    head = [attribute(CODEPAGE, struct.pack("<II", 936, 0)), attribute(BEGINS_FILE, bytes(14))]
    mail, raw = mailed(tnef(*head, attribute(DATA, b"1"), attribute(TITLE, name)))
    assert contents(mail, raw) == {"宽带账单.txt": b"1"}


def test_the_long_name_is_told_by_whatever_stands_before_it() -> None:
    before = [
        prop(0x0E21, INTEGER, b"\1\0\0\0"),
        prop(0x7FFE, BOOLEAN, b"\1\0"),
        prop(0x3007, TIME, bytes(8)),
        prop(0x8001, UNICODE, text("a"), text("bcd"), many=True, named="Keywords"),
        prop(0x1003, INTEGER, *[bytes(4)] * 3, many=True),
        prop(SHORT_NAME, STRING, b"INVOIC~1.PDF\0"),
    ]
    named = prop(0x3707, UNICODE, text("invoice.pdf"))
    for each in ([*before, named], [named, *before]):
        packed = tnef(attribute(BEGINS_FILE, b""), attribute(DATA, b"x"), attribute(FILE, properties(*each)))
        assert [found.name for found in unpack(packed).files] == ["invoice.pdf"]


@pytest.mark.parametrize(("kind", "skipped"), [(OBJECT, 16), (BINARY, 0)])
def test_a_file_may_stand_among_its_properties(kind: int, skipped: int) -> None:
    mail, raw = mailed(tnef(file("a.doc", b"An object.", prop(CONTENT, kind, bytes(skipped) + b"\xd0\xcf\x11"))))
    assert contents(mail, raw) == {"a.doc": b"\xd0\xcf\x11"}


def test_a_message_inside_is_shown_below_with_its_files() -> None:
    inner = tnef(attribute(SUBJECT, b"No light\0"), attribute(BODY, b"It is dark.\0"), file("photo.jpg", b"\xff\xd8"))
    mail, raw = mailed(tnef(file("", b"A message.", prop(CONTENT, OBJECT, A_MESSAGE + inner))))
    assert contents(mail, raw) == {"photo.jpg": b"\xff\xd8"}
    assert mail.text == "Hi\n\n---------- Forwarded message ----------\nSubject: No light\n\nIt is dark."
    assert mail.notes == ()


@pytest.mark.parametrize(
    "said", [prop(TEXT, UNICODE, text("灯不亮")), prop(HTML, BINARY, "<p>灯不亮</p>".encode())], ids=["plain", "HTML"]
)
def test_the_text_counts_where_the_message_has_none(said: bytes) -> None:
    packed = tnef(attribute(MESSAGE, properties(prop(RTF, BINARY, b"LZFu"), said)))
    mail, _ = mailed(packed, b"")
    assert (mail.text, mail.attachments, mail.notes) == ("灯不亮", [], ())
    assert mailed(packed)[0].text == "Hi"


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (tnef(attribute(CLASS, b"IPM.Microsoft Schedule.MtgReq\0")), b"Hi"),
        (tnef(attribute(MESSAGE, properties(prop(RTF, BINARY, b"LZFu")))), b""),
        (tnef(b"\x03 what is this?"), b"Hi"),
        (b"PK\x03\x04", b"Hi"),
        (b"", b"Hi"),
    ],
    ids=["an invitation", "a text that is not read", "broken", "something else", "nothing"],
)
def test_a_pack_is_kept_where_somebody_would_miss_it(packed: bytes, said: bytes) -> None:
    mail, raw = mailed(packed, said)
    assert contents(mail, raw) == {"winmail.dat": packed}
    assert mail.notes == (_NOTE,)


def test_what_was_read_before_something_broken_is_shown_beside_the_pack() -> None:
    packed = tnef(file("a.txt", b"whole"), file("b.txt", b"x" * 99))[:-120]
    mail, raw = mailed(packed)
    assert contents(mail, raw) == {"winmail.dat": packed, "a.txt": b"whole"}
    assert mail.notes == (_NOTE,)


def test_a_value_that_begins_behind_the_end_is_none() -> None:
    lists = properties(prop(CONTENT, BINARY, b""))[:-1]
    assert unpack(tnef(attribute(BEGINS_FILE, b""), attribute(FILE, lists))).files == []
    named = properties(prop(0x3008, BINARY, b"x"), prop(CID, STRING, b"<" + b"i" * 300 + b">"))
    packed = tnef(attribute(BEGINS_FILE, b""), attribute(DATA, b"x"), attribute(FILE, named))
    assert [len(found.cid) for found in unpack(packed).files] == [250]


_INNER = tnef(attribute(BODY, b"x\0"), file("b", b"2"))
_SAMPLE = tnef(
    _LETTER,
    attribute(MESSAGE, properties(prop(TEXT, UNICODE, text("x")), prop(0x8001, INTEGER, bytes(4), named="y"))),
    file("a.txt", b"1", prop(CONTENT, OBJECT, A_MESSAGE + _INNER)),
)


@given(st.integers(0, len(_SAMPLE)), st.integers(0, len(_SAMPLE)), st.binary(max_size=8))
def test_whatever_is_broken_raises_nothing_and_points_at_nothing_outside(at: int, end: int, other: bytes) -> None:
    packed = (_SAMPLE[:at] + other + _SAMPLE[at + len(other) :])[: max(end, at)]
    for found in unpack(packed).files:
        assert 0 <= found.start <= found.start + found.length <= len(packed)


@pytest.mark.parametrize(
    "packed",
    [
        tnef(*[attribute(BEGINS_FILE, b"")] * 300_000),
        tnef(attribute(MESSAGE, struct.pack("<I", 2**32 - 1) + prop(TEXT, UNICODE, *[b""] * 300_000, many=True))),
        tnef(*[attribute(SUBJECT, b"\xc4" * 1_000_000)] * 9),
    ],
    ids=["files", "values", "subjects"],
)
def test_there_is_an_end_to_what_is_looked_at(packed: bytes) -> None:
    found = unpack(packed)
    assert not found.whole
    assert len(found.files) == 0

"""Messages are what was meant, whatever customers call themselves."""

from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.outbox import Enclosure, Letter, Thread
from callcenter.errors import Invalid
from channels.email.compose import address_of, compose, one_line
from tests.builders import NOW

SENDER = Address("Heronbay", "care", "heronbay.example")
TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


def written(letter: Letter, *, name: str = "", address: str = "wang@post.example", language: str | None = "en"):
    message = compose(
        letter, message_id="1@heronbay.example", sender=SENDER, recipient=address_of(address, name), language=language,
        now=NOW,
    )  # fmt: skip
    return message_from_bytes(message.as_bytes(), policy=SMTP)


HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding", "X-Auto-Response-Suppress",
}  # fmt: skip


@given(name=TEXT, subject=TEXT, language=st.none() | st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_name_and_no_subject_adds_a_header_or_another_recipient(name, subject, language):
    read = written(Letter(subject, "text"), name=name, language=language)
    assert set(read.keys()) <= HEADERS
    assert [address.addr_spec for address in read["To"].addresses] == ["wang@post.example"]
    assert read.get_content().strip() == "text"


@pytest.mark.parametrize(
    "evil", ["a\r\nBcc: x@evil.example", "a\nBcc: x@evil.example", "a\r\n\r\n<b>", "a\u2028Bcc: x"]
)
def test_a_line_break_in_a_name_or_subject_becomes_a_space(evil):
    read = written(Letter(evil, "text"), name=evil)
    assert "Bcc" not in read
    assert read["Subject"] == one_line(evil, 200)
    assert read["To"].addresses[0].display_name == one_line(evil, 100)


@pytest.mark.parametrize(
    "address", ["", "a", "@b.example", "a@", "a b@c.example", "a@b.example\r\nBcc: x@y.example", "a@b@c.example",
                "a@b.example, x@y.example", "<a@b.example>", "王@post.example", "a@" + "b" * 70 + ".example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address):
    with pytest.raises(Invalid, match="no address that mail can be sent to"):
        address_of(address, "")


@given(text=TEXT)
def test_every_text_arrives_as_it_was_written(text):
    read = written(Letter("s", text))
    assert "".join(read.get_content().split()) == "".join(text.split())


def test_text_and_html_stand_beside_each_other_and_every_line_is_seven_bits_and_short():
    message = compose(
        Letter("主题", "您好 " * 500, "<p>您好</p>" * 500), message_id="1@x.example", sender=SENDER,
        recipient=address_of("wang@post.example", "王"), language="zh_CN", now=NOW,
    )  # fmt: skip
    raw = message.as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    read = message_from_bytes(raw, policy=SMTP)
    assert read.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert read["Date"] == "Tue, 10 Mar 2026 08:30:00 +0000"


def test_the_address_that_ends_such_letters_is_never_broken_however_long_it_is():
    stop = "https://service.a-rather-long-name.example.com/survey/stop?t=" + "A" * 54
    raw = compose(
        Letter("s", "text", stop=stop), message_id="1@x.example", sender=SENDER,
        recipient=address_of("wang@post.example", ""), language=None, now=NOW,
    ).as_bytes()  # fmt: skip
    assert f"List-Unsubscribe: <{stop}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


def test_without_tls_no_button_is_promised():
    read = written(Letter("s", "text", stop="http://127.0.0.1:8080/survey/stop?t=A"))
    assert read["List-Unsubscribe"] == "<http://127.0.0.1:8080/survey/stop?t=A>"
    assert read["List-Unsubscribe-Post"] is None


def test_an_answer_stands_in_its_thread_however_long_the_ids_and_none_adds_a_header():
    ids = ["a" * 120 + "@customer.example", "b@x.example", "evil@x>\r\nBcc: <x"]
    thread = Thread(in_reply_to=ids[0], references=ids, reply_to="care+t7-abcdefghij@heronbay.example", auto="no")
    message = compose(
        Letter("Re: No light", "text"), message_id="1@heronbay.example", sender=SENDER,
        recipient=address_of("wang@post.example", ""), language=None, now=NOW, thread=thread,
    )  # fmt: skip
    read = message_from_bytes(message.as_bytes(), policy=SMTP)
    assert read["In-Reply-To"] == f"<{ids[0]}>"
    assert read["References"].split() == [f"<{ids[0]}>", "<b@x.example>"]
    assert read["Reply-To"].addresses[0].addr_spec == "care+t7-abcdefghij@heronbay.example"
    assert (read["Auto-Submitted"], read["Bcc"]) == (None, None)


def test_files_go_along_under_their_names_and_what_is_a_message_itself_is_only_bytes() -> None:
    files = [
        Enclosure("说明书.pdf", "application/pdf", b"%PDF"),
        Enclosure("a\r\nBcc: all@example.com.txt", "text/plain", "grün".encode()),
        Enclosure("old.eml", "message/rfc822", b"From: a@b.example\r\n\r\nhi"),
    ]
    message = compose(
        Letter("Reset", "Press it.", html="<p>Press it.</p>"), message_id="1@heronbay.example", sender=SENDER,
        recipient=address_of("wang@post.example", ""), language="en", now=NOW, files=files,
    )  # fmt: skip
    read = message_from_bytes(message.as_bytes(), policy=SMTP)
    assert isinstance(read, EmailMessage)
    assert read["Bcc"] is None
    assert read["Content-Language"] == "en"
    found = [(each.get_filename(), each.get_content_type()) for each in read.iter_attachments()]
    assert found == [
        ("说明书.pdf", "application/pdf"),
        ("a Bcc: all@example.com.txt", "text/plain"),
        ("old.eml", "application/octet-stream"),
    ]
    assert [each.get_payload(decode=True) for each in read.iter_attachments()] == [file.data for file in files]
    body = read.get_body(("html",))
    assert body is not None
    assert "Press it." in body.get_content()

"""Messages are what was meant, whatever customers call themselves."""

from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.outbox import Letter
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
    "Content-Transfer-Encoding",
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

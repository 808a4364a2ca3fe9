"""All that was written is shown, once: pieces between pictures, footers of lists, forms of the same text."""

from channels.email.parse import parse
from tests.channels.email.messages import attached, message, multipart, part

_PICTURE = attached(b"\x89PNG\r\n\x1a\n", "light.png", "image/png").replace(b"attachment", b"inline")
_HTML = "text/html; charset=utf-8"


def either(*parts: bytes) -> bytes:
    body = b"".join(b"--form\r\n" + each + b"\r\n" for each in parts) + b"--form--\r\n"
    return part(body, "multipart/alternative; boundary=form")


def test_text_goes_on_behind_a_picture() -> None:
    plain = parse(multipart(part(b"Look:\r\n"), _PICTURE, part(b"No light.\r\n")))
    assert (plain.text, plain.html) == ("Look:\n\nNo light.", None)
    html = parse(multipart(part(b"<p>Look:</p>", _HTML), _PICTURE, part(b"<p>No light.</p>", _HTML)))
    assert html.text.split() == ["Look:", "No", "light."]
    assert html.html is not None
    assert ("Look:" in html.html, "No light." in html.html) == (True, True)


def test_a_footer_is_below_the_plain_and_the_formatted_text() -> None:
    footer = part(b"Checked by <a gateway>.\r\n")
    for letter in (either(part(b"No light.\r\n"), part(b"<b>No</b> light.", _HTML)), part(b"<b>No</b> light.", _HTML)):
        mail = parse(multipart(letter, footer))
        assert mail.text.split() == ["No", "light.", "Checked", "by", "<a", "gateway>."]
        assert mail.html is not None
        assert mail.html.index("<b>No</b>") < mail.html.index("Checked by &lt;a gateway&gt;.")


def test_a_formatted_footer_leaves_the_plain_text_and_is_below_it() -> None:
    mail = parse(multipart(part(b"No light.\r\n"), part(b"<i>Checked.</i>", _HTML)))
    assert mail.text.split() == ["No", "light.", "Checked."]
    assert mail.html is not None
    assert mail.html.index("No light.") < mail.html.index("<i>Checked.</i>")


def test_what_is_said_twice_is_shown_once() -> None:
    mail = parse(multipart(part(b"No light,\r\nall day.\r\n"), part(b"<p>No <b>light</b>, all day.</p>", _HTML)))
    assert mail.text == "No light,\nall day."
    assert mail.html == "<p>No <b>light</b>, all day.</p>"


def test_a_form_of_old_between_plain_and_formatted_text_is_left_out() -> None:
    parts = part(b"Dark"), part(b"<bold>Dark</bold>", "text/enriched"), part(b"<b>Dark</b>", _HTML)
    mail = parse(multipart(*parts, subtype="alternative"))
    assert (mail.text, mail.html) == ("Dark", "<b>Dark</b>")


def test_a_file_of_text_that_is_shown_in_its_place_is_a_file() -> None:
    file = attached(b"one,two", "list.txt", "text/plain").replace(b"attachment", b"inline")
    mail = parse(multipart(part(b"<p>See the list.</p>", _HTML), file))
    assert (mail.text.strip(), [each.name for each in mail.attachments]) == ("See the list.", ["list.txt"])


def test_what_is_passed_on_in_the_text_is_meant_and_not_what_it_had_attached() -> None:
    words = (
        b"Please help her.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Li Na <li@customer.example>\r\n"
        b"Date: Tue, 10 Mar 2026\r\nSubject: No light\r\nTo: amy@heronbay.example\r\n\r\nIt is dark.\r\n"
    )
    inner = message(From="Somebody Else <else@other.example>", Subject="Invoice")
    mail = parse(multipart(part(words), part(inner, "message/rfc822"), Subject="Fwd: No light"))
    assert mail.forwarded is not None
    assert (mail.forwarded.sender.address, mail.forwarded.subject) == ("li@customer.example", "No light")

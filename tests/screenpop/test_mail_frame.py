"""The HTML of a mail in its frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screenpop.mail_frame import Framed, framed, inline_ids, picture_type, policy

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 8


def drawn(html: str, *, images: bool = False, pictures: dict[str, bytes] | None = None) -> Framed:
    return framed(html, images=images, pictures=pictures or {}, title="t", language="en", earlier="earlier")


def body(html: str) -> str:
    return drawn(html).document.partition("<body>")[2].removesuffix("</body></html>")


FOLD = "<details><summary>earlier</summary>"


def test_what_was_quoted_at_the_end_is_folded_away_with_the_line_above_it() -> None:
    html = "<p>Yes.</p><div>On 9 March 2026, Amy wrote:</div><blockquote>Is it on?</blockquote>"
    assert body(html) == (
        f"<p>Yes.</p>{FOLD}<div>On 9 March 2026, Amy wrote:</div><blockquote>Is it on?</blockquote></details>"
    )


def test_a_signature_is_folded_away() -> None:
    assert body("<div>Yes.</div><div>-- </div><div>Wang</div>") == (
        f"<div>Yes.</div>{FOLD}<div>-- </div><div>Wang</div></details>"
    )


def test_what_stands_inside_of_tables_is_folded_at_its_line_and_stays_well_formed() -> None:
    html = "<table><tbody><tr><td><p>Yes.</p><p>-----Original Message-----</p><p>old</p></td></tr></tbody></table>"
    begin, end = "<table><tbody><tr><td>", "</td></tr></tbody></table>"
    assert (
        body(html) == f"{begin}<p>Yes.</p>{end}{FOLD}{begin}<p>-----Original Message-----</p><p>old</p>{end}</details>"
    )


def test_answers_between_quotations_stay_in_sight() -> None:
    html = "<blockquote>One?</blockquote><p>First.</p><blockquote>Two?</blockquote><p>Second.</p>"
    assert body(html) == (
        f"{FOLD}<blockquote>One?</blockquote></details><p>First.</p>"
        f"{FOLD}<blockquote>Two?</blockquote></details><p>Second.</p>"
    )


def test_a_mail_that_is_nothing_but_a_quotation_is_shown() -> None:
    assert body("<blockquote>All of it</blockquote>") == "<blockquote>All of it</blockquote>"


def test_images_from_elsewhere_wait_until_they_are_asked_for() -> None:
    html = '<img src="https://a.example/x.png" alt="logo"><img src="http://a.example/y.png"><img src="/z.png">'
    blocked = drawn(html)
    assert (blocked.blocked, "a.example" in blocked.document) == (2, False)
    shown = drawn(html, images=True)
    assert (shown.blocked, "https://a.example/x.png" in shown.document, "y.png" in shown.document) == (1, True, False)
    assert "https:" not in policy(images=False)
    assert "img-src data: https:;" in policy(images=True)


def test_images_that_came_along_are_part_of_the_document_if_they_are_images() -> None:
    html = '<img src="cid:one"><img src="CID:two">'
    assert inline_ids(html) == ("one", "two")
    text = drawn(html, pictures={"one": PNG, "two": b"<svg onload=alert(1)>"}).document
    assert "data:image/png;base64,iVBOR" in text
    assert text.count("src=") == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF....WEBPVP8", "image/webp"),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_a_picture_is_one_by_its_content(content: bytes, kind: str | None) -> None:
    assert picture_type(content) == kind


def test_links_lead_to_other_sites_alone() -> None:
    text = body('<a href="/sign-out">a</a><a href="//x.example">b</a><a href="https://x.example/c">c</a>')
    assert text.count("href=") == 1
    assert 'href="https://x.example/c"' in text


def test_more_text_gets_more_height_up_to_an_end() -> None:
    heights = [drawn(f"<p>{'word ' * many}</p>").height for many in (1, 200, 100_000)]
    assert heights == sorted(heights)
    assert heights[0] < heights[1] < heights[2] <= 640


@given(st.lists(st.sampled_from([
    "<p>", "</p>", "<div>", "</div>", "<blockquote>", "</blockquote>", "<table>", "<td>", "</table>", "<b>", "</b>",
    "<br>", "-- ", "On 9 March 2026, Amy wrote:", "> old", "said", "<img src=cid:x>", "<ul><li>", "</ul>", "<hr>",
    "&lt;script&gt;",
]), max_size=25))  # fmt: skip
def test_folding_loses_no_word_and_leaves_nothing_open(pieces: list[str]) -> None:
    html = "".join(pieces)
    text = body(html)
    for word in ("said", "old", "&lt;script&gt;"):
        assert text.count(word) == html.count(word)
    for tag in ("details", "blockquote", "div", "b", "table", "td", "li"):
        assert text.count(f"<{tag}>") + text.count(f"<{tag} ") == text.count(f"</{tag}>")
    assert "<script" not in text

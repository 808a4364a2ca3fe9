"""Articles as HTML and as plain text: nothing in them runs, loads or looks like ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.markdown import html_of, plain_of


def test_headings_lists_tables_and_links_are_drawn() -> None:
    drawn = html_of("# Refunds\n\n1. Open **Orders**\n2. [Ask](https://shop.example/r)\n\n|a|b|\n|-|-|\n|1|2|")
    assert "<h2>Refunds</h2>" in drawn
    assert "<li>Open <strong>Orders</strong></li>" in drawn
    assert '<a href="https://shop.example/r" rel="noopener noreferrer nofollow">Ask</a>' in drawn
    assert "<td>2</td>" in drawn


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/p.gif)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>1</script>)",
        "[x]: javascript:alert(1)\n[x]",
        '[x](https://a.example "onmouseover=alert(1)")',
        "<a href='javascript:alert(1)'>x</a>",
        "<style>body{display:none}</style>",
        "```html\n<script>alert(1)</script>\n```",
    ],
)
def test_nothing_of_an_article_runs_or_loads(text: str) -> None:
    drawn = html_of(text)
    assert not re.search(r"<(script|img|style|iframe)|href=\"(javascript|data)|<[^>]+\son\w+=", drawn, re.IGNORECASE)


@given(st.text(st.sampled_from("<>\"'&[]()!`*_#|-: \nascript/=x")))
def test_every_tag_that_comes_out_is_one_of_the_list(text: str) -> None:
    tags = "a|blockquote|br|code|em|h[234]|hr|li|ol|p|pre|s|strong|table|tbody|td|th|thead|tr|ul"
    allowed = rf"</?({tags})( (href|rel|start)=\"[^\"<>]*\")*>"
    assert not re.search("[<>]", re.sub(allowed, "", html_of(text)))


@given(st.text())
def test_any_text_can_be_drawn_and_told_plainly(text: str) -> None:
    html_of(text)
    plain_of(text)


def test_plain_text_keeps_what_a_reader_needs() -> None:
    text = "## Router\n\nPull the *plug*, wait.\n\n- one\n- two\n  1. deep\n  2. deeper\n\nSee [the shop](https://shop.example)."
    assert plain_of(text) == (
        "Router\n\nPull the plug, wait.\n\n- one\n- two\n  1. deep\n  2. deeper\n\nSee the shop (https://shop.example)."
    )

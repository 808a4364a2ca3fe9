"""What a mail adds to those before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.quotes import Kind, passages, said


@pytest.mark.parametrize(
    "text",
    [
        "It works.\n\nOn 10 March 2026, Amy <amy@a.example> wrote:\n> Is it on?\n>\n> Amy",
        "It works.\n\n在 2026年3月10日,陈晓 写道:\n> 打开了吗?",
        "It works.\n\n在 2026年3月10日,陈晓 写道\uff1a\n> 打开了吗?",
        "It works.\n\n发件人\uff1a 陈晓\n发送时间\uff1a 2026年3月10日\n主题\uff1a 宽带\n\n打开了吗?",
        "It works.\n\n------------------ 原始邮件 ------------------\n发件人: amy\n打开了吗?",
        "It works.\n\n-----Original Message-----\nFrom: Amy\nIs it on?",
        "It works.\n\nFrom: Amy Chen\nSent: Tuesday\nTo: me\nSubject: Light\n\nIs it on?",
        "It works.\n\n________________________________\nFrom: Amy\nSent: Tuesday\nSubject: x\n\nIs it on?",
        "It works.\n\n发件人: 陈晓\n发送时间: 2026年3月10日\n收件人: 我\n主题: 宽带\n\n打开了吗?",
        "It works.\n-- \nWang Fang\nHeron Bay",
        "It works.",
    ],
)
def test_only_what_is_new_is_said(text: str) -> None:
    assert said(text) == "It works."


def test_answers_between_the_lines_are_said() -> None:
    text = "> Is it on?\nYes.\n> And green?\nNo, red.\n"
    assert [part.kind for part in passages(text)] == [Kind.QUOTED, Kind.SAID, Kind.QUOTED, Kind.SAID]


def test_a_mail_that_only_quotes_is_shown_whole() -> None:
    assert said("> forwarded\n> text") == "> forwarded\n> text"


@given(st.text(alphabet=" >-_\nFrom:写道On wrote@", max_size=300))
def test_nothing_of_a_text_is_lost(text: str) -> None:
    assert "\n".join(part.text for part in passages(text)) == text


def test_a_message_of_nothing_but_rules_is_read_in_one_pass() -> None:
    text = "--\n" * 30_000 + "x\n" * 21
    assert said(text).count("--") == 30_000

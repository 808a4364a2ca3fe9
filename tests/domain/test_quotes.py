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
        "It works.\n\nOn Tue, Mar 10, 2026 at 10:00 AM Amy Chen\n<amy@a.example> wrote:\n\n> Is it on?",
        "It works.\n\nOn Tue, Mar 10, 2026 at 10:00 AM Amy Chen <amy@a.example>\nwrote:\n> Is it on?",
        "It works.\n\nOn Tue, Mar 10, 2026 at 10:00 AM\nAmy Chen via Service\n<amy@a.example> wrote:\nIs it on?",
        "It works.\n\nAm Di., 10. März 2026 um 10:00 Uhr schrieb Amy <\namy@a.example>:\n\n> Is it on?",
        "It works.\n\n在 2026年3月10日周二 10:00，\n陈晓 <amy@a.example> 写道：\n\n> 打开了吗?",
        "It works.\n\n陈晓 <amy@a.example> 于2026年3月10日周二\n10:00写道：\n\n> 打开了吗?",
        "It works.\n\n---- 回复的原邮件 ----\n| 发件人 | 陈晓<amy@a.example> |\n| 主题 | 宽带 |\n打开了吗?",
        "It works.\n\n---- Replied Message ----\n| From | Amy Chen<amy@a.example> |\nIs it on?",
        "It works.\n\n-----原始邮件-----\n打开了吗?",
        "It works.\n\n-----邮件原件-----\n打开了吗?",
        "It works.\n\n---- 回覆的原郵件 ----\n打開了嗎?",
        "It works.\n\n原始邮件\n发件人：陈晓 <amy@a.example>\n发件时间：2026年3月10日 10:00\n主题：宽带\n\n打开了吗?",
        "It works.\n-- \nWang Fang\nHeron Bay",
        "It works.\n\nOn Tue, 10 Mar 2026 at 16:20, Amy Chen <amy@a.example>\nwrote:\n\n> Is it on?",
        "It works.\n\nOn Tue, 10 Mar 2026 at 16:20, Amy Chen of the Support\nTeam <amy@a.example>\nwrote:\n\nIs it on?",
        "It works.\n\nAmy Chen <amy@a.example> 于2026年3月10日周二\n16:20写道：\n\n> 打开了吗?",
        "It works.\n\n---- 回复的原邮件 ----\n| 发件人 | 陈晓 |\n| 日期 | 2026年3月10日 |\n打开了吗?",
        "It works.\n\n-----原始邮件-----\n发件人:陈晓\n发送时间:2026-03-10\n收件人:我\n主题:宽带\n\n打开了吗?",
        "It works.\n\n-----Ursprüngliche Nachricht-----\nVon: Amy\nIs it on?",
        "It works.\n\nFrom: amy@a.example\nTo: me\nDate: Tuesday\n\nIs it on?",
        "It works.",
    ],
)
def test_only_what_is_new_is_said(text: str) -> None:
    assert said(text) == "It works."


@pytest.mark.parametrize(
    "text",
    [
        "Please book:\nFrom: Shanghai\nTo: Beijing\nDate: Friday\nTwo seats, please.",
        "From: Shanghai To: Beijing Date: Friday\nTwo seats, please.",
        "改签:\nFrom: 上海\nTo: 北京\n日期: 周五\n两张",
        "寄一个包裹\n发件人: 王芳\n收件人: 李雷\n日期: 周五\n请上门取件。",
        "On Monday I called and was told to wait.\nOn 10 March\nnobody had written to me:\nwhy?",
    ],
)
def test_what_somebody_writes_about_journeys_and_parcels_is_said(text: str) -> None:
    assert [part.kind for part in passages(text)] == [Kind.SAID]


def test_answers_between_the_lines_are_said() -> None:
    text = "> Is it on?\nYes.\n> And green?\nNo, red.\n"
    assert [part.kind for part in passages(text)] == [Kind.QUOTED, Kind.SAID, Kind.QUOTED, Kind.SAID]


def test_a_mail_that_only_quotes_is_shown_whole() -> None:
    assert said("> forwarded\n> text") == "> forwarded\n> text"


@pytest.mark.parametrize(
    "text",
    [
        "Please book this for us:\nFrom: Shanghai\nTo: Beijing\nDate: Friday\n\nA window seat, please.",
        "Please book this for us:\n____________________\nFrom: Shanghai\nTo: Beijing\nDate: Friday\n\nThank you.",
        "请订票：\n发件人：上海\n收件人：北京\n日期：周五\n\n谢谢。",
        "Your colleague wrote:\nyou get it back.\nWhen?",
        "客服写道：\n会退款。\n什么时候?",
        "原始邮件\n我没有收到。",
        "On 10 March 2026 I called twice.\nYour colleague wrote:\nyou get it back.\nWhen?",
    ],
)
def test_what_customers_write_like_a_head_is_theirs(text: str) -> None:
    assert [part.kind for part in passages(text)] == [Kind.SAID]


def test_a_sentence_above_a_name_and_a_quotation_stays_said() -> None:
    text = "On 10 March 2026 at 10:00 I called.\nAmy <amy@a.example> wrote:\n> Is it on?"
    assert said(text) == "On 10 March 2026 at 10:00 I called."


@given(
    st.one_of(
        st.text(alphabet=" >-_\nFrom:写道On wrote@", max_size=300),
        st.lists(
            st.sampled_from(
                ["On 10 March, Amy", "<a@b.example>", "wrote:", "> x", "", "From: a", "To: b", "Subject: c"]
            )
        ).map("\n".join),
    )
)
def test_nothing_of_a_text_is_lost(text: str) -> None:
    assert "\n".join(part.text for part in passages(text)) == text


def test_a_message_of_nothing_but_rules_is_read_in_one_pass() -> None:
    text = "--\n" * 30_000 + "x\n" * 21
    assert said(text).count("--") == 30_000


def test_a_sentence_about_what_somebody_wrote_hides_nothing() -> None:
    text = "Hello,\n\nOn 10 March your colleague wrote:\nthe parts would come. They did not."
    assert [part.kind for part in passages(text)] == [Kind.SAID]


def test_a_line_that_begins_with_from_is_said_whatever_servers_put_before_it() -> None:
    text = "It is dark.\n>From my window I see nothing.\nPlease help."
    assert [part.kind for part in passages(text)] == [Kind.SAID]
    quoted = "Yes.\n> I see nothing\n>From my window."
    assert [part.kind for part in passages(quoted)] == [Kind.SAID, Kind.QUOTED]

"""Messages that are passed on, in the forms of mail programs."""

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.forwarded import bare_subject, find_forwarded, is_passed_on

BODY = "宽带不通,灯是红的。\n\n王芳"
FORMS = tomllib.loads(Path(__file__).with_name("forwarded.toml").read_text("utf-8"))["forms"]


@pytest.mark.parametrize("form", FORMS, ids=[form["program"] for form in FORMS])
def test_the_forms_of_mail_programs_are_known(form: dict[str, str]) -> None:
    quoted = "\n".join(f"> {line}" for line in BODY.split("\n"))
    text = form["text"].replace("{words}", "Please take over.").replace("{body}", BODY).replace("{quoted}", quoted)
    found = find_forwarded(text, subject=form["subject"])
    assert found is not None
    assert found.sender.address == "wang@customer.example"
    assert found.sender.name in ("Wang Fang", "")
    assert (found.subject, found.text) == ("No light", BODY)
    assert found.words.startswith("Please take over.")
    assert "wang@" not in found.words


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: No light", "It is on now.\n\nFrom: Amy <amy@heronbay.example>\nSent: Tuesday\nSubject: No light\n\nOld."),
        (
            "回复：宽带",
            '好的\n\n------------------ 原始邮件 ------------------\n发件人: "a" <a@b.example>\n主题: 宽带\n\n旧',
        ),
        ("Fwd: No light", "Nothing is below."),
        ("Fwd: No light", "---------- Forwarded message ---------\nwithout any fields"),
        ("Fwd: No light", "Look\n\nFrom: Wang Fang\nSent: Tuesday\nTo: Amy\nSubject: No light\n\nno address"),
        ("A forwarded message", "I got a forwarded message from: a@b.example, what is it?"),
        ("转发的邮件打不开", "请问转发的邮件打不开怎么办?\n发件人: a@b.example"),
    ],
)
def test_replies_and_words_about_forwarding_are_none(subject: str, text: str) -> None:
    assert find_forwarded(text, subject=subject) is None


def test_a_sender_on_the_next_line_is_found() -> None:
    text = (
        "---------- Forwarded message ---------\nFrom: A Very Long Name Of A Company\n <wang@customer.example>\n"
        "Date: Tue\nSubject: No light\n\nDark."
    )
    found = find_forwarded(text, subject="Fwd: No light")
    assert found is not None
    assert (found.sender.address, found.text) == ("wang@customer.example", "Dark.")


@pytest.mark.parametrize(
    "subject", ["Fwd: x", "FW: x", "Fw：x", "转发: x", "轉寄：x", "WG: x", "TR: x", "転送: x", "Fwd: FW: x"]
)
def test_marks_of_passing_on_are_taken_off(subject: str) -> None:
    assert is_passed_on(subject)
    assert bare_subject(subject) == "x"


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=">:\uff1a|-_*=@\x85\u2028\u2029"), max_size=60
)


@given(own=WORDS, body=WORDS, form=st.sampled_from([each for each in FORMS if "{body}" in each["text"]]))
def test_whatever_people_write_around_it_the_sender_is_the_original_one(
    own: str, body: str, form: dict[str, str]
) -> None:
    text = form["text"].replace("{words}", own).replace("{body}", body)
    found = find_forwarded(text, subject=form["subject"])
    assert found is not None
    assert found.sender.address == "wang@customer.example"


@given(st.text(max_size=400), st.text(max_size=40))
def test_no_text_is_too_strange(text: str, subject: str) -> None:
    find_forwarded(text, subject=subject)
    find_forwarded(text, subject=f"Fwd: {subject}")


def test_a_hostile_text_takes_no_time() -> None:
    for line in ("From " + " " * 5_000, "-" * 5_000, "> " * 3_000, "发件人 " * 1_000, "*" * 5_000):
        find_forwarded("\n".join([line] * 3_000), subject="Fwd: x")


def test_a_line_of_signs_that_announces_nothing_costs_no_more_than_its_length() -> None:
    def cost(length: int) -> float:
        # Lines are cut at 400 characters.
        text = f"forwarded message{'-' * length}x\n" * 500
        costs = []
        for _ in range(5):
            began = time.process_time()
            assert find_forwarded(text, subject="Fwd: x") is None
            costs.append(time.process_time() - began)
        return min(costs)

    # Sixteen times as much, if it were the square.
    assert cost(360) < 8 * cost(90)


def test_of_a_head_without_an_address_the_sender_of_an_older_message_is_not_taken() -> None:
    text = (
        "Look\n\nFrom: Wang Fang\nSent: Tuesday\nTo: Amy\nSubject: No light\n\nDark.\n\n"
        "From: Amy <amy@heronbay.example>\nSent: Monday\nSubject: Your router\n\nOlder."
    )
    assert find_forwarded(text, subject="Fwd: No light") is None


@pytest.mark.parametrize("first", ["时间：昨天晚上", "附件: 照片", "Date: yesterday\nTo: nobody"])
def test_first_words_that_look_like_a_field_are_the_customers(first: str) -> None:
    text = f"---------- Forwarded message ---------\nFrom: <wang@customer.example>\nSubject: No light\n\n{first}\nDark."
    found = find_forwarded(text, subject="Fwd: No light")
    assert found is not None
    assert (found.subject, found.text) == ("No light", f"{first}\nDark.")


def test_a_head_with_empty_lines_between_its_fields_is_read_whole() -> None:
    fields = ["From: <wang@customer.example>", "Subject: No light", "To: a@b.example"]
    text = "\n\n".join(["---------- Forwarded message ---------", *fields, "Dark."])
    found = find_forwarded(text, subject="Fwd: No light")
    assert found is not None
    assert (found.subject, found.text) == ("No light", "Dark.")


def test_a_name_that_looks_like_an_address_is_a_name() -> None:
    text = (
        '---------- Forwarded message ---------\nFrom: "old@other.example" <wang@customer.example>\nSubject: x\n\nDark.'
    )
    found = find_forwarded(text, subject="Fwd: x")
    assert found is not None
    assert (found.sender.address, found.sender.name) == ("wang@customer.example", "old@other.example")

"""The words of letters, as an organisation writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.letter_text import (
    NAMES,
    LetterEntry,
    LetterKind,
    check_letter,
    check_signature,
    check_subject,
    choose,
    fill,
    fill_signature,
    languages_for,
)
from callcenter.errors import Invalid

ACK, ANSWER = LetterKind.ACKNOWLEDGEMENT, LetterKind.ANSWER


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello\n{{ ticket.nunber }}", "line 2 of this text: there is no ticket.nunber"),
        ("Hello {{ name }}", "line 1 of this text: there is no name"),
        ("{{ ticket.number", "line 1 of this text cannot be read"),
        ("a\n\n{% if ticket.number %}b", "line 3 of this text cannot be read"),
        ("{% for x in ticket.number %}x{% endfor %}", "'for' has no place in a letter"),
        ("{% set x = 1 %}", "'assign' has no place"),
        ("{% include 'secret' %}", "'include' has no place"),
        ("{{ ''.__class__ }}", "'getattr' has no place"),
        ("{{ ticket['number'] }}", "'getitem' has no place"),
        ("{{ range(9) }}", "'call' has no place"),
        ("{{ 'x' * 1000000000 }}", "'mul' has no place"),
        ("{{ customer.name|center(1000000000) }}", "there is no filter center"),
        ("{{ customer.name|nothing }}", "nothing"),
        ("{{ customer.name|truncate('a') }}", "cannot be filled in"),
        ("{{ customer.name > 1 }}", "cannot be filled in"),
        ("{{ agent.full_name }}", "there is no agent.full_name"),
        (" \n", "expected a text"),
        ("x" * 10_001, "at most 10000"),
    ],
)
def test_what_cannot_be_filled_in_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_letter(ACK, text)
    assert words in str(refused.value)


def test_an_answer_must_have_the_agents_words() -> None:
    with pytest.raises(Invalid, match="answer }} is missing"):
        check_letter(ANSWER, "Dear {{ customer.name }}")
    assert check_letter(ANSWER, "{% if customer.name %}Dear {{ customer.name }},{% endif %}\n{{ answer }}")


def test_a_subject_is_one_line_without_long_values() -> None:
    assert check_subject(ACK, "We have it: {{ ticket.number }}")
    for text in ("two\nlines", "{{ expected.sentence }}"):
        with pytest.raises(Invalid):
            check_subject(ACK, text)


def test_a_signature_names_the_agent_and_no_customer() -> None:
    text = check_signature("{{ agent.full_name|upper }}\n{{ organisation.name }}")
    assert (
        fill_signature(text, {"agent.full_name": "Amy Chen", "organisation.name": "Heronbay"}) == "AMY CHEN\nHeronbay"
    )
    assert fill_signature(None, {}) == ""
    with pytest.raises(Invalid):
        check_signature("{{ customer.name }}")


def test_conditions_leave_no_empty_lines_and_missing_values_are_empty() -> None:
    text = "{% if customer.name %}\nDear {{ customer.name }},\n{% endif %}\n{{ answer }}\n\n{{ signature }}"
    assert fill(ANSWER, text, {"answer": "It works."}) == "It works."
    assert fill(ANSWER, text, {"answer": "It\n\nworks.", "customer.name": "Wang"}) == "Dear Wang,\nIt\n\nworks."


def test_a_customers_name_adds_no_lines() -> None:
    filled = fill(ACK, "Dear {{ customer.name }},", {"customer.name": "Wang\nBcc: all@example.com\x00" + "x" * 500})
    assert "\n" not in filled
    assert len(filled) < 250


@given(st.dictionaries(st.sampled_from(NAMES[ANSWER]), st.text(max_size=80)))
def test_what_people_write_is_never_a_template(values: dict[str, str]) -> None:
    answer = "{{ customer.name }} {% for %} {{ 7 * 7 }}"
    assert answer in fill(ANSWER, "{{ customer.name }}: {{ answer }}", {**values, "answer": answer})


def entry(queue: str | None, language: str | None) -> LetterEntry:
    return LetterEntry(name=f"{queue} {language}", kind=ACK, text="x", queue=queue, language=language)


@pytest.mark.parametrize(
    ("queue", "code", "there", "chosen"),
    [
        ("support", "zh_TW", [("support", "zh_TW"), ("support", None), (None, "zh_TW"), (None, None)], 0),
        ("support", "zh-tw", [("support", None), ("support", "zh_TW")], 1),
        ("support", "zh_HK", [("support", "zh_TW"), ("support", "zh_CN")], 0),
        ("support", "zh", [("support", "zh_TW"), ("support", "zh_CN")], 1),
        ("support", "en_GB", [("support", "en"), ("support", None)], 0),
        ("support", "fr", [("support", "en"), ("support", None), (None, "fr")], 1),
        ("support", "fr", [("support", "en"), (None, "fr")], 0),
        ("support", "fr", [("billing", "fr"), (None, "fr"), (None, None)], 1),
        ("support", None, [("support", "en"), ("support", "fr")], 0),
        (None, "fr", [("support", "fr"), (None, None)], 1),
        ("support", "fr", [("billing", None)], None),
    ],
)
def test_the_most_particular_text_is_chosen(
    queue: str | None, code: str | None, there: list[tuple[str | None, str | None]], chosen: int | None
) -> None:
    entries = [entry(*each) for each in there]
    found = choose(entries, ACK, queue=queue, languages=languages_for(code, ["en", "zh_CN"]))
    assert found == (None if chosen is None else entries[chosen])
    assert choose(entries, ANSWER, queue=queue, languages=["en"]) is None

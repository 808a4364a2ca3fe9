"""What is typed into the search, and what is looked for then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.search import Part, Sought, beginnings, parts, understand
from callcenter.errors import Invalid


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("138 0013", ["+861380013", "1380013"]),
        ("021 5555", ["+86215555", "0215555"]),
        ("+44 20", ["+4420"]),
        ("+44 (0)20 7946", ["+44207946"]),
        ("0044 20", ["+4420"]),
        ("(0755) 8668-8000", ["+8675586688000", "+8675586688000", "075586688000"]),
        ("17951 138 0013 8000", ["+8613800138000", "+861795113800138000", "1795113800138000"]),
        ("Amy@Example.com", ["Amy@Example.com", "amy@example.com"]),
        ("12", []),
        ("王小明", ["王小明", "王小明"]),
        ("two words", []),
    ],
)
def test_numbers_are_sought_as_typed_and_as_numbers_of_the_region(text: str, found: list[str]):
    assert beginnings(text, "CN") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8000", ("8000",)),
        ("0013", ("0013",)),  # not without its zeros: two digits are too few
        ("(0)20 7946 0018", ("2079460018",)),
        ("020 7946 0018", ("02079460018", "2079460018")),
        ("+44 20", ("4420",)),
        ("800", ()),
        ("@Example.com", ("@example.com", "@Example.com")),
        ("amy", ()),
    ],
)
def test_a_number_is_sought_by_its_end_from_four_digits_on_and_mail_by_its_domain(text: str, found: tuple[str, ...]):
    assert understand(text, region="CN").endings == found


@pytest.mark.parametrize(("text", "number"), [("#123", 123), ("＃ 7", 7), ("123", 123), ("0123", None), ("12 3", None)])
def test_a_number_may_be_that_of_a_ticket(text: str, number: int | None):
    assert understand(text, region="CN").ticket == number


def test_with_its_sign_it_is_that_of_a_ticket_and_nothing_else():
    sought = understand("#123", region="CN")
    assert sought == Sought(ticket=123)


def test_words_are_sought_in_names_and_texts():
    sought = understand("refunds 退款", region="CN")
    assert sought.names == ("refunds", "退款")
    assert (sought.texts.spaced, sought.texts.signs) == ("refunds", ("退款",))
    assert not sought.beginnings


@pytest.mark.parametrize(
    ("text", "names"), [("139 1234 5678", ()), ("info@", ()), ("3721", ("3721",)), ("7-11", ("7-11",))]
)
def test_what_can_only_be_an_address_is_not_looked_for_among_names(text: str, names: tuple[str, ...]):
    assert understand(text, region="CN").names == names


def test_too_much_at_once_is_refused():
    with pytest.raises(Invalid, match="At most 8 words"):
        understand("a b c d e f g h i", region="CN")
    with pytest.raises(Invalid, match="At most 200 characters"):
        understand("x" * 201, region="CN")


@given(st.text(max_size=200))
def test_whatever_is_typed_is_understood_or_refused_in_words(text: str):
    try:
        sought = understand(text, region="CN")
    except Invalid as error:
        assert error.field in ("q", "words")  # noqa: PT017 either is right
        return
    assert "\x00" not in "".join((*sought.beginnings, *sought.endings, *sought.names, sought.texts.spaced))
    assert len(sought.names) <= 8
    assert all(len(end) >= 4 for end in sought.endings)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.integers(4, 11), st.lists(st.integers(1, 10), max_size=3))
def test_a_mobile_number_is_found_by_either_end_however_it_is_spaced(number: str, length: int, gaps: list[int]):
    kept = f"+86{number}"

    def spaced(text: str) -> str:
        return "".join(f"{char} " if place in gaps else char for place, char in enumerate(text))

    begun = understand(spaced(number[:length]), region="CN")
    assert any(kept.startswith(each) for each in begun.beginnings)
    ended = understand(spaced(number[-length:]), region="CN")
    assert any(kept.endswith(each) for each in ended.endings) or number[-length:].strip("0") == ""


@given(st.text(max_size=400), st.text(st.characters(categories=["L", "N"]), max_size=12))
def test_a_cut_says_nothing_that_the_text_does_not(text: str, word: str):
    try:
        terms = understand(word, region="CN").terms
    except Invalid:
        return
    for part in parts(text, terms):
        assert part.text == "…" or part.text.rstrip("…") in " ".join(text.split())


def test_the_words_that_were_looked_for_stand_out_in_all_their_forms():
    terms = understand("refund 退款", region="CN").terms
    assert parts("They want refunds. 请退款！", terms) == [
        Part("They want ", hit=False), Part("refunds", hit=True), Part(". 请", hit=False), Part("退款", hit=True),
        Part("！", hit=False),
    ]  # fmt: skip


def test_a_long_text_begins_a_little_before_the_first_hit():
    shown = parts("word " * 30 + "parcel " + "word " * 60, understand("parcel", region="CN").terms)
    assert shown[0] == shown[-1] == Part("…", hit=False)
    assert Part("parcel", hit=True) in shown
    assert sum(len(part.text) for part in shown) <= 112

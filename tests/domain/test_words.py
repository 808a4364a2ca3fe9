"""Cutting texts into words for the search: every short Chinese word is found, in either script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.words import Words, fold, grams, pairs, query_of, vector_of, words_of

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=30)
MIXED = st.text(st.one_of(st.sampled_from("退貨货運运费錢钱，。 aB12-@"), st.characters(exclude_categories=["Cs"])))


def indexed(text: str) -> set[str]:
    """The lexemes of what PostgreSQL is given to keep."""
    return {
        each.rpartition(":")[0].strip("'") if ":" in each else each.strip("'")
        for each in vector_of(words_of(text)).split()
    }


def finds(query: str, text: str) -> bool:
    """As PostgreSQL matches a query of ours against a vector of ours."""
    kept = indexed(text)

    def met(term: str) -> bool:
        if term.endswith(":*"):
            return any(gram.startswith(term[1:-3]) for gram in kept)
        return term.strip("'") in kept

    asked = query_of(words_of(query))
    return bool(asked) and all(met(term) for term in asked.split(" & "))


@given(HAN, st.data())
def test_whatever_stands_in_a_text_is_found(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    assert finds(text[begin:end], text)


@given(HAN, st.text(st.sampled_from("退货运费发票"), min_size=1, max_size=2))
def test_words_of_one_and_two_characters_are_found_exactly_where_they_stand(text: str, word: str) -> None:
    assert finds(word, text) == (word in fold(text))


@given(MIXED)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(MIXED)
def test_every_character_of_a_run_begins_one_gram(text: str) -> None:
    for run in words_of(text).runs:
        assert "".join(gram[0] for gram in grams(run)) == run


@given(MIXED)
def test_what_is_left_for_the_parser_has_no_character_of_a_run(text: str) -> None:
    words = words_of(text)
    assert not words_of(words.spaced).runs
    assert not words_of("".join(words.runs)).spaced


@pytest.mark.parametrize(
    ("text", "spaced", "runs"),
    [
        ("", "", ()),
        ("Refunds, please!", "refunds, please!", ()),
        ("退货运费谁付？", "？", ("退货运费谁付",)),
        ("路由器的Wi-Fi密码忘了，怎么办", "wi-fi ,", ("路由器的", "密码忘了", "怎么办")),
        ("カード・ポイント", "・", ("カード", "ポイント")),
    ],
)
def test_texts_come_apart_into_runs_and_the_rest(text: str, spaced: str, runs: tuple[str, ...]) -> None:
    assert words_of(text) == Words(fold(spaced), runs)


def test_full_width_letters_and_digits_part_a_run_like_others() -> None:
    assert words_of("ＶＩＰ客戶　滿５００元") == Words("vip 500", ("客户", "满", "元"))


def test_traditional_and_simplified_are_the_same_word() -> None:
    for traditional, simplified in [
        ("退貨運費", "退货运费"),
        ("電話號碼", "电话号码"),
        ("發票", "发票"),
        ("餐廳裡面", "餐厅里面"),
    ]:
        assert fold(traditional) == simplified
        assert finds(traditional, f"请问{simplified}怎么算")
        assert finds(simplified, f"請問{traditional}怎麼算")


def test_a_long_word_must_have_all_of_its_pairs() -> None:
    assert finds("电饭煲", "这个电饭煲不加热")
    assert not finds("电饭煲", "电饭锅不加热")


def test_pairs_are_given_once_each_in_their_order() -> None:
    assert pairs(["退货退货", "票"]) == ["退货", "货退"]


def test_a_text_of_nothing_but_one_run_keeps_to_the_limits_of_a_tsvector() -> None:
    vector = vector_of(Words("", ("好" * 60_000,)))
    assert vector.startswith("'好好':1,2,3,")
    assert vector.count(",") == 254
    assert vector.endswith("'好'")

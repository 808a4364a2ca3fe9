"""Names as they are typed and pasted become one line that is always written in the same way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.line import can_be_read, tidied


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("李\u3000娜", "李 娜"),
        ("Ada\u00a0 Lovelace\n", "Ada Lovelace"),
        ("Jose\u0301", "Jos\u00e9"),
        ("\ufeffAmy\u200b", "Amy"),
        ("Ａｄａ", "Ａｄａ"),
    ],
)
def test_what_looks_the_same_is_kept_the_same(pasted: str, kept: str) -> None:
    assert tidied(pasted) == kept


def test_joiners_belong_to_names_and_what_turns_or_hides_text_does_not() -> None:
    assert can_be_read("نیک\u200cنام")
    assert [can_be_read(text) for text in ("a\u202eb", "a\x00b", "a\x1bb", "a\u2066b", "\u200c")] == [False] * 5


@given(st.text())
def test_a_tidy_line_stays_as_it_is(text: str) -> None:
    assert tidied(tidied(text)) == tidied(text)

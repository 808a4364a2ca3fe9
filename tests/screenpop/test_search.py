"""What is typed into the search, as the beginning of an address."""

import pytest

from screenpop.console import address_beginnings


@pytest.mark.parametrize(
    ("text", "beginnings"),
    [
        ("138 0013", ["+861380013", "1380013"]),
        ("021 5555", ["+86215555", "0215555"]),
        ("+44 20", ["+4420"]),
        ("0044 20", ["+4420"]),
        ("Amy@Example.com", ["amy@example.com"]),
        ("12", []),
        ("王小明", []),
    ],
)
def test_numbers_are_sought_as_typed_and_as_numbers_of_the_region(text: str, beginnings: list[str]):
    assert address_beginnings(text, "CN") == beginnings

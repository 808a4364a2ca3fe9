"""Numbers as networks send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.phone import NumberKind, parse_number


@pytest.mark.parametrize(
    ("raw", "region", "value", "kind"),
    [
        ("+8613800138000", "CN", "+8613800138000", NumberKind.VALID),
        ("13800138000", "CN", "+8613800138000", NumberKind.VALID),
        ("008613800138000", "CN", "+8613800138000", NumberKind.VALID),
        ("1795113800138000", "CN", "+8613800138000", NumberKind.VALID),
        ("01065550100", "CN", "+861065550100", NumberKind.VALID),
        ("１３８００１３８０００", "CN", "+8613800138000", NumberKind.VALID),
        ("+33 6 12 34 56 78", "CN", "+33612345678", NumberKind.VALID),
        ("sip:+33612345678@carrier.example", "FR", "+33612345678", NumberKind.VALID),
        ("112", "DE", "112", NumberKind.SHORT),
        ("1001", "CN", "1001", NumberKind.EXTENSION),
        ("anonymous", "CN", "", NumberKind.WITHHELD),
        ("<unknown>", "CN", "", NumberKind.WITHHELD),
        ("", "CN", "", NumberKind.WITHHELD),
        ("+999123", "CN", "+999123", NumberKind.MALFORMED),
        ("'; drop table customer; --", "CN", "'; drop table customer; --", NumberKind.MALFORMED),
    ],
)
def test_a_number_is_read_as_what_it_is(raw: str, region: str, value: str, kind: NumberKind) -> None:
    number = parse_number(raw, region)
    assert (number.value, number.kind) == (value, kind)
    assert number.identifies == (kind is NumberKind.VALID)


def test_a_service_number_is_never_taken_for_a_customer() -> None:
    assert not parse_number("95500", "CN").identifies


@given(st.text(max_size=200), st.sampled_from(["CN", "TW", "US", "DE"]))
def test_nothing_that_comes_in_raises(raw: str, region: str) -> None:
    number = parse_number(raw, region)
    assert len(number.value) <= 64 or number.kind is NumberKind.VALID

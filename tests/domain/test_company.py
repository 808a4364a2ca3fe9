"""Which mail domains are a company's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.company import MOST_DOMAINS, PUBLIC, parse_domain, parse_domains
from callcenter.errors import Invalid

_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
_DOMAIN = st.builds(lambda one, two: f"{one}.{two}.example", _LABEL, _LABEL)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("heron.example", "heron.example"),
        (" Heron.EXAMPLE. ", "heron.example"),
        ("@heron.example", "heron.example"),
        ("li.na@sales.heron.example", "sales.heron.example"),
        ("müller.example", "xn--mller-kva.example"),
    ],
)
def test_a_domain_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert parse_domain(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", "heron", "heron..example", "-heron.example", "heron-.example", "her on.example", "1.2.3.4", "a_b.example",
     "x" * 64 + ".example", ".".join(["abcdefgh"] * 30), "苍" * 80 + ".example", "a@", "heron.example/x"],
)  # fmt: skip
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="no mail domain"):
        parse_domain(typed)


@pytest.mark.parametrize("typed", ["gmail.com", "QQ.com", "wang@163.com", "@outlook.com"])
def test_a_public_mailer_is_nobodys_own(typed: str) -> None:
    with pytest.raises(Invalid, match="Anybody may have"):
        parse_domain(typed)


@pytest.mark.parametrize("typed", ["co.uk", "com.cn", "net.au", "or.jp"])
def test_a_domain_under_which_many_stand_is_nobodys(typed: str) -> None:
    with pytest.raises(Invalid, match="Many companies"):
        parse_domain(typed)


@given(_DOMAIN)
def test_what_is_kept_is_kept_again(domain: str) -> None:
    assert parse_domain(domain) == domain
    assert parse_domain(f"who@{domain.upper()}") == domain


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_domain_in_small_letters_or_refused(typed: str) -> None:
    try:
        kept = parse_domain(typed)
    except Invalid:
        return
    assert kept.isascii()
    assert kept == kept.lower() == parse_domain(kept)
    assert kept not in PUBLIC


def test_each_domain_is_kept_once_and_not_too_many() -> None:
    assert parse_domains(["b.example", "", "A.example", "a@b.example"]) == ["b.example", "a.example"]
    with pytest.raises(Invalid, match="At most"):
        parse_domains([f"d{n}.example" for n in range(MOST_DOMAINS + 1)])

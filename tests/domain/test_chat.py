"""Who a visitor is, and what may be said."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.chat import (
    LONGEST_TEXT,
    Identity,
    Proof,
    Visitor,
    bare_page,
    check_client_id,
    check_email,
    check_name,
    check_text,
    check_token,
    read_proof,
)
from callcenter.domain.customer import AddressKind, Certainty
from callcenter.errors import Invalid
from tests.builders import NOW, later

SECRET = "s" * 32


def signed(claims: Any, *, header: Any = None, secret: str = SECRET) -> str:
    """As any library for JSON Web Tokens signs."""

    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = encode(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode())
    said = f"{head}.{encode(json.dumps(claims).encode())}"
    return f"{said}.{encode(hmac.new(secret.encode(), said.encode(), hashlib.sha256).digest())}"


GOOD = {"sub": "C-1", "email": "Wang@Example.com", "name": "王芳", "exp": NOW.timestamp() + 60}


def test_a_sites_signed_word_says_who_the_visitor_is() -> None:
    assert read_proof(SECRET, signed(GOOD), now=NOW) == Proof("C-1", "wang@example.com", "王芳")
    assert read_proof(SECRET, signed({"sub": 7, "exp": GOOD["exp"]}), now=NOW) == Proof("7", None, None)


def test_a_token_that_another_library_signed_is_understood() -> None:
    """The example of jwt.io."""
    known = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )
    with pytest.raises(Invalid, match="no `exp`"):  # signed well, and good for ever
        read_proof("your-256-bit-secret", known, now=NOW)


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        ("", "cannot be read"),
        ("a.b", "cannot be read"),
        ("x" * 9000, "cannot be read"),
        (signed(GOOD, secret="t" * 32), "not signed with this widget's key"),
        (signed(GOOD, header={"alg": "none"}), "not signed"),
        (signed(GOOD, header={"alg": "HS512"}), "not signed"),
        (signed([1]), "not signed"),
        (signed({**GOOD, "exp": NOW.timestamp() - 120}), "expired"),
        (signed({**GOOD, "exp": "soon"}), "no `exp`"),
        (signed({**GOOD, "exp": True}), "no `exp`"),
        (signed({**GOOD, "exp": 1e300}), "no `exp`"),
        (signed({**GOOD, "email": "wang"}), "is no e-mail address"),
        (signed({"name": "Wang", "exp": GOOD["exp"]}), "neither `sub` nor `email`"),
        (signed(GOOD)[:-4] + "AAAA", "not signed"),
    ],
)
def test_any_other_word_is_refused(proof: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_proof(SECRET, proof, now=NOW)


@given(st.text(max_size=200))
def test_nothing_that_is_sent_as_a_proof_breaks_the_reader(proof: str) -> None:
    with pytest.raises(Invalid):
        read_proof(SECRET, proof, now=NOW)


def test_a_clock_that_is_late_by_a_minute_is_forgiven() -> None:
    assert read_proof(SECRET, signed(GOOD), now=later(119)).sub == "C-1"


def a_visitor(**given: Any) -> Visitor:
    return Visitor(**{"token": "t" * 22, "browser": "b" * 22, "language": "en", **given})


def test_a_visitor_is_looked_up_by_the_best_that_is_known() -> None:
    anonymous = a_visitor()
    assert (anonymous.identity, anonymous.address().kind) == (Identity.ANONYMOUS, AddressKind.WEB)
    assert "bbb" not in anonymous.address().value  # what the browser keeps is not shown to anybody
    typed = a_visitor(email="wang@example.com", name="Wang")
    assert (typed.identity, typed.address().certainty, typed.called) == (Identity.TYPED, Certainty.MAYBE, "Wang")
    verified = a_visitor(email="other@example.com", name="Other", proof=Proof("C-1", "wang@example.com", "王芳"))
    assert (verified.identity, verified.called) == (Identity.VERIFIED, "王芳")
    assert (verified.address().value, verified.address().certainty) == ("wang@example.com", Certainty.VERIFIED)
    numbered = a_visitor(email="other@example.com", proof=Proof("C-1", None, None))
    assert (numbered.address().kind, numbered.address().value) == (AddressKind.EXTERNAL, "C-1")


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("https://shop.example/cart?session=1#pay", "https://shop.example/cart"),
        ("https://user:word@shop.example:8443/", "https://shop.example:8443/"),
        ("javascript:alert(1)", None),
        ("http://[::1", None),
        (None, None),
    ],
)
def test_a_page_is_kept_without_what_may_be_secret(page: str | None, kept: str | None) -> None:
    assert bare_page(page) == kept


@given(st.text())
def test_a_line_is_kept_as_it_was_meant_or_refused_in_words(text: str) -> None:
    try:
        kept = check_text(text)
    except Invalid:
        return
    assert 0 < len(kept) <= LONGEST_TEXT
    assert check_text(kept) == kept
    assert "\x00" not in kept


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (check_text, " \n "),
        (check_text, "x" * 4001),
        (check_text, "\ud800"),
        (check_token, "short"),
        (check_token, "t" * 22 + "\n"),
        (check_client_id, ""),
        (check_client_id, "a b"),
        (check_name, "x" * 101),
        (check_email, "wang"),
    ],
)
def test_what_cannot_be_kept_is_refused(check: Any, value: str) -> None:
    with pytest.raises(Invalid):
        check(value)

"""A signed link leads where it was made for, until its end, and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain import link
from callcenter.domain.link import LinkExpired
from callcenter.errors import Invalid

NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
KEYS = st.binary(min_size=32, max_size=32)
IDS = st.integers(1, 2**63 - 1)
PURPOSES = st.text(max_size=20).filter(lambda text: "\0" not in text)
SPANS = st.timedeltas(timedelta(seconds=1), timedelta(days=366))


@given(KEYS, PURPOSES, IDS, SPANS)
def test_a_link_leads_to_what_it_was_made_for_until_its_end(key, purpose, ident, span):
    token = link.sign(key, purpose, ident, expires=NOW + span)
    assert token.isascii()
    assert token.replace("-", "").replace("_", "").isalnum()
    assert link.read(key, purpose, token, now=NOW) == ident
    with pytest.raises(LinkExpired):
        link.read(key, purpose, token, now=NOW + span)


@given(KEYS, KEYS, PURPOSES, PURPOSES, IDS)
def test_another_key_or_another_purpose_makes_it_worthless(key, other_key, purpose, other_purpose, ident):
    token = link.sign(key, purpose, ident, expires=NOW + timedelta(days=1))
    if (key, purpose) != (other_key, other_purpose):
        with pytest.raises(Invalid):
            link.read(other_key, other_purpose, token, now=NOW)


@given(KEYS, IDS, st.data())
def test_no_character_can_be_changed_added_or_left_out(key, ident, data):
    token = link.sign(key, "survey", ident, expires=NOW + timedelta(days=1))
    at = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.sampled_from("ABCabc019-_=+/ .\u738b"))
    for changed in (token[:at] + put + token[at + 1 :], token[:at] + put + token[at:], token[:at] + token[at + 1 :]):
        if changed != token:
            with pytest.raises(Invalid):
                link.read(key, "survey", changed, now=NOW)


@given(KEYS, st.text(max_size=200))
def test_whatever_else_is_sent_is_refused_in_words(key, text):
    with pytest.raises(Invalid, match="not whole"):
        link.read(key, "survey", text, now=NOW)

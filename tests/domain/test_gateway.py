"""Gateways as the organisation file declares them: places, proofs, requests that go out, and wrong tables."""

import base64
import hmac
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import toml
from callcenter.domain.gateway import Knock, call_of, check_signature, hear, moment_of, read_body
from callcenter.domain.gateway_keys import GatewayTable, OutboundTable, SignatureTable
from callcenter.domain.organisation_file import understand
from callcenter.domain.organisation_text import to_toml
from callcenter.domain.pointer import places, value_at
from callcenter.errors import Forbidden, Invalid
from callcenter.toml import BadFile
from tests.builders import NOW

DOCUMENT = {"a": [{"b": 1, "c": ["x", "y"]}, {"b": 2}], "d~/e": {"": 3}, "n": "text"}


@pytest.mark.parametrize(
    ("pointer", "at", "found"),
    [
        ("", (), [DOCUMENT]),
        ("/n", (), ["text"]),
        ("/a/0/b", (), [1]),
        ("/a/*/b", (), [1, 2]),
        ("/a/*/c/*", (), ["x", "y"]),
        ("/d~0~1e/", (), [3]),
        ("/a/9/b", (), []),
        ("/n/0", (), []),
        ("/b", ("a", 1), [2]),
        ("2/n", ("a", 1), ["text"]),
        ("1/0/b", ("a", 1), [1]),
        ("3/n", ("a", 1), []),
    ],
)
def test_pointers_lead_to_places(pointer: str, at: tuple[Any, ...], found: list[Any]) -> None:
    assert [value_at(DOCUMENT, each) for each in places(DOCUMENT, pointer, at)] == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "0", "*"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON, st.text(alphabet="/ab0*1~", max_size=12))
def test_whatever_the_document_and_the_pointer_every_place_is_there(document: Any, pointer: str) -> None:
    for place in places(document, pointer if pointer.startswith("/") else f"/{pointer}"):
        value_at(document, place)


TABLE = GatewayTable.model_validate(
    {
        "name": "x", "queue": "q", "message": {"items": "/*", "from": "/f", "text": "/t", "id": "/i", "at": "/at"},
        "signature": {"method": "token", "header": "X-Token", "secret": "s"},
    }
)  # fmt: skip


@given(st.binary(max_size=200) | JSON.map(lambda each: str(each).encode()))
def test_any_body_is_understood_or_refused_in_words(body: bytes) -> None:
    with suppress(Invalid):
        heard = hear(TABLE, read_body(TABLE, body), Knock(url="", headers={}, body=body))
        assert heard.messages or heard.faults


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1773131400", datetime(2026, 3, 10, 8, 30, tzinfo=UTC)),
        ("1773131400000", datetime(2026, 3, 10, 8, 30, tzinfo=UTC)),
        ("2026-03-10T16:30:00+08:00", datetime(2026, 3, 10, 8, 30, tzinfo=UTC)),
        ("Tue, 10 Mar 2026 08:30:00 +0000", datetime(2026, 3, 10, 8, 30, tzinfo=UTC)),
        ("yesterday", None), ("", None), ("9" * 40, None), ("2026-99-99", None),
    ],
)  # fmt: skip
def test_moments_are_read_in_the_forms_that_gateways_use(text: str, at: datetime | None) -> None:
    assert moment_of(text) == at


def signature(**given: Any) -> SignatureTable:
    return SignatureTable.model_validate({"method": "hmac-sha256", "header": "X-S", "secret": "s", **given})


def knock(body: bytes = b"{}", **headers: str) -> Knock:
    named = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return Knock(url="https://x.example/g", headers=named, body=body)


def test_the_form_of_standard_webhooks_can_be_declared() -> None:
    table = signature(
        header="webhook-signature", prefix="v1,", encoding="base64", timestamp="webhook-timestamp",
        signs="{header:webhook-id}.{timestamp}.{body}",
    )  # fmt: skip
    stamp = str(int(NOW.timestamp()))
    digest = base64.b64encode(hmac.digest(b"key of the tests", f"m1.{stamp}.".encode() + b"{}", "sha256")).decode()
    fits = knock(webhook_id="m1", webhook_timestamp=stamp, webhook_signature=f"v1,AAAA v1,{digest}")
    check_signature(table, fits, "key of the tests", now=NOW)
    with pytest.raises(Forbidden, match="too long ago"):
        check_signature(table, fits, "key of the tests", now=NOW + timedelta(minutes=6))


def test_the_example_of_twilios_documentation_has_its_signature() -> None:
    table = signature(method="hmac-sha1", encoding="base64", signs="{url}{form}")
    body = b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE"
    asked = Knock(
        url="https://mycompany.com/myapp.php?foo=1&bar=2", headers={"x-s": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, body=body
    )
    check_signature(table, asked, "12345", now=NOW)
    with pytest.raises(Forbidden, match="does not fit"):
        check_signature(table, asked, "12346", now=NOW)


@given(st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_no_text_of_a_customer_changes_the_shape_or_the_address_of_a_request(text: str, to: str) -> None:
    outbound = OutboundTable.model_validate(
        {
            "url": "https://x.example/{{ to }}/send?t={{ text }}",
            "body": {"a": ["{{ text }}", 1], "b": {"c": "{{ to }}"}},
        }
    )
    call = call_of(outbound, {"to": to, "text": text, "id": "1", "ticket": ""}, {"key": "secret"})
    assert call.url.startswith("https://x.example/")
    assert call.url.count("/") == 4
    assert call.url.count("?") == 1
    found = orjson.loads(call.body)
    assert set(found) == {"a", "b"}
    assert b"secret" not in call.body or "secret" in text + to


FILE = """
[[queues]]
name = "support"

[[gateways]]
name = "sms"
queue = "support"
message = {{ from = "/from" }}
signature = {{ method = "token", header = "X-Token", secret = "key" }}
secrets = {{ key = "long enough" }}
{more}
"""


def test_a_gateway_is_exported_as_it_was_written_without_its_secrets() -> None:
    more = (
        'outbound = { url = "https://x.example/{{ to }}", body = { text = "{{ text }}" }, '
        'headers = { X-Key = "{{ secret.key }}" } }'
    )
    found = understand(toml.parse(FILE.format(more=more), "org.toml"), {}).organisation
    text = to_toml(found)
    assert "long enough" not in text
    assert understand(toml.parse(text, "org.toml"), {}).organisation.gateways == found.gateways


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('format = "xml"', "format"),
        ('secrets_env = { other = "NOT_SET" }', "NOT_SET"),
        ('receipts = { id = "id", status = "/s" }', "JSON pointer"),
        ('outbound = { url = "https://{{ to }}/x", body = {} }', "path and query"),
        ('outbound = { url = "https://x.example/{{ who }}", body = {} }', "no who"),
        (
            'outbound = { url = "https://x.example/", body = { t = "{{ text.upper() }}" } }',
            "nothing that is worked out",
        ),
        ('outbound = { url = "https://x.example/", body = {}, headers = { X-A = "{{ text }}" } }', "no text"),
        ('outbound = { url = "https://x.example/", body = {}, headers = { Host = "a" } }', "not yours"),
        ('outbound = { url = "https://x.example/", format = "form", body = { a = { b = "c" } } }', "no tables"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_line(more: str, complaint: str) -> None:
    with pytest.raises(BadFile, match=complaint) as refused:
        understand(toml.parse(FILE.format(more=more), "org.toml"), {})
    assert "org.toml, line" in str(refused.value)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"signs": "v1"}, "body"),
        ({"signs": "{who}{body}"}, "expected a text of"),
        ({"signs": "{timestamp}{body}"}, "timestamp is needed"),
        ({"timestamp": "X-T"}, "make an old message new"),
    ],
)
def test_a_signature_that_proves_nothing_is_refused(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        signature(**table)

"""Signatures, and the doors that webhooks must not knock at."""

import base64
import hashlib
import hmac
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.delivery import Answer, answer_of, headers_of
from callcenter.outward import may_reach
from tests.builders import NOW


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_doors_that_only_we_can_see_are_not_knocked_at_unless_the_operator_allows_it(address: str):
    assert not may_reach(address, ())
    networks = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert may_reach(address, networks)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_within_reach(address: str):
    assert may_reach(address, ())


def test_an_allowed_network_allows_no_other():
    assert may_reach("10.1.2.3", [ip_network("10.0.0.0/8")])
    assert not may_reach("192.168.1.1", [ip_network("10.0.0.0/8")])


def test_the_example_of_the_specification_has_its_signature():
    # https://github.com/standard-webhooks/standard-webhooks: the test vector of its libraries
    secret, ident, body = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
    )
    now = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    headers = headers_of(secret, ident=ident, body=body, now=now)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(min_size=16, max_size=64).filter(lambda text: text.isascii() and text.isprintable()), st.binary())
def test_whoever_knows_the_secret_can_check_the_body(secret: str, body: bytes):
    headers = headers_of(secret, ident="1", body=body, now=NOW)
    signed = f"1.{headers['webhook-timestamp']}.".encode() + body
    if not secret.startswith("whsec_"):
        wanted = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{wanted}"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(200, "taken"), (204, "taken"), (301, "never"), (307, "never"), (400, "later"), (404, "later"), (410, "never"),
     (429, "later"), (500, "later"), (503, "later"), (100, "later")],
)  # fmt: skip
def test_what_an_answer_means(status: int, meaning: str):
    assert answer_of(status) is Answer(meaning)

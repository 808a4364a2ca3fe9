"""Whose doings limits count together."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.network import limited_as


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_address_counts_with_its_network(address: str, counted: str) -> None:
    assert limited_as(address) == counted


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_all_addresses_of_one_network_are_one_and_those_of_others_are_others(net: int, one: int, two: int) -> None:
    net |= 2 << 60  # none that stands for an IPv4 address
    first, second = (limited_as(str(IPv6Address(net << 64 | host))) for host in (one, two))
    assert first == second
    assert limited_as(str(IPv6Address((net ^ 1) << 64 | one))) != first


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_the_same_however_it_is_written(address: IPv4Address) -> None:
    assert limited_as(f"::ffff:{address}") == limited_as(str(address)) == str(address)

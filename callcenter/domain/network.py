"""Network addresses as limits count them; pure."""

from ipaddress import IPv6Address, IPv6Network, ip_address

# What a provider gives to one household at least (RFC 6177): each of its 2^64 addresses may be taken at will.
_OF_ONE = 64


def limited_as(address: str) -> str:
    """Whose doings are counted together: an IPv4 address, or the /64 of an IPv6 address; what is neither, as it is."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, _OF_ONE), strict=False))

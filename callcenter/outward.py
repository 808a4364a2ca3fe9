"""HTTP to other systems: to where the operator lets us, within limits, with failures in words."""

import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

import aiohttp
from aiohttp.abc import AbstractCookieJar
from yarl import URL

from callcenter.errors import ChannelError

# From the look-up of the name to the end of the answer.
ATTEMPT = timedelta(seconds=10)
_MOST_AT_ONCE = 16

Networks = Collection[IPv4Network | IPv6Network]


def may_reach(address: str, allowed: Networks) -> bool:
    """Whether we go there: public addresses, and networks that the operator allowed.

    Whoever may write an organisation file could otherwise make us knock at doors that only this machine can see.
    """
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if any(found in network for network in allowed if network.version == found.version):
        return True
    return found.is_global and not found.is_multicast


class _Refused(OSError):
    """An address that is out of bounds."""


@dataclass(frozen=True, slots=True)
class Response:
    """`body`: its beginning."""

    status: int
    reason: str
    body: bytes

    def words(self) -> str:
        return " ".join(f"{self.status} {self.reason} {self.body.decode(errors='replace')}".split())[:300]


class Outward:
    """A client for one system after the other."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, most: int = 2000) -> Response:
        """Raises ChannelError, which is not permanent, when there is no answer. Redirects are not followed."""
        try:
            async with self._session.post(
                URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as response:
                return Response(response.status, response.reason or "", await response.content.read(most))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise ChannelError(_words(error), permanent=False) from None


def _words(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorError(os_error=_Refused() as refused):
            return str(refused)
        case aiohttp.ClientConnectorError(os_error=OSError(strerror=str(text))) if text:
            return text
        case _:
            return str(error) or type(error).__name__


@asynccontextmanager
async def open_outward(allowed: Networks) -> AsyncIterator[Outward]:
    """`allowed`: networks besides the public ones."""

    def open_socket(found: tuple[object, ...]) -> socket.socket:
        # Behind the look-up of the name, so that a name cannot lead elsewhere between a check and its use.
        family, kind, proto, _, address = found
        host = str(address[0])  # type: ignore[index]
        if not may_reach(host, allowed):
            raise _Refused(f"{host} is no public address, and webhook_networks does not allow it")
        return socket.socket(family=family, type=kind, proto=proto)  # type: ignore[arg-type]

    connector = aiohttp.TCPConnector(limit=_MOST_AT_ONCE, socket_factory=open_socket)
    jar: AbstractCookieJar = aiohttp.DummyCookieJar()
    timeout = aiohttp.ClientTimeout(total=ATTEMPT.total_seconds())
    # Neither proxies nor passwords of the environment: where it goes is in the file.
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=jar, timeout=timeout, trust_env=False, auto_decompress=False
    ) as session:
        yield Outward(session)

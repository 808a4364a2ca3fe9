"""Work that another system hands in over the API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.interaction import OFFERED_WORK, Arrival, Channel, State
from callcenter.errors import Invalid
from callcenter.store.log import ContactLog
from callcenter.store.postings import SQL

_KINDS = {Channel.FAX: AddressKind.FAX, Channel.CHAT: AddressKind.WEB, Channel.MESSAGE: AddressKind.EXTERNAL}


def arrival_of(
    channel: Channel,
    *,
    address: str | None,
    external_id: str | None,
    subject: str | None,
    region: str,
    asks: Mapping[str, Any] | None = None,
) -> Arrival:
    """Who came, as well as the address tells. Raises Invalid for calls, which only a PBX brings."""
    if channel is Channel.PHONE:
        raise Invalid("Calls come from a PBX.", field="channel")
    if channel in OFFERED_WORK:
        raise Invalid("Tickets and tasks wait by themselves where their queue offers them; open one.", field="channel")
    kind, value = _address(channel, address, region)
    return Arrival(channel, external_id, kind, value, subject=subject, asks=asks)


def _address(channel: Channel, address: str | None, region: str) -> tuple[str | None, str | None]:
    """An address that is none of a kind we know is kept as it came and matches nobody."""
    text = (address or "").strip()
    if not text:
        return None, None
    guesses = [AddressKind.EMAIL if "@" in text else AddressKind.PHONE, _KINDS.get(channel)]
    if channel in _KINDS:
        guesses.reverse()
    for kind in guesses:
        if kind is None:
            continue
        try:
            return kind, read_address(kind, text, region=region).value
        except Invalid:
            continue
    return None, text


async def post(log: ContactLog, arrival: Arrival, *, queue: int, text: str | None, now: datetime) -> tuple[int, bool]:
    """The interaction's id, and whether it is new: the same (channel, external id) handed in again changes nothing."""
    async with log.transaction() as tx:
        events = await tx.verb(
            "arrive",
            arrival.channel,
            arrival.direction,
            arrival.external_id,
            None,
            None,
            arrival.address_kind,
            arrival.address,
            arrival.address_name,
            arrival.called,
            arrival.subject,
            queue,
            arrival.priority,
            State.QUEUED,
            None,
            now,
            arrival.asks,
        )
        if events:
            ident = events[0].interaction
            assert ident is not None
            if text:
                await tx.connection.execute(SQL.add_text, ident, text, now)
            return ident, True
    known = await log.pool.fetchval(SQL.known, arrival.channel, arrival.external_id)
    assert known is not None
    return int(known), False

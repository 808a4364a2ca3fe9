"""Whether a message by mail is a fax, and whose."""

from dataclasses import dataclass

from callcenter.domain.fax import Caller, FaxGateway, caller_of, gateway_of
from callcenter.domain.mail import Mail, Nature
from callcenter.store.fax_gateways import SQL
from callcenter.store.log import Transaction


@dataclass(frozen=True, slots=True)
class Fax:
    """`queue` None: that of the mailbox."""

    caller: Caller | None
    queue: int | None


def gateways(mail: Mail) -> list[str]:
    """What a gateway that sent it would be called: by its address or by its domain."""
    if mail.sender is None or mail.nature is Nature.BOUNCE:
        return []
    address = mail.sender.address.lower()
    return [address, f"@{address.rpartition('@')[2]}"]


async def recognise(tx: Transaction, mail: Mail, raw: bytes) -> Fax | None:
    """The fax that a gateway of the organisation sent on; None for all other mail. `raw` may tell the caller."""
    rows = await tx.connection.fetch(SQL.known, gateways(mail))
    gateway = gateway_of(mail, [FaxGateway(row["sender"], row["header"]) for row in rows])
    row = next((row for row in rows if gateway is not None and row["sender"] == gateway.sender), None)
    if gateway is None or row is None:
        return None
    return Fax(caller_of(mail, raw, gateway, region=row["region"]), row["queue"])

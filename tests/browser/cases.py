"""What a ticket has beside itself, for the pictures: fields of its own, tags, relatives, checklists, macros."""

from datetime import datetime

from callcenter import toml
from callcenter.actions import organisation, ticket_ties, tickets
from callcenter.domain.organisation_file import understand
from callcenter.store.log import ContactLog

FILE = """
[tickets]
types = ["question", "repair", "complaint"]
categories = ["product/rice_cooker", "product/kettle", "repair", "delivery", "refund/bank"]

[[tickets.fields]]
name = "serial"
type = "text"
title = { en = "Serial number", zh_CN = "序列号", zh_TW = "序號" }
required = { state = "resolved", category = "refund" }

[[tickets.fields]]
name = "bought"
type = "date"
title = { en = "Bought on", zh_CN = "购买日期", zh_TW = "購買日期" }

[[tickets.fields]]
name = "cause"
type = "choice"
choices = ["wear 磨损", "fall 跌落"]
title = { en = "Cause", zh_CN = "原因", zh_TW = "原因" }
required = { state = "resolved" }

[[macros]]
name = "ask"
title = "Ask for the serial number 询问序列号"
then = [{ reply = "Please send us the serial number." }]

[[checklists]]
name = "return"
title = "Return 退货"
steps = [{ title = "Fetch it" }]
"""


async def add_relatives(
    log: ContactLog, *, ticket: int, other: int, people: list[int], much: bool, now: datetime
) -> None:
    """`ticket` gets a parent, a child and one that `other` is related to it, as each by itself would be."""
    file = understand(toml.parse(FILE, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=now)
    changes = {
        "type": "repair",
        "tags": [f"very-long-tag-number-{n}-of-many" for n in range(20)] if much else ["vip", "银行退款", "callback"],
        "followers": people if much else people[:2],
        "fields": {"serial": "X" * 200 if much else "SN-20431-7", "bought": "2026-03-01"},
        "priority": "high",
    }
    await tickets.change(log, ticket, changes=changes, version=None, actor=people[0], now=now)
    parts = []
    for subject in ("Refunds of the bank are late 银行退款延迟", "Fetch the cooker"):
        new = await tickets.open_ticket(
            log, subject=subject, customer=None, interaction=None, queue=None, priority="normal", text=None, actor=None,
            now=now,
        )  # fmt: skip
        parts.append(new.id)
    await tickets.change(log, ticket, changes={"parent": parts[0]}, version=None, actor=people[0], now=now)
    await tickets.change(log, parts[1], changes={"parent": ticket}, version=None, actor=people[0], now=now)
    await ticket_ties.relate(log, ticket, to=other, actor=people[0], now=now)

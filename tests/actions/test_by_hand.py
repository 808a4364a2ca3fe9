"""Contacts noted by hand: in the same log, handled, never routed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter.actions import by_hand
from callcenter.actions.by_hand import Noted
from callcenter.domain.interaction import Channel
from callcenter.errors import Invalid
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import make_customer


def a_visit(now: datetime, **changes: Any) -> Noted:
    visit = Noted(
        channel=Channel.VISIT,
        began_at=now - timedelta(minutes=5),
        lasted=timedelta(minutes=5),
        text="Brought the kettle",
    )
    return replace(visit, **changes)


async def test_a_visit_is_one_handled_contact_of_its_customer_and_agent(
    log: ContactLog, pool: Pool, amy: int, now: datetime
) -> None:
    customer = await make_customer(pool)
    ident, new = await by_hand.note(log, a_visit(now, customer=customer, disposition="solved"), actor=amy, now=now)
    row = await pool.fetchrow("select * from interaction where id = $1", ident)
    assert row is not None
    assert new
    assert (row["channel"], row["state"], row["outcome"], row["customer_id"], row["agent_id"]) == (
        "visit", "closed", "handled", customer, amy,
    )  # fmt: skip
    assert (row["note"], row["disposition"], row["queued_at"], row["answered_at"]) == (
        "Brought the kettle", "solved", None, now - timedelta(minutes=5),
    )  # fmt: skip
    segment = await pool.fetchrow("select agent_id, ended_at - answered_at as lasted from segment")
    assert segment is not None
    assert tuple(segment) == (amy, timedelta(minutes=5))
    kinds = [row["kind"] for row in await pool.fetch("select kind from contact_log order by seq")]
    assert kinds == ["interaction.arrived", "interaction.closed"]
    assert not await pool.fetchval("select exists (select from reservation)")
    assert "kettle" not in str(await pool.fetch("select data from contact_log"))


async def test_the_same_key_twice_is_one_contact(log: ContactLog, pool: Pool, amy: int, now: datetime) -> None:
    first = await by_hand.note(log, a_visit(now, key="k1"), actor=amy, now=now)
    again = await by_hand.note(log, a_visit(now, key="k1", new_customer="Li Na"), actor=amy, now=now)
    assert again == (first[0], False)
    assert await pool.fetchval("select count(*) from customer") == 0


async def test_a_new_customer_and_a_new_ticket_are_made_with_it(
    log: ContactLog, pool: Pool, amy: int, now: datetime
) -> None:
    noted = a_visit(now, channel=Channel.LETTER, new_customer="Li Na", new_ticket="Kettle leaks")
    ident, _ = await by_hand.note(log, noted, actor=amy, now=now)
    row = await pool.fetchrow(
        "select c.name, t.subject, t.owner_id, t.customer_id = c.id as theirs from interaction i "
        "join customer c on c.id = i.customer_id join ticket t on t.id = i.ticket_id where i.id = $1",
        ident,
    )
    assert row is not None
    assert tuple(row) == ("Li Na", "Kettle leaks", amy, True)


async def test_it_belongs_to_a_ticket_that_is_there(log: ContactLog, pool: Pool, amy: int, now: datetime) -> None:
    first, _ = await by_hand.note(log, a_visit(now, new_ticket="Kettle leaks"), actor=amy, now=now)
    ticket = await pool.fetchval("select ticket_id from interaction where id = $1", first)
    second, _ = await by_hand.note(log, a_visit(now, ticket=ticket), actor=amy, now=now)
    assert await pool.fetchval("select ticket_id from interaction where id = $1", second) == ticket


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"channel": Channel.EMAIL}, "channel"),
        ({"direction": "sideways"}, "direction"),
        ({"lasted": timedelta(days=2)}, "minutes"),
        ({"lasted": timedelta(minutes=10)}, "at"),
        ({"began_at": datetime.fromisoformat("2020-01-01T00:00:00Z")}, "at"),
        ({"text": "x" * 10_001}, "text"),
        ({"customer": 99}, "customer"),
        ({"ticket": 1, "new_ticket": "x"}, "ticket"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_leaves_nothing(
    log: ContactLog, pool: Pool, amy: int, now: datetime, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await by_hand.note(log, a_visit(now, **changes), actor=amy, now=now)
    assert refused.value.field == field
    assert await pool.fetchval("select count(*) from interaction") == 0

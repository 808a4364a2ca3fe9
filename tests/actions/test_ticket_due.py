"""What lists of tickets are ordered by agrees with the clocks, whatever happened to a ticket."""

from datetime import timedelta

from callcenter import toml
from callcenter.actions import organisation, sla, tickets
from callcenter.domain.organisation_file import understand
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import NOW, later, make_user

PROMISES = """
[[sla_policies]]
name = "all"
own = "10m"
first_response = "30m"
resolution = "4h"
escalations = [{ clock = "own", at = "+0m", actions = [{ priority = "urgent" }] }]
"""
OWED = """
select t.due_at = coalesce((select min(due_at) from sla_clock where ticket_id = t.id and ended_at is null), 'infinity')
from ticket t where id = $1
"""
DUE = "select nullif(due_at, 'infinity') from ticket where id = $1"


async def test_the_due_moment_of_a_ticket_follows_its_clocks(log: ContactLog, pool: Pool) -> None:
    amy = await make_user(pool, "amy")
    file = understand(toml.parse(PROMISES, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=NOW)
    directory = Directory(pool)
    await directory.load()
    ticket = await tickets.open_ticket(
        log, subject="x", customer=None, interaction=None, queue=None, priority="normal", text=None, actor=amy, now=NOW
    )

    async def due() -> timedelta | None:
        assert await pool.fetchval(OWED, ticket.id)
        at = await pool.fetchval(DUE, ticket.id)
        return None if at is None else at - NOW

    async def change(**changes: object) -> None:
        await tickets.change(log, ticket.id, changes=changes, version=None, actor=amy, now=later(900))

    assert await due() == timedelta(minutes=10)
    await sla.sweep(log, directory, now=later(660))
    assert await due() == timedelta(minutes=10)  # late, and still owed
    await change(owner=amy)
    assert await due() == timedelta(minutes=30)
    await tickets.reply(log, ticket.id, text="soon", public=True, actor=amy, now=later(900))
    assert await due() == timedelta(hours=4)
    await change(state="pending")
    assert await due() is None
    await change(state="open")
    assert await due() == timedelta(hours=4)
    await change(state="resolved")
    assert await due() is None

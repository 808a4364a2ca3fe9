"""Three nodes that all believe they lead: whatever they decide, no rule is broken, nothing is offered twice or lost."""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.bench.process import program, python
from tests.builders import eventually, make_queue, make_user, on_queue
from tests.routing.racer import CHANNELS, clock, come

# Many of both, so that each leader has a batch to carry out whenever it looks.
_AGENTS, _QUEUES, _CONTACTS = 48, 3, 400
_NODES = 3
# What work of the first queue asks for, the longer it waits; the others ask for nothing.
_NEEDS: Mapping[str, Any] = {
    "needs": {"a": 4},
    "steps": [{"after": "2s", "needs": {"a": 2}}, {"after": "8s", "needs": {}}],
}
# In the order in which it was committed by those who held the locks; clocks of three processes have none. An offer
# begins where it is reserved, and is over when it comes to nothing or is wrapped up.
_MOVES = """
with moves as (
    select r.interaction_id, r.agent_id, r.channel, l.epoch, l.xid, l.seq,
           case when l.kind = 'interaction.reserved' then 1 else -1 end as change
    from contact_log l join reservation r on r.id = (l.data ->> 'reservation')::bigint
    where l.kind in ('interaction.reserved', 'interaction.wrapped') or l.kind like 'reservation.%'
)
"""
_OF_WORK = f"""
{_MOVES}, counted as (
    select sum(change) over (partition by interaction_id order by epoch, xid, seq) as live from moves)
select min(live), max(live) from counted
"""
_OF_AGENTS = f"""
{_MOVES}, counted as (
    select sum(change) filter (where channel = 'phone') over hand as phone,
           sum(change) filter (where channel = 'chat') over hand as chat
    from moves window hand as (partition by agent_id order by epoch, xid, seq))
select max(phone) as phone, max(chat) as chat, coalesce(bool_or(phone > 0 and chat > 0), false) as both from counted
"""
# Offers that were made by somebody who had no right to them, or before their step began.
_UNSKILLED = """
select count(*) from reservation r
join interaction i on i.id = r.interaction_id join queue q on q.id = i.queue_id and q.needs <> '{}'
join users u on u.id = r.agent_id
join (values (0, 4, interval '0'), (1, 2, interval '2 s'), (2, 0, interval '8 s')) as asked (step, level, after)
  on asked.step = (r.decision ->> 'step')::integer
where coalesce((u.skills ->> 'a')::integer, 0) < asked.level or r.created_at < i.queued_at + asked.after
"""
_STRANGERS = """
select count(*) from reservation r join interaction i on i.id = r.interaction_id
where not exists (select from queue_member m where m.queue_id = i.queue_id and m.user_id = r.agent_id)
"""
_SUMS = """
select (select count(*) from interaction) as there,
       (select count(*) from interaction where state = 'closed' and outcome = 'handled') as handled,
       (select count(*) from reservation) as reservations,
       (select count(*) from reservation where state in ('pending', 'accepted')) as open,
       (select count(*) from agent where load <> '{}') as busy,
       (select count(*) from contact_log where kind = 'interaction.reserved') as told,
       (select count(distinct data ->> 'reservation') from contact_log where kind = 'interaction.reserved') as different
"""


async def _floor(pool: Pool) -> list[int]:
    log = ContactLog(pool)
    agents = [await make_user(pool, f"a{n}") for n in range(_AGENTS)]
    for n, agent in enumerate(agents):
        await pool.execute("update users set skills = $2 where id = $1", agent, {"a": n % 6} if n % 6 else {})
        await on_queue(log, agent, now=clock())
    return [
        await make_queue(pool, f"q{n}", members=[a for a in agents if a % _QUEUES != n], **({} if n else _NEEDS))
        for n in range(_QUEUES)
    ]


async def _check(pool: Pool) -> dict[str, int]:
    """What must hold of all that was ever decided; the sums."""
    sums = dict((await pool.fetch(_SUMS))[0])
    assert sums["handled"] == sums["there"], "something was lost"
    assert (sums["open"], sums["busy"]) == (0, 0)
    assert sums["told"] == sums["different"] == sums["reservations"]
    assert tuple((await pool.fetch(_OF_WORK))[0]) == (0, 1), "two live offers of one interaction"
    hand = (await pool.fetch(_OF_AGENTS))[0]
    assert hand["phone"] == 1
    assert 1 <= hand["chat"] <= 4
    assert not hand["both"], "a call beside a chat"
    assert await pool.fetchval(_UNSKILLED) == 0
    assert await pool.fetchval(_STRANGERS) == 0
    return sums


@pytest.mark.parametrize("decisions", [600, pytest.param(100_000, marks=pytest.mark.race)])
async def test_three_who_believe_they_lead_break_no_rule_and_lose_nothing(
    pool: Pool, database: str, tmp_path: Path, decisions: int
) -> None:
    queues = await _floor(pool)
    async with AsyncExitStack() as stack:
        nodes = [
            await stack.enter_async_context(
                program(*python("tests.routing.racer", database, str(seed)), name=f"node{seed}", folder=tmp_path)
            )
            for seed in range(_NODES)
        ]
        for node in nodes:
            await node.line("ready", within=60)
        log = ContactLog(pool)
        for n in range(_CONTACTS):
            await come(log, queues[n % _QUEUES], CHANNELS[n % 2])

        async def enough() -> bool:
            for node in nodes:
                assert not node.ended, node.last_words()
            found: bool = await pool.fetchval("select count(*) >= $1 from reservation", decisions)
            return found

        await eventually(enough, within=1_800)
        for node in nodes:
            await node.end_of_input()
        decided = [json.loads(await node.output(within=180)) for node in nodes]
    sums = await _check(pool)
    assert all(each["reserved"] for each in decided)
    assert sum(each["reserved"] for each in decided) == sums["reservations"] >= decisions
    refused = sum(each["refused"] for each in decided)
    assert refused, "they never met"
    print(f"{sums['reservations']} decisions carried out, {refused} refused, {sums['there']} contacts")

"""State and events are a fresh snapshot, whatever has happened, in whatever order."""

from dataclasses import replace
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.store.db import connect_pool
from callcenter.store.pool import Pool
from routing.decide import decide
from routing.state import RouterState
from tests.builders import later
from tests.databases import Databases
from tests.routing.acts import ACTS, Act, Play

# What the functions count on an agent's row, and what there is.
COUNTED = """
select jsonb_build_object('load', a.load, 'offer', a.offer, 'live', a.live) as counted,
       jsonb_build_object(
           'load', coalesce((select jsonb_object_agg(channel, n) from (
               select channel, count(*) as n from reservation r
               where r.agent_id = a.user_id and r.state in ('pending', 'accepted') group by channel) c), '{}'),
           'offer', exists (select from reservation r where r.agent_id = a.user_id and r.state = 'pending'),
           'live', (select count(*) from reservation r
                    where r.agent_id = a.user_id and r.state = 'accepted' and r.released_at is null)) as there
from agent a
"""


def picture(state: RouterState) -> tuple[object, ...]:
    """What is known of work, agents and their day. Of work no version: an event may change what no router looks at."""
    work = {ident: replace(work, version=0) for ident, work in state.waiting.items()}
    return work, dict(state.agents), +state.tally.served, state.tally.turns


def lines(state: RouterState, now: datetime) -> dict[object, object]:
    """Who and what stands where, and why the others do not; of lines in which somebody or something stands."""
    state.settle(now)
    found = {
        key: (list(map(list, pool.waiting)), list(map(list, pool.idle)), list(pool.held.entries), +pool.doing)
        for key, pool in state.pools.items()
    }
    return {key: at for key, at in found.items() if any(at[0]) or at[2] or key[1:] == ("phone", None)}


def choices(state: RouterState, now: datetime) -> list[tuple[int, int]]:
    """What would be decided, one after the other."""
    made = []
    for decision in decide(state, now):
        state.take(decision.interaction, decision.agent)
        made.append((decision.interaction, decision.agent))
    return made


async def check(play: Play, pool: Pool) -> None:
    """The state as events have made it, and the same once the feed brings them all again, is the database's."""
    fresh = await play.fresh()
    for event in play.events:
        play.heard.apply(event)
    assert picture(play.heard) == picture(fresh)
    for row in await pool.fetch(COUNTED):
        assert row["counted"] == row["there"]
    for seconds in (0, 10, 30, 60, 300):
        now = later(seconds, play.now)
        assert lines(play.heard, now) == lines(fresh, now)
        assert choices(play.heard, now) == choices(fresh, now)


@given(acts=st.lists(ACTS, min_size=20, max_size=60))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
async def test_state_fed_by_events_equals_a_fresh_snapshot_after_any_acts(
    databases: Databases, acts: list[Act]
) -> None:
    async with databases.one() as dsn, await connect_pool(dsn, min_size=1, max_size=3) as pool:
        play = await Play.begin(pool)
        for act in acts:
            await play.act(act)
        await check(play, pool)

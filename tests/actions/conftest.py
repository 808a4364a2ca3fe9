"""A contact log, and rows to act on."""

from datetime import datetime

import pytest

from callcenter.actions.interactions import arrive
from callcenter.domain.interaction import Arrival, Channel
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool


@pytest.fixture
def log(pool: Pool) -> ContactLog:
    return ContactLog(pool)


@pytest.fixture
async def amy(pool: Pool) -> int:
    """An agent."""
    ident = await pool.fetchval("insert into users (name, full_name, role) values ('amy', 'Amy', 'agent') returning id")
    await pool.execute("insert into agent (user_id) values ($1)", ident)
    return int(ident)


@pytest.fixture
async def call(log: ContactLog, now: datetime) -> int:
    """A call that has arrived."""
    arrival = Arrival(Channel.PHONE, "default-1", address_kind="phone", address="+8613800138000")
    event, *_ = await arrive(log, arrival, queue=None, queued=False, node=None, now=now)
    assert event.interaction is not None
    return event.interaction

"""A contact log, and rows to act on."""

from datetime import datetime

import pytest

from callcenter.actions.interactions import arrive
from callcenter.domain.interaction import Arrival, Channel
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.actions.postbox import Post


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


@pytest.fixture
async def post(log: ContactLog, pool: Pool, now: datetime) -> Post:
    await pool.execute("insert into queue (name, is_default) values ('support', true), ('billing', false)")
    await pool.execute(
        "insert into mailbox (address, queue_id, language, closed) "
        "select 'care@heronbay.example', id, 'zh_CN', 'reopen' from queue where name = 'support' union all "
        "select 'bills@heronbay.example', id, null, 'new' from queue where name = 'billing'"
    )
    await pool.execute("insert into customer (name) values ('Wang Fang')")
    await pool.execute(
        "insert into address (customer_id, kind, value) select id, 'email', 'wang@customer.example' from customer"
    )
    return Post(log, now)

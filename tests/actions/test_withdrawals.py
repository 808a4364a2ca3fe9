"""Answers that are taken back before they go out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from callcenter import toml
from callcenter.actions import mail_in, organisation, outbox, tickets, uploads, withdrawals
from callcenter.domain.organisation_file import understand
from callcenter.errors import Conflict, Forbidden, NotFound
from callcenter.store import sla as store
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from channels.email.parse import parse
from tests.channels.email.messages import message

HOLD = timedelta(seconds=8)
ORGANISATION = """
[organisation]
timezone = "Asia/Shanghai"
[[queues]]
name = "support"
default = true
[[mailboxes]]
address = "care@heronbay.example"
queue = "support"
acknowledge = false
[[sla_policies]]
name = "all"
first_response = "30m"
next_response = "1h"
resolution = "8h"
"""


@dataclass
class Case:
    """A customer's mail and its ticket."""

    log: ContactLog
    ticket: int
    agent: int
    now: datetime

    def at(self, **later: float) -> datetime:
        return self.now + timedelta(**later)

    async def answer(self, *, at: datetime, text: str = "Is it plugged in?", files: tuple[int, ...] = ()) -> int:
        await tickets.reply(
            self.log, self.ticket, text=text, public=True, actor=self.agent, files=files, hold=HOLD, now=at
        )
        return int(await self.log.pool.fetchval("select max(id) from message where kind = 'outbound'"))

    async def undo(self, answer: int, *, at: datetime) -> withdrawals.Withdrawn:
        return await withdrawals.withdraw(self.log, answer, actor=self.agent, now=at)

    async def write(self, number: int, *, at: datetime) -> None:
        raw = message(Message_ID=f"<{number}@customer.example>", References="<1@customer.example>")
        await mail_in.receive(self.log, parse(raw), raw, now=at)

    async def clocks(self) -> dict[str, tuple[str, datetime, datetime | None]]:
        found = (await store.clocks_of(self.log.pool, [self.ticket]))[self.ticket]
        return {str(each.clock): (str(each.state), each.started_at, each.due_at) for each in found}

    async def take(self, *, at: datetime) -> bool:
        letter = await outbox.take(self.log, domain="x.example", lease=timedelta(minutes=3), now=at)
        return letter is not None

    async def kinds(self) -> list[str]:
        return [row["kind"] for row in await self.log.pool.fetch("select kind from contact_log order by seq")]


@pytest.fixture
async def case(log: ContactLog, pool: Pool, amy: int, now: datetime) -> Case:
    file = understand(toml.parse(ORGANISATION, "org.toml"), {})
    await organisation.apply(log, file, prune=False, actor=None, now=now)
    raw = message()
    received = await mail_in.receive(log, parse(raw), raw, now=now)
    assert received.ticket is not None
    return Case(log, received.ticket, amy, now)


async def test_an_answer_goes_out_when_its_time_to_be_taken_back_is_over(case: Case) -> None:
    answer = await case.answer(at=case.now)
    assert not await case.take(at=case.at(seconds=7))
    assert await case.take(at=case.at(seconds=8))
    with pytest.raises(Conflict, match="gone out"):
        await case.undo(answer, at=case.at(seconds=8))


async def test_an_answer_that_is_taken_back_never_goes_and_is_nowhere(case: Case, pool: Pool) -> None:
    answer = await case.answer(at=case.now)
    back = await case.undo(answer, at=case.at(seconds=7))
    assert (back.text, back.ticket, back.files) == ("Is it plugged in?", case.ticket, [])
    assert not await case.take(at=case.at(days=1))
    assert await pool.fetchval("select count(*) from message where kind = 'outbound'") == 0
    assert "plugged" not in await pool.fetchval("select text from ticket_text where ticket_id = $1", case.ticket)
    assert (await case.kinds())[-3:-1] == ["sla.met", "message.withdrawn"]
    with pytest.raises(NotFound):
        await case.undo(answer, at=case.at(seconds=7))


async def test_what_an_answer_stopped_runs_on_as_if_it_had_never_been(case: Case) -> None:
    before = await case.clocks()
    answer = await case.answer(at=case.at(minutes=10))
    assert (await case.clocks())["first_response"][0] == "met"
    await case.undo(answer, at=case.at(minutes=10, seconds=5))
    assert await case.clocks() == before
    assert (await case.kinds())[-1] == "sla.resumed"
    assert await case.log.pool.fetchval("select next_at from ticket_sla") == case.at(minutes=30)


async def test_a_promise_that_ran_out_meanwhile_is_broken(case: Case) -> None:
    answer = await case.answer(at=case.at(minutes=30, seconds=-2))
    await case.undo(answer, at=case.at(minutes=30, seconds=2))
    assert (await case.clocks())["first_response"][0] == "breached"


async def test_the_customers_next_question_is_owed_again(case: Case) -> None:
    await case.answer(at=case.at(minutes=1))
    await case.write(2, at=case.at(minutes=5))
    before = await case.clocks()
    answer = await case.answer(at=case.at(minutes=10))
    assert (await case.clocks())["next_response"][0] == "met"
    await case.undo(answer, at=case.at(minutes=10, seconds=5))
    assert await case.clocks() == before


async def test_a_customer_who_writes_meanwhile_waits_since_their_first_question(case: Case) -> None:
    await case.answer(at=case.at(minutes=1))
    await case.write(2, at=case.at(minutes=5))
    before = await case.clocks()
    answer = await case.answer(at=case.at(minutes=10))
    await case.write(3, at=case.at(minutes=10, seconds=3))
    await case.undo(answer, at=case.at(minutes=10, seconds=5))
    assert await case.clocks() == before
    assert await case.log.pool.fetchval("select count(*) from sla_clock where met_at is not null") == 1


async def test_an_answer_beside_it_stands(case: Case) -> None:
    answer = await case.answer(at=case.at(minutes=10))
    await case.answer(at=case.at(minutes=10, seconds=2), text="And the fuse?")
    await case.undo(answer, at=case.at(minutes=10, seconds=5))
    assert (await case.clocks())["first_response"][0] == "met"
    assert await case.log.pool.fetchval("select answered_at from ticket_sla") == case.at(minutes=10, seconds=2)
    assert await case.take(at=case.at(minutes=11))


async def test_files_of_an_answer_that_is_taken_back_can_be_sent_again(case: Case, pool: Pool) -> None:
    file = await uploads.keep(case.log, "led.txt", None, b"dark", owner=f"user:{case.agent}", now=case.now)
    answer = await case.answer(at=case.now, files=(file,))
    back = await case.undo(answer, at=case.at(seconds=5))
    assert back.files == [file]
    again = await case.answer(at=case.at(seconds=6), files=(file,))
    assert await pool.fetchval("select message_id from upload where id = $1", file) == again


async def test_only_its_writer_or_a_supervisor_takes_an_answer_back(case: Case, pool: Pool) -> None:
    answer = await case.answer(at=case.now)
    bo = await pool.fetchval("insert into users (name, full_name, role) values ('bo', 'Bo', 'agent') returning id")
    with pytest.raises(Forbidden):
        await withdrawals.withdraw(case.log, answer, actor=bo, now=case.now)
    back = await withdrawals.withdraw(case.log, answer, actor=bo, of_others=True, now=case.now)
    assert back.author == case.agent

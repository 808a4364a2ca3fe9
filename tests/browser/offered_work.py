"""Tickets and tasks on offer, for pictures: one accepted with a task on offer beside it, and one that is offered."""

from datetime import timedelta

from callcenter.actions import agents, interactions, offered_work, tasks, tickets
from callcenter.store.directory import Directory
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.store.rules import TaskPlan
from tests.browser.gallery import LONG, add_person
from tests.builders import NOW, later


async def offered_pages(pool: Pool, *, much: bool) -> dict[str, tuple[str, str]]:
    """Name of the picture → who looks at which path."""
    log, directory = ContactLog(pool), Directory(pool)
    people = {
        name: await add_person(pool, name, full) for name, full in (("nan", "Nan Ito"), ("oli", "Oli"), ("pia", "Pia"))
    }
    sql = "insert into queue (name, offers_tickets, offers_tasks) values ('cases', true, true) returning id"
    queue = await pool.fetchval(sql)
    for agent in people.values():
        await pool.execute("insert into queue_member (queue_id, user_id) values ($1, $2)", queue, agent)
        await agents.set_presence(log, agent, presence="on_queue", reason=None, actor=agent, now=later(-900))
    await directory.load()
    customer = await pool.fetchval("select id from customer order by id limit 1")
    number = dict.fromkeys(people, 0)
    for who, subject, priority in (
        ("nan", LONG[:180] if much else "No hot water since Friday", "urgent"),
        ("oli", "热水器没有热水", "high"),
    ):
        ticket = await tickets.open_ticket(
            log, subject=subject, customer=customer, interaction=None, queue=queue, priority=priority,
            text=LONG[:900] if much else "The plumber was here and says that it is the boiler. 水管工说是锅炉的问题。",
            actor=None, now=later(-600),
        )  # fmt: skip
        number[who] = await _offer(log, people[who], at=-8)
        if who == "oli":
            plan = TaskPlan(LONG[:150] if much else "寄出退款支票 / Send the cheque", "queue:cases")
            await tasks.open_task(
                log, directory, plan=plan, ticket=ticket.id, actor=None, due_at=NOW + timedelta(hours=2), now=later(-60)
            )
    number["pia"] = await _offer(log, people["pia"], at=-6)
    held = await pool.fetchval("select id from reservation where interaction_id = $1", number["oli"])
    await offered_work.accept(log, directory, number["oli"], reservation=held, agent=people["oli"], now=later(-4))
    data = "much" if much else "usual"
    return {
        f"{data}-ticket-offered": ("nan", "/"),
        f"{data}-ticket-accepted": ("oli", "/"),
        f"{data}-task-offered": ("pia", "/"),
    }


async def _offer(log: ContactLog, agent: int, *, at: float) -> int:
    """What waits of this kind, offered to an agent."""
    await offered_work.reconcile_all(log, now=later(at - 30))
    sql = "select id from interaction where channel in ('ticket', 'task') and state = 'queued' order by id limit 1"
    found: int = await log.pool.fetchval(sql)
    await interactions.reserve(
        log,
        found,
        agent=agent,
        agent_version=None,
        reason="longest_idle",
        decision=None,
        due=later(at + 15),
        now=later(at),
    )
    return found

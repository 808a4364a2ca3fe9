"""How tickets are tied to each other: merged, split, related."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from callcenter.actions import sla, tickets
from callcenter.actions import ticket_family as family
from callcenter.actions.ticket_writing import append, note, remember, write
from callcenter.domain.ticket import OVER, TicketState
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import tasks as task_store
from callcenter.store import tickets as store
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.ticket_family import SQL
from callcenter.store.tickets import Ticket


async def merge(
    log: ContactLog | Transaction, ticket: int, *, into: int, version: int | None, actor: int | None, now: datetime
) -> Ticket:
    """The case of `ticket` goes on in `into`, which is answered; `version` is the one that was seen of `ticket`.

    Messages and interactions move there, and so do children, tasks that are not over (so they refuse nothing), notices
    that nobody has seen and the surveys behind it; followers, tags and customers are added to those of the
    target. The merged ticket is closed, keeps its number, fields and history, and owes nothing any more. There is no
    way back: the log's row of the target says what came from where.

    Raises Invalid for a ticket into itself or into one below it, Conflict where either was merged already, an open
    ticket into one that is over, and somebody who ties things to either at the same moment; Stale, NotFound.
    """
    if ticket == into:
        raise Invalid("A ticket cannot be merged into itself.", field="into")
    async with log.transaction() as tx:
        held = [row["id"] for row in await tx.connection.fetch(SQL.interactions, ticket)]
        children = [row["id"] for row in await tx.connection.fetch(SQL.children, ticket)]
        for interaction in held:
            await tx.lock_interaction(interaction)
        await tx.connection.execute(SQL.lock_families)
        await family.lock(tx, ticket, into, *children)
        source, target = await store.get(tx.connection, ticket), await store.get(tx.connection, into)
        await tickets.check_version(tx, source, version)
        await _check_merge(tx, source, target)
        moved = [row["id"] for row in await tx.connection.fetch(SQL.children, ticket)]
        if set(source.interactions) - set(held) or set(moved) - set(children):
            raise Conflict(f"Something was tied to #{source.number} at this moment; try again.")
        messages = [row["id"] for row in await tx.connection.fetch(SQL.move_messages, ticket, into)]
        await _move_work(tx, source, target, actor=actor, now=now)
        for interaction in source.interactions:
            await tx.verb("link_ticket", interaction, into, actor, now)
        for child in moved:
            await _adopt(tx, await store.get(tx.connection, child), into, actor=actor, now=now)
        owed = await sla.owed_since(tx, source)
        closed = await _close(tx, source, target, messages, actor=actor, now=now)
        return await _take_over(tx, closed, target, messages, asked_at=owed, actor=actor, now=now)


async def _check_merge(tx: Transaction, source: Ticket, target: Ticket) -> None:
    await family.check_unmerged(tx, source, target)
    if target.state in OVER and source.state not in OVER:
        raise Conflict(f"#{target.number} is {target.state}; reopen it first.")
    if source.id in [row["id"] for row in await tx.connection.fetch(SQL.above, target.id)]:
        raise Invalid(f"#{target.number} stands below #{source.number}; merge it the other way round.", field="into")


async def _move_work(tx: Transaction, source: Ticket, target: Ticket, *, actor: int | None, now: datetime) -> None:
    """Tasks that are not over, notices that nobody has seen, and the surveys that it was opened for."""
    await tx.connection.execute(SQL.move_notices, source.id, target.id, target.number)
    await tx.connection.execute(SQL.move_surveys, source.id, target.id)
    for row in await tx.connection.fetch(SQL.move_tasks, source.id, target.id, now):
        task = await task_store.get(tx.connection, row["id"])
        await tx.append(
            "task.changed",
            ticket=target.id,
            customer=target.customer,
            agent=task.user,
            queue=task.queue,
            actor=actor,
            version=task.version,
            data={**task.image(), "before_ticket": source.id},
            now=now,
        )


async def _adopt(tx: Transaction, child: Ticket, parent: int, *, actor: int | None, now: datetime) -> None:
    after = await write(tx, child, {"parent": parent}, actor=actor, now=now)
    data = {"changed": ["parent"], "parent": parent, "before_parent": child.parent}
    await append(tx, "ticket.changed", after, actor=actor, data=data, now=now)


async def _close(
    tx: Transaction, source: Ticket, target: Ticket, messages: Sequence[int], *, actor: int | None, now: datetime
) -> Ticket:
    changes: dict[str, Any] = {"state": TicketState.CLOSED, "merged_into": target.id}
    after = await write(tx, source, changes, actor=actor, now=now)
    if source.interactions:
        await remember(tx, source, after, "interactions", actor=actor, now=now)
    told = await family.tell(tx, "ticket.merged", after, {*source.followers, source.owner} - {actor}, now=now)
    data = {"changed": list(changes), "into": target.id, "messages": list(messages), "notified": told}
    await append(tx, "ticket.merged", after, actor=actor, data=data, now=now)
    await sla.end(tx, source, after, actor=actor, now=now)
    return replace(after, interactions=source.interactions)


async def _take_over(
    tx: Transaction, source: Ticket, target: Ticket, messages: Sequence[int], *, asked_at: datetime | None,
    actor: int | None, now: datetime,
) -> Ticket:  # fmt: skip
    """What the target gets of the ticket that was merged into it. A question that is open there is open here."""
    asks = target.customer if target.customer is not None else source.customer
    wanted: dict[str, Any] = {
        "customer": asks,
        "customers": tuple(sorted({*target.customers, *source.customers, source.customer} - {asks, None})),
        "followers": tuple(sorted({*target.followers, *source.followers})),
        "tags": tuple(sorted({*target.tags, *source.tags})),
    }
    if asked_at is not None and target.state is TicketState.PENDING:
        wanted["state"] = TicketState.OPEN
    changed = [name for name, value in wanted.items() if value != getattr(target, name)]
    after = await write(tx, target, wanted, actor=actor, now=now)
    await note(tx, after, "merged", None, source.id, actor=actor, now=now)
    if source.interactions:
        await remember(tx, target, after, "interactions", actor=actor, now=now)
    told = await family.tell(tx, "ticket.merged", after, {*target.followers, target.owner} - {actor}, now=now)
    data = {
        "changed": ["merged", *changed], "merged": source.id, "messages": list(messages),
        "interactions": list(source.interactions), "notified": told,
    }  # fmt: skip
    await append(tx, "ticket.merged", after, actor=actor, data=data, now=now)
    await sla.follow(tx, target, after, asked_at=asked_at, actor=actor, now=now)
    return after


async def split(
    log: ContactLog | Transaction,
    ticket: int,
    *,
    subject: str,
    message: int | None,
    interaction: int | None,
    actor: int | None,
    now: datetime,
) -> Ticket:
    """A new ticket of one message or one interaction of this one, which leaves it; both know of each other.

    Queue, priority, type, category and fields come along; so does the customer, unless the interaction has another one.
    Raises Invalid, Conflict for a merged ticket, and NotFound for what is no part of it.
    """
    if (message is None) == (interaction is None):
        raise Invalid("Say what is to be a ticket of its own: one message, or one interaction.", field="message")
    async with log.transaction() as tx:
        if interaction is not None:
            await tx.lock_interaction(interaction)
        await tx.lock_ticket(ticket)
        before = await store.get(tx.connection, ticket)
        await family.check_unmerged(tx, before)
        if interaction is not None and interaction not in before.interactions:
            raise NotFound(f"#{before.number} has no interaction {interaction}.")
        theirs = None if interaction is None else await tx.connection.fetchval(store.SQL.customer_of, interaction)
        new = await tickets.open_ticket(
            tx,
            subject=subject,
            customer=theirs if theirs is not None else before.customer,
            interaction=interaction,
            queue=before.queue,
            priority=before.priority,
            category=before.category,
            text=None,
            more={"type": before.type, "fields": dict(before.fields)},
            actor=actor,
            now=now,
        )
        if message is not None and not await tx.connection.fetchval(SQL.move_message, ticket, message, new.id):
            raise NotFound(f"#{before.number} has no message {message}.")
        await tx.connection.execute(SQL.relate, ticket, new.id, "split", actor, now)
        after = await write(tx, before, {}, actor=actor, now=now)
        part = "interactions" if message is None else "messages"
        await note(tx, after, part, message or interaction, None, actor=actor, now=now)
        data = {"changed": [part, "related"], "split": new.id, "message": message, "interaction": interaction}
        await append(tx, "ticket.split", after, actor=actor, data=data, now=now)
    return new


async def relate(log: ContactLog | Transaction, ticket: int, *, to: int, actor: int | None, now: datetime) -> Ticket:
    """Both have to do with each other; a second time changes nothing. Raises Invalid, NotFound."""
    return await _tie(log, ticket, to, SQL.relate, ("related", actor, now), actor=actor, now=now)


async def unrelate(log: ContactLog, ticket: int, *, to: int, actor: int | None, now: datetime) -> Ticket:
    """They have nothing to do with each other any more; what a ticket was split from stays."""
    return await _tie(log, ticket, to, SQL.unrelate, (), actor=actor, now=now)


async def _tie(
    log: ContactLog | Transaction,
    ticket: int,
    to: int,
    query: str,
    arguments: tuple[object, ...],
    *,
    actor: int | None,
    now: datetime,
) -> Ticket:
    if ticket == to:
        raise Invalid("A ticket has to do with itself anyway.", field="ticket")
    async with log.transaction() as tx:
        await family.lock(tx, ticket, to)
        before, other = await store.get(tx.connection, ticket), await store.get(tx.connection, to)
        if not await tx.connection.fetchval(query, ticket, to, *arguments):
            return before
        after = before
        for each, peer in ((other, before), (before, other)):
            after = await write(tx, each, {}, actor=actor, now=now)
            was, became = (None, peer.id) if query == SQL.relate else (peer.id, None)
            await note(tx, after, "related", was, became, actor=actor, now=now)
            data = {"changed": ["related"], "related": peer.id, "tied": query == SQL.relate}
            await append(tx, "ticket.changed", after, actor=actor, data=data, now=now)
    return after

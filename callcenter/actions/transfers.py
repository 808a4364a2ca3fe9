"""Work that is written goes on with somebody else: in a queue, or with a colleague who is asked at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from callcenter.actions.interactions import RESERVED_FOR
from callcenter.domain.events import Event
from callcenter.domain.interaction import OFFERED_WORK
from callcenter.errors import Conflict, Invalid
from callcenter.store.log import ContactLog, Transaction
from callcenter.store.transfers import SQL

LONGEST_NOTE = 2_000  # characters
# Whoever hands over gets nothing new for so long: else it might come straight back to them.
APART = timedelta(seconds=5)


async def hand_over(
    log: ContactLog,
    reservation: int,
    *,
    queue: int | None = None,
    agent: int | None = None,
    note: str | None,
    actor: int,
    now: datetime,
) -> Sequence[Event]:
    """The holder's part ends without a wrap-up, and the customer keeps their place: in `queue`, or where they are and
    offered to `agent`. When that colleague does not take it, it waits for anybody.

    `note`: what colleagues read beside the conversation and on its ticket, and the customer does not. Raises Invalid
    for one that is too long, Conflict when it is no longer in hand or the agent cannot take it now; then nothing has
    changed.
    """
    note = (note or "").replace("\x00", "").strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"A note has at most {LONGEST_NOTE} characters.", field="note")
    if (queue is None) == (agent is None):
        raise Invalid("Name a queue or an agent.", field="to")
    async with log.transaction() as tx:
        held = await tx.connection.fetchrow(SQL.held, reservation)
        if held is None or held["channel"] == "phone" or held["pbx"]:
            raise Conflict("This contact is not in hand any more.")
        if held["channel"] in OFFERED_WORK:
            raise Conflict("Tickets and tasks are passed on by changing whose they are.")
        if agent is not None and agent == held["agent_id"]:
            raise Conflict("They have this contact in hand already.")
        message = await _note(tx, held["interaction_id"], note, actor=actor, now=now)
        if not await tx.verb("hand_over", reservation, queue, agent, actor, APART, message, now):
            raise Conflict("This contact is not in hand any more.")
        if (
            message is not None
        ):  # behind the locks that the verb takes: the ticket is followed by what is searched of it
            await tx.connection.execute(SQL.note_on_ticket, message)
        if agent is not None:
            why = {"reason": "transfer", "by": held["holder"]}
            asked = await tx.verb(
                "reserve", held["interaction_id"], None, agent, None, "transfer", why, now + RESERVED_FOR, now
            )
            if not asked:
                raise Conflict("The agent has another offer, too much in hand for it, or takes none.")
    return tuple(tx.events)


async def _note(tx: Transaction, interaction: int, note: str, *, actor: int, now: datetime) -> int | None:
    return await tx.connection.fetchval(SQL.note, interaction, actor, note, now) if note else None

"""What an agent writes back in a contact, on the way by which it came."""

import secrets
from datetime import datetime, timedelta

from callcenter.actions import chats, gateway_out, tickets
from callcenter.actions import ticket_values as values
from callcenter.domain.interaction import Channel
from callcenter.errors import Conflict, NotFound
from callcenter.store.chats import SQL as CHATS
from callcenter.store.gateways import SQL
from callcenter.store.log import ContactLog


async def reply(
    log: ContactLog,
    interaction: int,
    *,
    text: str,
    actor: int,
    now: datetime,
    hold: timedelta = timedelta(0),
) -> None:
    """On its ticket where it has one, since that stops the ticket's clocks; in a chat it is the next line.
    `hold`: how long a letter waits, and can be taken back.

    Raises NotFound, Invalid for no text, Conflict where nobody can be written to.
    """
    body = values.text(text)
    if await log.pool.fetchval(CHATS.is_chat, interaction):
        await chats.say(log, interaction, author=actor, text=body, client_id=secrets.token_hex(16), now=now)
        return
    async with log.transaction() as tx:
        await tx.lock_interaction(interaction)
        row = await tx.connection.fetchrow(SQL.answerable, interaction)
        if row is None:
            raise NotFound(f"There is no interaction {interaction}.")
        if row["channel"] not in (Channel.MESSAGE, Channel.EMAIL, Channel.FORM):
            raise Conflict("Nothing can be written back to a contact of this kind.")
        if row["ticket_id"] is not None:
            await tickets.reply(
                tx, row["ticket_id"], text=body, public=True, actor=actor, now=now, hold=hold, contact=interaction
            )
            return
        if row["channel"] != Channel.MESSAGE:
            raise Conflict("There is no ticket to answer on; open one first.")
        message = await tx.connection.fetchval(SQL.add_text, interaction, None, actor, "outbound", body, now)
        if await gateway_out.put(tx, interaction, message=message, now=now) is None:
            raise Conflict("It came through no gateway that takes answers.")
        await tx.append(
            "message.written", interaction=interaction, customer=row["customer_id"], agent=row["agent_id"],
            queue=row["queue_id"], actor=actor, data={"message": message}, now=now,
        )  # fmt: skip

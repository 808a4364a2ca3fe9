"""To whom an answer on a ticket goes, as the console says it above the box in which it is written."""

from collections.abc import Mapping

from callcenter.store import correspondents
from callcenter.store.answers import SQL as ANSWERS
from callcenter.store.pool import Pool


async def receiver_of(pool: Pool, ticket: int, *, contact: int | None = None) -> Mapping[str, object] | None:
    """For `mail/_receiver.html`; of an answer in `contact`, where it is given. None: nothing can be sent to anybody."""
    whom = await correspondents.answered(pool, ticket, contact=contact)
    if whom is None:
        return None
    return {
        "address": whom.address,
        "name": whom.name or "",
        "stranger": whom.stranger,
        "returned": await pool.fetchrow(ANSWERS.bounced, whom.address, whom.wrote_at),
    }

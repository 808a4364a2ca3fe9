"""Who may read an interaction, act on it, and end or wrap up what is in hand: one rule for REST and consoles."""

import asyncpg
from aiohttp import web

from callcenter.domain.agent import Role
from callcenter.domain.interaction import Channel
from callcenter.errors import Conflict, Forbidden
from callcenter.web.auth import identity
from callcenter.web.interactions import standing
from callcenter.web.keys import POOL


async def readable(request: web.Request, ident: int) -> asyncpg.Record:
    """Agents read their own work, and what is over and belongs to a customer. Raises Forbidden, NotFound."""
    who, row = identity(request), await _standing(request, ident)
    return _allowed(row, who.may(Role.SUPERVISOR) or row["own"] or (row["closed"] and row["customer_id"] is not None))


async def actable(request: web.Request, ident: int) -> asyncpg.Record:
    """Agents act on what they have or had a part in. Raises Forbidden, NotFound."""
    who, row = identity(request), await _standing(request, ident)
    return _allowed(row, who.may(Role.SUPERVISOR) or row["own"])


async def in_hand(request: web.Request, ident: int) -> asyncpg.Record:
    """With a live `reservation`: one's own, or for a supervisor anybody's. Raises Forbidden, NotFound, Conflict."""
    who, row = identity(request), await actable(request, ident)
    if row["reservation"] is None or not (who.may(Role.SUPERVISOR) or row["holder"] == who.user_id):
        raise Conflict("Nobody has it in hand." if row["reservation"] is None else "Somebody else has it in hand.")
    return row


async def writable(request: web.Request, ident: int) -> asyncpg.Record:
    """In a chat whoever has it in hand writes; what is sent can be answered later too, by whoever had a part in it.

    Raises Forbidden, NotFound, Conflict.
    """
    row = await actable(request, ident)
    return await in_hand(request, ident) if row["channel"] == Channel.CHAT else row


async def _standing(request: web.Request, ident: int) -> asyncpg.Record:
    return await standing(request.app[POOL], ident, asks=identity(request).user_id)


def _allowed(row: asyncpg.Record, allowed: bool) -> asyncpg.Record:
    if not allowed:
        raise Forbidden("This is the work of somebody else.")
    return row

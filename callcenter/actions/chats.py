"""What can be done to a chat: open it, say something, read, leave, come back, and end it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from callcenter.actions import interactions, outbox, uploads
from callcenter.actions.outbox import NewLetter
from callcenter.domain.chat import (
    GRACE_TALKING,
    GRACE_WAITING,
    Line,
    Side,
    Visitor,
    check_client_id,
    check_email,
    check_text,
    token_hash,
)
from callcenter.domain.customer import AddressKind
from callcenter.domain.interaction import Channel, State
from callcenter.errors import Conflict, Invalid
from callcenter.store import chats as store
from callcenter.store.chats import SQL, Chat, Widget
from callcenter.store.log import ContactLog, Transaction

_WAITING = (State.NEW, State.QUEUED, State.OFFERED)
_LONGEST_TITLE = 200
TRANSCRIPT = "transcript"
_LONGEST_TRANSCRIPT = 1000
# To one address; the door limits them by where they are asked for.
_MOST_TRANSCRIPTS = 3
_TRANSCRIPTS_WITHIN = timedelta(days=1)


def owner_of(chat: int) -> str:
    """To whom a visitor's uploads belong until they are sent."""
    return f"chat:{chat}"


async def open_chat(log: ContactLog, visitor: Visitor, *, widget: Widget, node: int | None, now: datetime) -> Chat:
    """Puts the visitor into the widget's queue. The same token again answers the chat that it opened."""
    address = visitor.address()
    title = None if visitor.page_title is None else visitor.page_title[:_LONGEST_TITLE]
    async with log.transaction() as tx:
        digest = token_hash(visitor.token)
        events = await tx.verb(
            "arrive",
            Channel.CHAT,
            "inbound",
            digest.hex(),
            None,
            None,
            address.kind,
            address.value,
            visitor.called,
            None,
            None,
            widget.queue,
            0,
            State.QUEUED,
            None,
            now,
            {"language": visitor.language},
        )
        if events:
            ident, customer = events[0].interaction, events[0].customer
            assert ident is not None
            await tx.connection.execute(
                SQL.add, ident, widget.id, digest, visitor.identity, visitor.language, visitor.page, title, node
            )
            await _prove(tx, ident, customer, visitor, now=now)
    chat = await store.of_token(log.pool, visitor.token)
    assert chat is not None
    return chat


async def _prove(tx: Transaction, interaction: int, customer: int | None, visitor: Visitor, *, now: datetime) -> None:
    """The site's own number of its visitor finds the customer before any address does."""
    proof = visitor.proof
    if proof is None:
        return
    if proof.sub is not None:
        found = await tx.connection.fetchval(SQL.of_customer, proof.sub)
        if found is not None and found != customer:
            await tx.verb("identify", interaction, found, None, now)
            customer = found
    if customer is not None and proof.email is not None:
        await tx.connection.execute(SQL.prove, customer, AddressKind.EMAIL, proof.email)


async def say(
    log: ContactLog,
    chat: int,
    *,
    author: int | None,
    text: str,
    client_id: str,
    now: datetime,
    files: Sequence[int] = (),
) -> Line:
    """One more line by an agent, or by the visitor (`author` None), exactly once for a `client_id` of its sender.

    `files`: uploads of the sender's. Raises Invalid for a bad text, Conflict when the chat is over or not taken yet.
    """
    text = check_text(text, empty=bool(files))
    check_client_id(client_id)
    facts = (chat, author, text, client_id, now)
    if not files:
        events = await log.write("chat_say", *facts)
    else:
        owner = owner_of(chat) if author is None else f"user:{author}"
        async with log.transaction() as tx:
            events = tuple(await tx.verb("chat_say", *facts))
            if events:
                await uploads.bind(tx, files, message=events[0].data["message"], owner=owner)
    if events:
        data = events[0].data
        return Line(data["line"], data["message"], author, text, client_id, now)
    known = await store.line(log.pool, chat, by_visitor=author is None, client_id=client_id)
    if known is not None:
        return known
    found = await store.get(log.pool, chat)
    raise Conflict("This chat is over." if not found.open else "Nobody has taken this chat yet.")


async def read(log: ContactLog, chat: int, *, reader: int | None, upto: int, now: datetime) -> None:
    """An agent, or the visitor (`reader` None), has seen the lines up to this one. Nothing when that is known."""
    if upto < 1:
        raise Invalid("Lines are counted from 1.", field="upto")
    await log.write("chat_read", chat, reader, min(upto, 2**31 - 1), now)


async def close(log: ContactLog, chat: Chat, *, by: Side, cause: str, now: datetime) -> bool:
    """The visitor left, or an agent ended it; whether it was open. What nobody took is an abandon."""
    if by is Side.VISITOR and chat.state in _WAITING:
        outcome = interactions.abandon_outcome(chat.queued_at, now)
        left = await interactions.leave_unserved(
            log, chat.interaction, outcome=outcome, cause=cause, node=None, now=now
        )
        if left:
            return True
    # Somebody may have taken it at the same moment.
    return bool(await interactions.end_interaction(log, chat.interaction, cause=cause, now=now))


async def come(log: ContactLog, chat: int, *, node: int, page: str | None, page_title: str | None) -> None:
    """The visitor has a connection to this node. No fact of the log: pages change all the time."""
    title = None if page_title is None else page_title[:_LONGEST_TITLE]
    await log.pool.execute(SQL.arrive_page, chat, node, page, title)


async def leave(log: ContactLog, chat: int, *, node: int, now: datetime) -> None:
    """Their last connection to this node is gone; unless they come back in time, the chat ends."""
    await log.pool.execute(SQL.leave_page, chat, node, now)


async def close_left(log: ContactLog, *, node: int | None, now: datetime) -> int:
    """Ends the chats whose visitors did not come back; how many. `node`: one that has just begun, without visitors."""
    await log.pool.execute(SQL.lose, now, node)
    ended = 0
    for row in await log.pool.fetch(SQL.gone, now - GRACE_WAITING, now - GRACE_TALKING):
        chat = await store.get(log.pool, row["interaction_id"])
        ended += await close(log, chat, by=Side.VISITOR, cause="visitor_left", now=now)
    await log.pool.execute(SQL.settle)
    return ended


async def send_transcript(log: ContactLog, chat: int, *, address: str, now: datetime) -> None:
    """By mail, to where the visitor says. Raises Invalid; Conflict where nobody has answered yet, or it was sent often.

    Else anybody could write to anybody by us, as often as they like.
    """
    recipient = check_email(address)
    if recipient is None:
        raise Invalid("Say to which address.", field="email")
    async with log.transaction() as tx:
        await tx.lock_interaction(chat)
        found = await store.get(tx.connection, chat)
        said = await store.lines(tx.connection, chat, limit=_LONGEST_TRANSCRIPT)
        if all(line.author is None for line in said):
            raise Conflict("Nobody has answered yet.")
        lately = now - _TRANSCRIPTS_WITHIN
        if await tx.connection.fetchval(SQL.transcripts, recipient, TRANSCRIPT, lately) >= _MOST_TRANSCRIPTS:
            raise Conflict("It has been sent already.")
        names = {row["id"]: row["full_name"] for row in await tx.connection.fetch(SQL.authors, chat)}
        lines = [
            {"name": None if line.author is None else names[line.author], "text": line.text, "at": line.at.isoformat()}
            for line in said
        ]
        letter = NewLetter(
            recipient=recipient,
            recipient_name=found.name,
            language=found.language,
            template=TRANSCRIPT,
            data={"lines": lines},
            interaction=chat,
            customer=found.customer,
            queue=found.queue,
            thread={"auto": "auto-generated"},
        )
        await outbox.put(tx, letter, now=now)

"""What an act on a ticket sets going, within its transaction: whoever sees the act sees what the rules made of it."""

from datetime import datetime

from callcenter.actions import automations, tasks
from callcenter.actions.rules import carry_out, load_case
from callcenter.domain.events import Event
from callcenter.domain.rules import Chain, Happening
from callcenter.store import tickets as ticket_store
from callcenter.store.directory import Directory
from callcenter.store.log import Transaction
from callcenter.store.rules import SQL, Rulebook

# Of `changed` in a log row: what is no field.
_NO_FIELDS = frozenset({"replied", "interactions"})


class Reactions:
    """What a transaction sets going: given to the log as `before_commit`. Without rules it costs a comparison."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self, tx: Transaction) -> None:
        book = self._directory.rules
        if not (book.triggers or book.automations or book.checklists):
            return
        chains: dict[int, Chain] = {}
        # What automations ask of a ticket (its customer's tier) or count from (what is due) may be another.
        touched: dict[int, datetime | None] = dict.fromkeys(tx.promised)
        seen = 0
        while seen < len(tx.events):
            # What a rule does comes behind, and is looked at in its turn.
            event = tx.events[seen]
            seen += 1
            if event.ticket is None or event.noun not in ("ticket", "task", "sla"):
                continue
            touched[event.ticket] = event.at if _is_touch(event) else touched.get(event.ticket)
            # A rule's own step was asked already: it fails by itself, not with the act that set it off.
            resolves = event.kind in ("ticket.resolved", "ticket.closed") and "rule" not in event.data
            if book.checklists and resolves:
                await tasks.refuse_unfinished(tx, event.ticket)
            if words := _words(event):
                chain = chains.setdefault(event.ticket, Chain(book.triggers))
                text = await _text(tx, event) if _asks_text(book, words) else ""
                chain.add(Happening(words, _fields(event), text, _by(event)))
                await self._fire(tx, event.ticket, chain, event.at)
        if book.automations and touched:
            moments = [*tx.promised.values(), *(event.at for event in tx.events[-1:])]
            await automations.set_timers(tx, self._directory, touched, now=max(moments))

    async def _fire(self, tx: Transaction, ident: int, chain: Chain, now: datetime) -> None:
        """What the latest happening sets off."""
        while not chain.over:
            case = await load_case(tx, self._directory, ident, now=now)
            if (trigger := chain.next(case.view)) is not None:
                await carry_out(tx, self._directory, case, f"trigger:{trigger.name}", trigger.then, actor=None, now=now)


def _is_touch(event: Event) -> bool:
    """Whether people did it, on our side or the customer's."""
    return event.actor is not None or event.kind in ("ticket.opened", "ticket.linked")


def _words(event: Event) -> frozenset[str]:
    """How triggers call it."""
    word = event.kind.partition(".")[2]
    if event.kind == "task.done":
        return frozenset({"task_done", "tasks_done"} if event.data.get("left") == 0 else {"task_done"})
    if event.kind == "task.cancelled":
        return frozenset({"tasks_done"} if event.data.get("left") == 0 else ())
    if event.noun != "ticket":
        return frozenset()
    words = {word if event.data.get("public", True) else "noted"}
    return frozenset(words | {"changed"} if _fields(event) else words - {"changed"})


def _fields(event: Event) -> frozenset[str]:
    return frozenset(event.data.get("changed", ())) - _NO_FIELDS


def _by(event: Event) -> str:
    if event.actor is not None:
        return "person"
    return "rule" if "rule" in event.data else "system"


def _asks_text(book: Rulebook, words: frozenset[str]) -> bool:
    return any(each.on & words and ("text" in each.when or "text" in each.unless) for each in book.triggers)


async def _text(tx: Transaction, event: Event) -> str:
    """What was written: in the message of the event; of a new ticket all that there is."""
    written: str = await tx.connection.fetchval(SQL.written, event.ticket, event.data.get("message"))
    if event.kind == "ticket.opened" and event.ticket is not None:
        ticket = await ticket_store.get(tx.connection, event.ticket)
        return f"{ticket.subject}\n{written}"
    return written

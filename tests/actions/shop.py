"""People, queues and the actions on tickets, with the rules that stand behind them."""

from collections.abc import Sequence
from typing import Any

from callcenter import toml
from callcenter.actions import automations, organisation, tickets
from callcenter.actions.reactions import Reactions
from callcenter.domain.organisation_file import understand
from callcenter.store import tickets as store
from callcenter.store.directory import Directory
from tests.builders import later

HOUR = 3600
REMIND = """
[[automations]]
name = "remind"
since = "pending"
after = "2h"
then = [{ reply = "Did you see our answer?" }]
[[automations]]
name = "give_up"
since = "pending"
after = "4h"
then = [{ set = { state = "resolved" } }, { note = "No answer." }]
[[automations]]
name = "close"
since = "resolved"
after = "24h"
then = [{ set = { state = "closed" } }]
"""
PEOPLE = """
[organisation]
name = "Heronbay"
timezone = "Asia/Shanghai"
[[users]]
name = "sue"
full_name = "Sue"
role = "supervisor"
[[users]]
name = "amy"
full_name = "Amy Chen"
role = "agent"
manager = "sue"
[[users]]
name = "bo"
full_name = "Bo"
role = "agent"
manager = "sue"
[[hours]]
name = "office"
timezone = "Asia/Shanghai"
weekly = { tue = ["09:00-18:00"], wed = ["09:00-18:00"] }
[[queues]]
name = "support"
members = ["amy", "bo"]
[[queues]]
name = "tier2"
members = ["bo"]
"""


class Shop:
    """The actions, with the rules that stand behind them."""

    def __init__(self, log: Any, directory: Directory) -> None:
        self.log = log
        self.directory = directory
        self.said: list[Any] = []
        log.listen(self.said.extend)
        log.before_commit = Reactions(directory)

    async def apply(self, text: str, at: float = 0) -> None:
        file = understand(toml.parse(text, "org.toml"), {})
        await organisation.apply(self.log, file, prune=False, actor=None, now=later(at))
        await self.directory.load()

    def user(self, name: str) -> int:
        return self.directory.user_named(name).id

    async def open(self, at: float = 0, **more: Any) -> Any:
        given: dict[str, Any] = {"subject": "No hot water", "customer": None, "interaction": None, "queue": None}
        given |= {"priority": "normal", "text": None, "actor": self.user("amy"), "now": later(at)}
        opened = await tickets.open_ticket(self.log, **{**given, **more})
        return await self.now(opened)

    async def change(self, ticket: Any, at: float = 1, **changes: Any) -> Any:
        given: dict[str, Any] = {"version": None, "actor": self.user("amy"), "now": later(at)}
        await tickets.change(self.log, ticket.id, changes=changes, **given)
        return await self.now(ticket)

    async def now(self, ticket: Any) -> Any:
        return await store.get(self.log.pool, ticket.id)

    async def texts(self, ticket: Any) -> list[tuple[str, bool, str | None]]:
        return [(each.text, each.public, each.author) for each in await store.messages(self.log.pool, ticket.id)]

    async def sweep(self, at: float) -> int:
        return await automations.sweep(self.log, self.directory, now=later(at))

    async def walk(self, at: float) -> int:
        found = 0
        while done := await automations.walk(self.log, self.directory, now=later(at)):
            found += done
        return found

    def rules_in(self, *kinds: str) -> list[tuple[str, str]]:
        """What rules did, as the log tells it."""
        return [
            (event.kind, event.data["rule"])
            for event in self.said
            if "rule" in event.data and (not kinds or event.kind in kinds)
        ]

    async def notices(self, name: str) -> Sequence[str]:
        rows = await self.log.pool.fetch("select kind from notice where user_id = $1 order by id", self.user(name))
        return [row["kind"].removeprefix("task_") for row in rows]

"""Who of the demo's agents was on duty, and who was free: in the past too nobody talked to two callers at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from callcenter.domain.agent import Role
from callcenter.domain.needs import LANGUAGE
from callcenter.store.directory import Queue, User

# (from, until) in hours; 31 is seven in the morning. Days are more in demand than nights.
_SHIFTS = ((7, 15), (9, 18), (14, 23), (9, 18), (22, 31))
_FLUENT = 3
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Staff:
    """Knows until when everybody is busy, as contacts are told in the order of their arrival."""

    def __init__(self, users: Mapping[int, User]) -> None:
        self._users = {ident: user for ident, user in users.items() if user.role is Role.AGENT and user.active}
        self._place = {ident: n for n, ident in enumerate(sorted(self._users))}
        self._busy: dict[int, datetime] = {}

    def first_name(self, agent: int) -> str:
        """As colleagues call them: the part in Latin letters, or the sign-in name."""
        user = self._users[agent]
        first = user.full_name.split()[0]
        return first if first.isascii() or first[0] < "\u2e80" else user.name.capitalize()

    def endpoint(self, agent: int) -> str | None:
        return self._users[agent].endpoint

    def on_duty(self, agent: int, local: datetime) -> bool:
        place = self._place[agent]
        begin, end = _SHIFTS[place % len(_SHIFTS)]
        if (local.weekday() + place) % 7 < 2:
            return False
        return begin <= local.hour < end or begin <= local.hour + 24 < end

    def pick(
        self, queue: Queue, local: datetime, *, language: str, dice: Random, prefer: int | None = None
    ) -> list[int]:
        """Members in the order in which they would be asked: the free first, those longest idle before others."""
        skill = f"{LANGUAGE}{'zh' if language.startswith('zh') else 'en'}"
        members = [ident for ident in sorted(queue.members) if ident in self._users]
        fluent = [ident for ident in members if self._users[ident].skills.get(skill, 0) >= _FLUENT] or members
        present = [ident for ident in fluent if self.on_duty(ident, local)] or fluent
        if prefer in present and dice.random() < 0.4 and self.free_from(prefer, local) == local:
            return [prefer, *(ident for ident in present if ident != prefer)]
        return sorted(present, key=lambda ident: (self._busy.get(ident, _LONG_AGO), ident))

    def free_from(self, agent: int | None, at: datetime) -> datetime:
        return at if agent is None else max(at, self._busy.get(agent, at))

    def occupy(self, agent: int, until: datetime) -> None:
        self._busy[agent] = max(until, self._busy.get(agent, until))

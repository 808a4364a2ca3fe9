"""Who is meant by the words of an escalation or a rule, and how they are told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.actions.people import people
from callcenter.domain.agent import Role
from callcenter.domain.notice import Way
from callcenter.store.directory import Directory, User
from callcenter.store.tickets import Ticket


@dataclass(slots=True)
class Recipients:
    """Of one ticket as it stands."""

    directory: Directory
    ticket: Ticket

    def of(self, kind: str, name: str = "") -> list[User]:
        """Those who work here, of the words `kind:name`; empty: they lead to nobody."""
        users = self.directory.users
        match kind:
            case "followers":
                found = [users[ident] for ident in self.ticket.followers if ident in users]
            case "supervisors":
                found = list(self._supervisors())
            case _:
                return people(self.directory, f"{kind}:{name}", owner=self.ticket.owner)
        return [user for user in found if user.active]

    def somebody(self) -> list[User]:
        """All supervisors, where nobody else can be found; administrators, where there are none."""
        return self.of("role", Role.SUPERVISOR) or self.of("role", Role.ADMINISTRATOR)

    def opening(self, user: User, now: datetime) -> datetime:
        """When they may be disturbed: in their own hours, or those of the ticket's queue; now where there are none."""
        queue = self.directory.queues.get(self.ticket.queue or 0)
        hours = user.hours or (queue.hours if queue is not None else None)
        return (hours.next_opening(now) if hours is not None else None) or now

    def _supervisors(self) -> Iterator[User]:
        """Of the ticket's queue: supervisors who are members of it or manage a member."""
        queue = self.directory.queues.get(self.ticket.queue or 0)
        users = self.directory.users
        members = [users[ident] for ident in sorted(queue.members) if ident in users] if queue is not None else []
        idents = {member.id for member in members} | {member.manager for member in members}
        for ident in sorted(ident for ident in idents if ident is not None):
            user = users.get(ident)
            if user is not None and user.role in (Role.SUPERVISOR, Role.ADMINISTRATOR):
                yield user


def ways(user: User, by: Sequence[Way] | None) -> tuple[Way, ...]:
    """Those besides the console by which they can be reached: these ones, or (None) as they prefer."""
    able = {Way.EMAIL: user.email, Way.PHONE: user.phone or user.endpoint}
    return tuple(way for way in (user.notify if by is None else by) if able[way])

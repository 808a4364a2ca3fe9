"""Writes told stories down as rows: interactions with offers and legs, messages, tickets with notes, customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.demo.course import Course, Try
from callcenter.demo.opinions import Opinions
from callcenter.demo.people import Person
from callcenter.demo.staff import Staff
from callcenter.demo.stories import Step, Story, Telling
from callcenter.domain.customer import AddressKind
from callcenter.domain.interaction import Channel, Outcome
from callcenter.domain.ticket import TicketState
from callcenter.store.bulk import Batch
from callcenter.store.directory import Queue

_OVER = (TicketState.RESOLVED, TicketState.CLOSED)
# Nobody writes again: taken as solved; and a while after that, filed.
_PATIENCE = timedelta(days=5)
_FILED_AFTER = timedelta(days=7)
_SILENCE = {
    "en": "Nothing more was heard; taken as solved.",
    "zh_CN": "客户未再联系，视为已解决。",
    "zh_TW": "客戶未再聯繫，視為已解決。",
}


@dataclass(slots=True, eq=False)
class Case:
    """A ticket while its story goes on."""

    ident: int
    story: Story
    subject: str
    language: str
    queue: int
    customer: int
    opened_by: int
    owner: int
    opened_at: datetime
    changed_at: datetime
    state: TicketState = TicketState.NEW
    changes: int = 1


class Scribe:
    def __init__(self, staff: Staff, until: datetime) -> None:
        self.batch = Batch()
        self._staff = staff
        self._until = until
        self._cases: list[Case] = []
        self._interactions = 0
        self._reservations = 0
        self._first_contact: dict[int, datetime] = {}
        self._opinions = Opinions(until)

    def open_case(self, story: Story, telling: Telling, customer: int, queue: Queue, happened: Course) -> Case:
        """The ticket that the agent opens while the customer is still there."""
        agent, subject, at = happened.agent, telling.say(story.ticket), happened.ended
        assert agent is not None
        assert subject is not None
        language = telling.language if telling.language in _SILENCE else "en"
        case = Case(len(self._cases) + 1, story, subject, language, queue.id, customer, agent, agent, at, at)
        self._cases.append(case)
        return case

    def write_contact(
        self,
        person: Person,
        telling: Telling,
        step: Step,
        happened: Course,
        queue: Queue,
        case: Case | None,
        *,
        stranger: bool,
        address: tuple[AddressKind, str] | None,
    ) -> None:
        self._interactions += 1
        ident = self._interactions
        handled = happened.outcome is Outcome.HANDLED
        note = telling.say(step.note) if handled else None
        phone = step.channel is Channel.PHONE
        kind, value = address if address is not None else (None, "" if phone else None)
        unique = f"{int(happened.arrived.timestamp())}.{ident}"
        self.batch.add(
            "interaction",
            ident,
            step.channel,
            step.direction,
            "closed",
            happened.outcome,
            f"default/{unique}" if phone else f"{step.channel}-{ident:06}",
            "default" if phone else None,
            f"PJSIP/trunk-{ident:08x}" if phone else None,
            None if stranger else person.number,
            queue.id,
            happened.agent,
            case.ident if case is not None else None,
            kind,
            value,
            person.name if phone and kind and person.name.isascii() and ident % 2 else None,
            queue.numbers[0] if phone and step.direction == "inbound" and queue.numbers else None,
            telling.say(step.subject),
            happened.arrived,
            happened.queued,
            happened.answered,
            happened.ended,
            happened.over,
            step.disposition if handled else None,
            note,
            happened.cause,
            len(happened.tries),
            3 * len(happened.tries) + (4 if handled else 2),
        )
        for number, attempt in enumerate(happened.tries, start=1):
            self._write_try(ident, number, attempt, happened, step, queue=queue.id, note=note)
        if handled and not stranger and (row := self._opinions.after(ident, person, queue, happened)):
            self.batch.add("survey", *row)
        if not stranger:
            self._first_contact.setdefault(person.number, happened.arrived)
        self._write_messages(ident, telling, step, happened, case)
        if case is not None and handled:
            self._write_note(ident, case, step, happened, note or "")

    def _write_try(
        self, ident: int, number: int, attempt: Try, happened: Course, step: Step, *, queue: int, note: str | None
    ) -> None:
        self._reservations += 1
        answered = attempt.answered is not None
        self.batch.add(
            "reservation",
            self._reservations,
            ident,
            attempt.agent,
            queue,
            number,
            step.channel,
            attempt.state,
            attempt.reason,
            attempt.reserved,
            attempt.offered,
            attempt.answered,
            happened.ended if answered else None,
            attempt.ended,
            step.disposition if answered else None,
            note if answered else None,
        )
        endpoint = self._staff.endpoint(attempt.agent) if step.channel is Channel.PHONE else None
        self.batch.add(
            "segment",
            ident,
            number,
            attempt.agent,
            self._reservations,
            f"{endpoint}-{self._reservations:08x}" if endpoint else None,
            endpoint,
            attempt.offered,
            attempt.answered,
            happened.ended if answered else attempt.ended,
            happened.hold if answered else timedelta(),
            happened.cause if answered else attempt.reason,
        )

    def _write_messages(self, ident: int, telling: Telling, step: Step, happened: Course, case: Case | None) -> None:
        ticket = case.ident if case is not None else None
        if text := telling.say(step.text):
            self.batch.add("message", ident, ticket, None, "inbound", True, text, happened.arrived)
        if happened.agent is not None and (reply := telling.say(step.reply)):
            self.batch.add("message", ident, ticket, happened.agent, "outbound", True, reply, happened.ended)

    def _write_note(self, ident: int, case: Case, step: Step, happened: Course, note: str) -> None:
        self.batch.add("message", ident, case.ident, happened.agent, "note", False, note, happened.over)
        case.changed_at = happened.over
        if step.state is not None:
            case.state = step.state
            case.changes += 1
        if happened.agent is not None and case.state not in _OVER:
            case.owner = happened.agent

    def close_cases(self) -> None:
        """Tickets of stories that stopped: solved by silence, then filed; those of the last days stay open."""
        for case in self._cases:
            if case.state not in _OVER and case.changed_at + _PATIENCE < self._until:
                case.state, case.changed_at = TicketState.RESOLVED, case.changed_at + _PATIENCE
                case.changes += 1
                note = _SILENCE[case.language]
                self.batch.add("message", None, case.ident, case.owner, "note", False, note, case.changed_at)
            filed_at = case.changed_at + _FILED_AFTER
            filed = case.state is TicketState.RESOLVED and filed_at < self._until
            self.batch.add(
                "ticket",
                case.ident,
                1000 + case.ident,
                case.subject,
                TicketState.CLOSED if filed else case.state,
                case.story.priority,
                case.story.category,
                case.queue,
                case.owner,
                case.customer,
                case.opened_by,
                case.opened_at,
                filed_at if filed else case.changed_at,
                filed_at if filed else None,
                case.changes + filed,
            )

    def write_people(self, people: Sequence[Person], since: datetime, *, owners: Sequence[int]) -> None:
        """Every fifth became a customer with the first contact of this year; firms are shared out among the owners."""
        for person in people:
            created = person.created_at
            if person.number % 5 == 0:
                created = max(self._first_contact.get(person.number, created), since)
            self.batch.add(
                "customer",
                person.number,
                person.external_id,
                person.name,
                person.company,
                person.tier,
                person.language,
                person.note,
                owners[person.number % len(owners)] if person.company and owners else None,
                created,
            )
            for address in person.addresses:
                self.batch.add("address", person.number, address.kind, address.value, address.certainty, created)

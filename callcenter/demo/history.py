"""A year of contacts that did not happen: the same for the same seed, told in the order in which they would have."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, count
from random import Random
from zoneinfo import ZoneInfo

from callcenter.demo import course, pace
from callcenter.demo.course import Circumstances, Course
from callcenter.demo.people import Person, invent_people
from callcenter.demo.scribe import Case, Scribe
from callcenter.demo.staff import Staff
from callcenter.demo.stories import Step, Stories, Story, Telling
from callcenter.domain.customer import AddressKind
from callcenter.domain.interaction import Channel, Outcome
from callcenter.errors import Invalid
from callcenter.store.bulk import Batch
from callcenter.store.directory import Queue, User

YEAR = timedelta(days=365)
_CALLS_AGAIN = 0.85
# The refund's next step is later than that, so its ticket is open.
_WELL_KNOWN = {
    "pairing": timedelta(days=190),
    "error_e4": timedelta(days=64),
    "congee": timedelta(days=17),
    "refund_missing": timedelta(days=1, hours=2),
}
# A contact that nobody answered costs about this many more per story.
_GIVEN_UP = 1.06


@dataclass(frozen=True, slots=True)
class Size:
    customers: int = 2000
    interactions: int = 25_000


@dataclass(slots=True, eq=False)
class Plot:
    """A story that is happening to a person: where it stands."""

    person: Person
    story: Story
    telling: Telling
    queue: Queue
    abroad: bool
    step: int = 0
    given_up: int = 0
    agent: int | None = None
    case: Case | None = None
    persistent: bool = False


class History:
    """Tells all stories at once; `batch` has the rows afterwards."""

    def __init__(
        self,
        *,
        users: Mapping[int, User],
        queues: Mapping[int, Queue],
        timezone: str,
        until: datetime,
        seed: int,
        size: Size,
    ) -> None:
        self._dice = Random(seed)  # noqa: S311 - a story, no secret
        self._zone = ZoneInfo(timezone)
        self._until = until
        self.since = until - YEAR
        self._size = size
        self._staff = Staff(users)
        self._stories = Stories.load()
        self._queues = {queue.name: queue for queue in queues.values()}
        self._calendar = pace.Calendar(self.since, until, self._zone)
        self._agenda: list[tuple[datetime, int, Plot]] = []
        self._turn = count()
        self.people: list[Person] = []
        self._scribe = Scribe(self._staff, until)
        # Set from another thread when nobody wants to hear the rest.
        self.stopped = False

    @property
    def batch(self) -> Batch:
        return self._scribe.batch

    def tell(self) -> Batch:
        self._require_queues()
        self.people = invent_people(self._size.customers, dice=self._dice, since=self.since)
        for plot in self._plots():
            self._plan(self._calendar.first_contact(plot.queue, self._dice, abroad=plot.abroad), plot)
        self._plan_well_known(self.people[0])
        while self._agenda and not self.stopped:
            at, _, plot = heapq.heappop(self._agenda)
            if at >= self._until:
                break
            self._happen(at, plot)
        self._scribe.close_cases()
        business = self._queues.get("business")
        owners = sorted(business.members) if business is not None else []
        self._scribe.write_people(self.people, self.since, owners=owners)
        return self.batch

    def _plan_well_known(self, person: Person) -> None:
        """What everybody who tries the demo is to find: old stories, and one that is not over."""
        for story in self._stories.all:
            if (ago := _WELL_KNOWN.get(story.name)) is not None:
                plot = self._plot(person, story)
                plot.persistent = True
                at = self._calendar.soon_after(plot.queue, self._until - ago, self._dice, abroad=plot.abroad)
                self._plan(at, plot)

    def _require_queues(self) -> None:
        for story in self._stories.all:
            queue = self._queues.get(story.queue)
            missing = {step.disposition for step in story.steps} - set(queue.dispositions if queue else ())
            if queue is None or not queue.members:
                raise Invalid(f"The story {story.name} needs a queue {story.queue} with members in the organisation.")
            if missing:
                raise Invalid(
                    f"The story {story.name} needs dispositions of {story.queue}: {', '.join(sorted(missing))}."
                )

    def _plots(self) -> list[Plot]:
        """Some people are in touch all the time, most now and then."""
        weights = [min(self._dice.paretovariate(1.3), 9) for _ in self.people]
        sums = list(accumulate(weights))
        fitting: dict[tuple[bool, bool, bool], list[Story]] = {}
        plots = []
        told = 0.0
        while told < self._size.interactions and not self.stopped:
            person = self._dice.choices(self.people, cum_weights=sums)[0]
            key = person.company is not None, person.home, _abroad(person)
            if key not in fitting:
                fitting[key] = [story for story in self._stories.all if _fits(story, person)]
            story = self._dice.choices(fitting[key], [story.weight for story in fitting[key]])[0]
            plots.append(self._plot(person, story))
            told += _length(story.steps) * _GIVEN_UP
        return plots

    def _plot(self, person: Person, story: Story) -> Plot:
        abroad = _abroad(person)
        name = "international" if abroad and story.queue == "support" else story.queue
        telling = self._stories.begin(story, language=person.language, city=person.city, dice=self._dice)
        return Plot(person, story, telling, self._queues[name], abroad)

    def _plan(self, at: datetime, plot: Plot) -> None:
        heapq.heappush(self._agenda, (at, next(self._turn), plot))

    def _happen(self, at: datetime, plot: Plot) -> None:
        step = plot.story.steps[plot.step]
        facts = Circumstances(plot.queue, at.astimezone(self._zone), plot.person.language, plot.agent, plot.abroad)
        happened = course.run(step.channel, step.direction, facts, self._staff, self._dice)
        if happened.over >= self._until:
            return
        stranger = plot.story.name == "wrong_number" and plot.person.number % 2 == 0
        withheld = step.channel is Channel.PHONE and self._dice.random() < 0.03
        self._scribe.write_contact(
            plot.person, plot.telling, step, happened, plot.queue, _case(plot, step, happened, self._scribe),
            stranger=stranger, address=None if withheld else self._address(plot.person, step),
        )  # fmt: skip
        if happened.outcome is Outcome.HANDLED:
            self._go_on(plot, happened)
        elif plot.persistent or (plot.given_up < 3 and self._dice.random() < _CALLS_AGAIN):
            plot.given_up += 1
            again = happened.ended + pace.seconds(40, 600, 20_000, self._dice)
            self._plan(self._calendar.soon_after(plot.queue, again, self._dice, abroad=plot.abroad), plot)

    def _go_on(self, plot: Plot, happened: Course) -> None:
        assert happened.agent is not None
        plot.agent = happened.agent
        plot.telling.handled_by(self._staff.first_name(happened.agent))
        plot.step += 1
        if plot.step == len(plot.story.steps):
            return
        following = plot.story.steps[plot.step]
        if self._dice.random() >= following.chance:
            return
        later = happened.over + pace.a_little_more_or_less(following.after, self._dice)
        self._plan(self._calendar.soon_after(plot.queue, later, self._dice, abroad=plot.abroad), plot)

    def _address(self, person: Person, step: Step) -> tuple[AddressKind, str] | None:
        """Where the contact came from: mostly the usual telephone, sometimes another of theirs."""
        kind = _KINDS.get(step.channel)
        if kind is None:
            return None
        known = [address.value for address in person.addresses if address.kind is kind]
        if not known:
            return kind, person.take_address(kind, self._dice)
        return kind, known[0] if self._dice.random() < 0.8 else self._dice.choice(known)


_KINDS = {
    Channel.PHONE: AddressKind.PHONE,
    Channel.EMAIL: AddressKind.EMAIL,
    Channel.FORM: AddressKind.EMAIL,
    Channel.CHAT: AddressKind.WEB,
    Channel.FAX: AddressKind.FAX,
}


def _abroad(person: Person) -> bool:
    return not person.home and not person.language.startswith("zh")


def _fits(story: Story, person: Person) -> bool:
    if story.firm and person.company is None:
        return False
    if story.home and not person.home:
        return False
    return not story.abroad or _abroad(person)


def _length(steps: Sequence[Step]) -> float:
    """How many contacts a story has on average."""
    length, reached = 0.0, 1.0
    for step in steps:
        reached *= step.chance
        length += reached
    return length


def _case(plot: Plot, step: Step, happened: Course, scribe: Scribe) -> Case | None:
    """The ticket of this contact, opened by the first one that was answered."""
    if happened.agent is None or plot.story.ticket is None or step.state is None:
        return plot.case
    if plot.case is None:
        plot.case = scribe.open_case(plot.story, plot.telling, plot.person.number, plot.queue, happened)
    return plot.case

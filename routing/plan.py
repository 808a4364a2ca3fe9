"""What the queues ask for: stages by waiting time, and from when on each member may take what waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.needs import LANGUAGE, Needs, Skills, Written, fulfils
from callcenter.domain.order import Asked, Step, asked_after
from callcenter.domain.overflow import Treatment


@dataclass(frozen=True, slots=True)
class Member:
    """`delay`: sees only what has waited so long. `age_shift`: work looks so much older (younger) to this agent.

    `lent_by`: an agent of that queue, who may help out while that queue can spare them.
    """

    agent: int
    delay: timedelta = timedelta()
    age_shift: timedelta = timedelta()
    lent_by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """callcenter.domain.overflow.Overflow with queues by id; `key` names it in the log and on the work itself."""

    key: str
    after: timedelta | None = None
    expected: timedelta | None = None
    to: int | None = None
    lend: int | None = None
    treatment: Treatment | None = None

    @property
    def action(self) -> str:
        if self.treatment is not None:
            return self.treatment
        return "lend" if self.to is None else "to"

    def exceeded_by(self, expected: float | None) -> bool:
        """An unknown wait, with nobody at work, is longer than any limit."""
        return self.expected is not None and (expected is None or expected > self.expected.total_seconds())


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """One queue as the router sees it. `tiers`: how much older work looks by its customer's tier.

    `language`, `default_language`: as in `callcenter.domain.order.Asked`, and of work whose language nobody knows.
    `prefer_for`: how long work waits for the agents who are preferred for it; zero: it waits for nobody in particular.
    """

    queue: int
    members: tuple[Member, ...]
    strategy: str = "longest_idle"
    needs: Written = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    tiers: Mapping[str, timedelta] = field(default_factory=dict)
    language: int = 0
    default_language: str | None = None
    prefer_for: timedelta = timedelta()

    overflow: tuple[Rule, ...] = ()

    @property
    def is_personal(self) -> bool:
        """Whether it depends on the customer who may take their work."""
        return bool(self.language or self.prefer_for)

    def lenders(self) -> dict[int, int]:
        """Which queue lends each of those members who are lent."""
        return {member.agent: member.lent_by for member in self.members if member.lent_by is not None}

    def thresholds(self) -> tuple[timedelta, ...]:
        """When work enters its next stage: at a step, or where a delayed member begins to see it."""
        return tuple(sorted({timedelta(), *(step.after for step in self.steps), *(m.delay for m in self.members)}))

    def needs_after(self, waited: timedelta, language: str | None = None) -> Needs:
        return asked_after(Asked(self.needs, self.language), self.steps, waited).of_work_in(language)

    def languages(self, skills: Mapping[int, Skills]) -> set[str]:
        """Those in which work is told apart: a language that no member of its own speaks is asked of nobody."""
        if not self.language:
            return set()
        own = (member.agent for member in self.members if member.lent_by is None)
        spoken = (skill for agent in own for skill in skills.get(agent, ()))
        return {skill.removeprefix(LANGUAGE) for skill in spoken if skill.startswith(LANGUAGE)}

    def entry_stages(self, skills: Mapping[int, Skills], language: str | None = None) -> dict[int, int]:
        """The stage from which on each member may take what waits; members who never may are left out.

        Steps relax, so whoever is good enough at one stage is at all later ones; a step that asks for more than the one
        before it takes effect for nobody's good: then the last of these stages counts.
        """
        thresholds = self.thresholds()
        asked = [self.needs_after(threshold, language) for threshold in thresholds]
        entries = {}
        for member in self.members:
            has = skills.get(member.agent, {})
            entry = len(thresholds)
            while entry and member.delay <= thresholds[entry - 1] and fulfils(has, asked[entry - 1]):
                entry -= 1
            if entry < len(thresholds):
                entries[member.agent] = entry
        return entries

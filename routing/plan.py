"""What the queues ask for: stages by waiting time, and from when on each member may take what waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from callcenter.domain.needs import LANGUAGE, Needs, Skills, Written, fulfils
from callcenter.domain.order import PROFICIENCY_WEIGHT, Asked, Step, asked_after
from callcenter.domain.overflow import Treatment
from routing.lending import Loan


@dataclass(frozen=True, slots=True)
class Member:
    """`delay`: sees only what has waited so long. `age_shift`: work looks so much older (younger) to this agent.

    `loans`: no member, but may help out: by which queues, while they can spare them, and after how long a wait.
    """

    agent: int
    delay: timedelta = timedelta()
    age_shift: timedelta = timedelta()
    loans: tuple[tuple[int, timedelta], ...] = ()

    @property
    def delays(self) -> tuple[timedelta, ...]:
        """After which they may see work, by one loan or another."""
        return tuple(delay for _, delay in self.loans) or (self.delay,)


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

    @property
    def delay(self) -> timedelta:
        """How long work must have waited for the agents whom it lends."""
        return self.after or timedelta()

    def exceeded_by(self, expected: float | None) -> bool:
        """An unknown wait, with nobody at work, is longer than any limit."""
        return self.expected is not None and (expected is None or expected > self.expected.total_seconds())


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """One queue as the router sees it. `tiers`: how much older work looks by its customer's tier.

    `language`, `default_language`: as in `callcenter.domain.order.Asked`, and of work whose language nobody knows.
    `prefer_for`: how long work waits for the agents who are preferred for it; zero: it waits for nobody in particular.
    `proficiency_weight`: with the strategy weighted, how much longer a level above the asked makes idle time look.
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
    proficiency_weight: timedelta = PROFICIENCY_WEIGHT
    overflow: tuple[Rule, ...] = ()

    @property
    def is_personal(self) -> bool:
        """Whether it depends on the customer who may take their work."""
        return bool(self.language or self.prefer_for)

    def loans(self) -> dict[int, list[Loan]]:
        """Of those members who are lent."""
        return {
            member.agent: [(self.queue, lender, delay) for lender, delay in member.loans]
            for member in self.members
            if member.loans
        }

    def thresholds(self) -> tuple[timedelta, ...]:
        """When work enters its next stage: at a step, or where a delayed member begins to see it."""
        delays = (delay for member in self.members for delay in member.delays)
        return tuple(sorted({timedelta(), *(step.after for step in self.steps), *delays}))

    def needs_after(self, waited: timedelta, language: str | None = None) -> Needs:
        return asked_after(Asked(self.needs, self.language), self.steps, waited).of_work_in(language)

    def languages(self, skills: Mapping[int, Skills]) -> set[str]:
        """Those in which work is told apart: a language that no member of its own speaks is asked of nobody."""
        if not self.language:
            return set()
        own = (member.agent for member in self.members if not member.loans)
        spoken = (skill for agent in own for skill in skills.get(agent, ()))
        return {skill.removeprefix(LANGUAGE) for skill in spoken if skill.startswith(LANGUAGE)}

    def entry_stages(self, skills: Mapping[int, Skills], language: str | None = None) -> dict[int, int]:
        """The stage from which on each member may take what waits; members who never may are left out.

        Steps relax, so whoever is good enough at one stage is at all later ones; a step that asks for more than the one
        before it takes effect for nobody's good: then the last of these stages counts. Of those lent, the
        first of any loan.
        """
        return {agent: min(stages.values()) for agent, stages in self._stages(skills, language).items()}

    def loan_stages(self, skills: Mapping[int, Skills], language: str | None = None) -> dict[int, dict[Loan, int]]:
        """The same of those who are lent, by loan."""
        if not (loans := self.loans()):
            return {}
        stages = self._stages(skills, language)
        return {
            agent: {loan: stages[agent][loan[2]] for loan in loans[agent]} for agent in loans.keys() & stages.keys()
        }

    def _stages(self, skills: Mapping[int, Skills], language: str | None) -> dict[int, dict[timedelta, int]]:
        """Entry stages by member and delay."""
        thresholds = self.thresholds()
        asked = [self.needs_after(threshold, language) for threshold in thresholds]
        found: dict[int, dict[timedelta, int]] = {}
        for member in self.members:
            able = len(thresholds)
            while able and fulfils(skills.get(member.agent, {}), asked[able - 1]):
                able -= 1
            if able < len(thresholds):
                found[member.agent] = {delay: max(able, thresholds.index(delay)) for delay in member.delays}
        return found

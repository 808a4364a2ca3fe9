"""What an organisation's rules make of a ticket: conditions, what is set, and chains of triggers that end; no IO."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from callcenter.domain.business import Calendar
from callcenter.domain.notice import Way
from callcenter.domain.sla import raised
from callcenter.domain.ticket import Priority, TicketState

# What a condition may ask besides the values of the ticket.
CHANGED, TEXT, BY, HOURS = "changed", "text", "by", "hours"
# What a condition may say of a field that can be empty.
NONE, ANY = "none", "any"
# The fields of a tree: a condition on a branch holds for all that grows on it ("hardware" for "hardware/kettle").
_TREES = frozenset({"category"})
# How far a circle is searched for; what is not found within is caught when it happens.
_MOST_STATES = 20_000
_LONGEST_WAY = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `what` as the file has it, `by` and `respect_hours` as in an escalation's action."""

    verb: str
    what: Any
    by: tuple[Way, ...] | None = None
    respect_hours: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Trigger:
    """When one of `on` happens and `when` holds and `unless` does not (an empty one never does), `then` is done."""

    name: str
    on: frozenset[str]
    when: Mapping[str, Any]
    unless: Mapping[str, Any]
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Automation:
    """The same `after` so much time of a calendar since a moment in the ticket's life (below zero: before it)."""

    name: str
    since: str
    after: timedelta
    calendar: Calendar
    when: Mapping[str, Any]
    unless: Mapping[str, Any]
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    """What an agent does to a ticket in one step."""

    name: str
    title: str
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a ticket: in `words` of `on`, which fields it changed, what was written, and `by` whom
    (person, rule or system)."""

    words: frozenset[str]
    changed: frozenset[str] = frozenset()
    text: str = ""
    by: str = "system"


@dataclass(frozen=True, slots=True)
class View:
    """What conditions are asked of. None for `text`, `by` and `open`, or a value that is missing from one that is not
    `whole`: not known."""

    values: Mapping[str, Any]
    changed: frozenset[str] | None = frozenset()
    text: str | None = ""
    by: str | None = "system"
    open: frozenset[str] | None = frozenset()  # the calendars that are open now
    whole: bool = True


def judge(conditions: Mapping[str, Any], view: View) -> bool | None:
    """Whether all of them hold; None when that depends on what is not known."""
    found = [_judge_one(key, test, view) for key, test in conditions.items()]
    if False in found:
        return False
    return None if None in found else True


def _judge_one(key: str, test: Any, view: View) -> bool | None:
    match key:
        case "changed":
            return None if view.changed is None else bool(view.changed & set(_listed(test)))
        case "text":
            if view.text is None:
                return None
            text = view.text.casefold()
            return any(str(word).casefold() in text for word in _listed(test))
        case "by":
            return None if view.by is None else view.by in _listed(test)
        case "hours":
            kind, _, name = str(test).partition(":")
            return None if view.open is None else (name in view.open) is (kind == "in")
    if key not in view.values and not view.whole:
        return None
    return _fits(test, view.values.get(key), tree=key in _TREES)


def _listed(test: Any) -> Sequence[Any]:
    return test if isinstance(test, list | tuple) else (test,)


def _fits(test: Any, value: Any, *, tree: bool) -> bool:
    if isinstance(test, Mapping):
        return _within(test, value)
    return any(_is(each, value, tree=tree) for each in _listed(test))


def _within(test: Mapping[str, Any], value: Any) -> bool:
    try:
        return value is not None and (
            ("above" not in test or value > test["above"]) and ("below" not in test or value < test["below"])
        )
    except TypeError:  # a number was asked for, and the field has a word
        return False


def _is(wanted: Any, value: Any, *, tree: bool) -> bool:
    empty = value is None or value == ()
    if wanted in (NONE, ANY):
        return empty is (wanted == NONE)
    if isinstance(value, list | tuple):
        return wanted in value
    return bool(value == wanted) or (tree and isinstance(value, str) and value.startswith(f"{wanted}/"))


def holds(rule: Trigger | Automation, view: View) -> bool | None:
    """`when` and not `unless`; None when that depends on what is not known."""
    when = judge(rule.when, view)
    unless = judge(rule.unless, view) if rule.unless else False
    if when is False or unless is True:
        return False
    return None if when is None or unless is None else True


def changes(
    steps: Iterable[Step], values: Mapping[str, Any], who: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """What the steps set, all together, so far as it is not so already. `who`: queue and owner of a `reassign`."""
    after = dict(values)
    for step in steps:
        match step.verb:
            case "set":
                after |= {key: _set(value) for key, value in step.what.items()}
            case "priority":
                wanted = Priority(step.what)
                before = values.get("priority")
                after["priority"] = wanted.value if before is None else raised(Priority(before), wanted).value
            case "reassign":
                after |= who(step.what)
            case "tag":
                tags = after.get("tags") or ()
                after["tags"] = tuple(tags) if step.what in tags else (*tags, step.what)
            case _:
                pass
    return {key: value for key, value in after.items() if value != values.get(key)}


def _set(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return None if value == NONE else value


@dataclass(slots=True)
class Chain:
    """What one act on a ticket sets going. Each trigger fires at most once in it, so it ends.

    Happenings are taken in their order, and for each the triggers in that of the file.
    """

    triggers: Sequence[Trigger]
    fired: set[str] = field(default_factory=set)
    _waiting: deque[tuple[Happening, int]] = field(default_factory=deque)

    def add(self, happening: Happening) -> None:
        if any(trigger.on & happening.words for trigger in self.triggers):
            self._waiting.append((happening, 0))

    @property
    def over(self) -> bool:
        return not self._waiting

    def next(self, view: View) -> Trigger | None:
        """The trigger that fires next on a ticket that is so now; to be asked again, with what it made of the ticket.

        `view` is filled in with what happened.
        """
        while self._waiting:
            happening, place = self._waiting.popleft()
            for at in range(place, len(self.triggers)):
                trigger = self.triggers[at]
                if trigger.name in self.fired or not trigger.on & happening.words:
                    continue
                asked = replace(view, changed=happening.changed, text=happening.text, by=happening.by)
                if holds(trigger, asked):
                    self.fired.add(trigger.name)
                    self._waiting.appendleft((happening, at + 1))
                    return trigger
        return None


# -- moments


@dataclass(frozen=True, slots=True)
class Due:
    """An automation's turn: `since` is the moment that it counts from, and names the round."""

    at: datetime
    automation: Automation
    since: datetime


def schedule(
    automations: Iterable[Automation],
    moments: Mapping[str, datetime],
    done: Collection[tuple[str, datetime]],
    view: View,
) -> list[Due]:
    """Whose turn comes when on a ticket that is so now, the earliest first; `done`: (name, since) of turns had."""
    found = []
    for automation in automations:
        since = moments.get(automation.since)
        if since is None or (automation.name, since) in done or not holds(automation, view):
            continue
        if automation.after < timedelta():
            at: datetime | None = since + automation.after
        else:
            at = automation.calendar.after(since, automation.after)
        if at is not None:
            found.append(Due(at, automation, since))
    return sorted(found, key=lambda due: due.at)


# -- circles


def find_loop(triggers: Sequence[Trigger], automations: Sequence[Automation] = ()) -> tuple[str, ...]:
    """Rules that would set each other off for ever (the first one stands at the end again); empty when there are none.

    Each rule is let fire on a ticket of which only what its conditions say is known; then those that what it changed
    sets off, on what is known then, and so on. Whatever changes nothing ends there, so only what comes back to the
    same rule with the same values is a circle. What cannot be known does not count as one: a rule that fires once too
    often is stopped when it happens (`Chain`).
    """
    rules = [*triggers, *(_as_trigger(each) for each in automations)]
    search = _Search(rules)
    for rule in rules:
        known = _known(rule, {})
        if known is not None and (circle := search.walk(rule, known, ())):
            return circle
    return ()


def _as_trigger(automation: Automation) -> Trigger:
    """As far as circles go: it fires when the ticket comes into the state that it counts from."""
    on = frozenset({automation.since}) & set(TicketState)
    return Trigger(automation.name, on, automation.when, automation.unless, automation.then)


_State = tuple[str, tuple[tuple[str, Any], ...]]


@dataclass(slots=True)
class _Search:
    rules: Sequence[Trigger]
    done: set[_State] = field(default_factory=set)

    def walk(self, rule: Trigger, known: Mapping[str, Any], way: tuple[_State, ...]) -> tuple[str, ...]:
        state = (rule.name, tuple(sorted((key, repr(value)) for key, value in known.items())))
        if state in way:
            return tuple(name for name, _ in (*way[way.index(state) :], state))
        if state in self.done or len(self.done) > _MOST_STATES or len(way) > _LONGEST_WAY:
            return ()
        for happening, after in _effects(rule, known):
            for following in self.rules:
                if not following.on & happening.words:
                    continue
                then = _known(following, after, happening)
                if then is not None and (circle := self.walk(following, then, (*way, state))):
                    return circle
        self.done.add(state)
        return ()


def _known(rule: Trigger, values: Mapping[str, Any], happening: Happening | None = None) -> dict[str, Any] | None:
    """What is known of a ticket on which the rule fires; None when it cannot fire on one that is so."""
    if happening is None:
        view = View(values, changed=None, text=None, by=None, open=None, whole=False)
    else:
        view = View(values, happening.changed, happening.text, happening.by, open=None, whole=False)
    if holds(rule, view) is False:
        return None
    said = {key: test for key, test in rule.when.items() if key not in (CHANGED, TEXT, BY, HOURS)}
    exact = {key: test for key, test in said.items() if isinstance(test, str | int | float) and key not in _TREES}
    return {**{key: None if test == NONE else test for key, test in exact.items() if test != ANY}, **values}


def _effects(rule: Trigger, known: Mapping[str, Any]) -> list[tuple[Happening, dict[str, Any]]]:
    """What the rule's steps let happen, each with what is known of the ticket then."""
    found = []
    changed = changes(rule.then, known, _somebody)
    after = {**known, **changed}
    if changed:
        found.append((Happening(words_of(changed, known), frozenset(changed), "", "rule"), after))
    for step in rule.then:
        if step.verb in ("note", "reply"):
            word = "noted" if step.verb == "note" else "replied"
            found.append((Happening(frozenset({word}), frozenset(), str(step.what), "rule"), after))
    return found


def words_of(changed: Mapping[str, Any], before: Mapping[str, Any]) -> frozenset[str]:
    """How a trigger calls a change: `changed`, and the state that it leads to."""
    state = changed.get("state")
    if state == "open":
        # Of a ticket of which it is not known whether it was over, it may be either.
        over = before.get("state") in (None, "resolved", "closed")
        return frozenset({"changed", "reopened"} if over else {"changed"})
    return frozenset({"changed", str(state)} if state is not None else {"changed"})


def _somebody(what: str) -> dict[str, Any]:
    kind, _, name = what.partition(":")
    return {"queue": name, "owner": None} if kind == "queue" else {"owner": name or kind}

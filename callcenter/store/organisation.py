"""The organisation as the database has it: read as a whole, written entry by entry."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg

from callcenter.domain.agent import IdleOrder, Role
from callcenter.domain.announce import read_announce, write_announce
from callcenter.domain.callback import CallbackRules, read_callbacks, write_callbacks
from callcenter.domain.duration import format_duration, parse_duration
from callcenter.domain.interaction import Channel, WrapUpMode
from callcenter.domain.notice import Way
from callcenter.domain.order import read_step, write_step
from callcenter.domain.organisation import (
    General,
    HoursEntry,
    Member,
    Organisation,
    PolicyEntry,
    QueueEntry,
    ServiceLevel,
    UserEntry,
    WebhookEntry,
    WrapUp,
)
from callcenter.domain.overflow import Overflow, Treatment
from callcenter.domain.survey import Question, SurveyRules, Via
from callcenter.domain.ticket_rules import TicketRules, read_rules, write_rules
from callcenter.store import (
    canned,
    contract_kinds,
    fax_gateways,
    gateways,
    letters,
    mailboxes,
    rules,
    web_forms,
    widgets,
)
from callcenter.store.forms import read_forms
from callcenter.store.log import Connection
from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
T = TypeVar("T")


async def read(connection: Connection) -> Organisation:
    """All that is active, as a file would say it, without passwords."""
    general = await connection.fetchrow(SQL.general)
    assert general is not None
    return Organisation(
        general=General(
            name=general["name"],
            region=general["region"],
            timezone=general["timezone"],
            languages=tuple(general["languages"]),
            capacity=_ordered(general["capacity"]),
            interrupted_by={held: tuple(by) for held, by in _ordered(general["interrupted_by"]).items()},
            default_handling=general["default_handling"],
            idle_order=IdleOrder(general["idle_order"]),
        ),
        users=tuple(_user(row) for row in await connection.fetch(SQL.users) if row["active"]),
        hours=tuple(_hours(row) for row in await connection.fetch(SQL.hours)),
        queues=tuple(_queue(row) for row in await connection.fetch(SQL.queues) if row["active"]),
        policies=tuple(_policy(row) for row in await connection.fetch(SQL.policies)),
        webhooks=tuple(
            WebhookEntry(name=row["name"], url=row["url"], events=tuple(row["events"]), secret=row["secret"])
            for row in await connection.fetch(SQL.webhooks)
        ),
        **await rules.read(connection),
        mailboxes=await mailboxes.read(connection),
        letters=await letters.read(connection),
        mail=await letters.read_rules(connection),
        widgets=await widgets.read(connection),
        canned_answers=await canned.read(connection),
        web_forms=await web_forms.read(connection),
        portal=await web_forms.read_portal(connection),
        gateways=await gateways.read(connection),
        fax_gateways=await fax_gateways.read(connection),
        tickets=read_rules(await connection.fetchval(SQL.ticket_rules)),
        callbacks=read_callbacks(await connection.fetchval(SQL.callbacks)),
        forms=await read_forms(connection),
        contracts=await contract_kinds.read(connection),
        value=await contract_kinds.read_value(connection),
    )


def _ordered(by_channel: Mapping[str, T]) -> dict[str, T]:
    """As the channels stand everywhere; jsonb orders keys by their lengths."""
    return {channel.value: by_channel[channel] for channel in Channel if channel in by_channel}


def _user(row: asyncpg.Record) -> UserEntry:
    return UserEntry(
        name=row["name"],
        full_name=row["full_name"],
        role=Role(row["role"]),
        endpoint=row["endpoint"],
        manager=row["manager"],
        language=row["language"],
        skills=row["skills"],
        capacity=_ordered(row["capacity"]),
        demo=row["demo"],
        email=row["email"],
        phone=row["phone"],
        notify=tuple(Way(way) for way in row["notify"]),
        hours=row["hours"],
        signature=row["signature"],
    )


def _hours(row: asyncpg.Record) -> HoursEntry:
    return HoursEntry(
        name=row["name"],
        timezone=row["timezone"],
        weekly={day: tuple(intervals) for day, intervals in row["weekly"].items()},
        holidays=row["holidays"],
        closed=tuple(sorted(row["closed"])),
        open={day: tuple(intervals) for day, intervals in row["open"].items()},
    )


def _queue(row: asyncpg.Record) -> QueueEntry:
    return QueueEntry(
        name=row["name"],
        numbers=tuple(row["numbers"]),
        default=row["is_default"],
        hours=row["hours"],
        members=tuple(
            Member(agent=agent, delay=delay, age_shift=shift)
            for agent, delay, shift in zip(row["agents"], row["delays"], row["shifts"], strict=True)
        ),
        needs=row["needs"],
        steps=tuple(map(read_step, row["steps"])),
        language=row["language"],
        default_language=row["default_language"],
        offers_tickets=row["offers_tickets"],
        offers_tasks=row["offers_tasks"],
        prefer=row["prefer"],
        prefer_for=row["prefer_for"],
        prefer_within=row["prefer_within"],
        strategy=row["strategy"],
        proficiency_weight=row["proficiency_weight"],
        service_level=ServiceLevel(target=row["service_level_target"], within=row["service_level_within"]),
        ring_timeout=row["ring_timeout"],
        wrap_up=WrapUp(
            mode=WrapUpMode(row["wrap_up_mode"]), limit=row["wrap_up_limit"], dispositions=tuple(row["dispositions"])
        ),
        tiers={tier: parse_duration(shift) for tier, shift in row["tiers"].items()},
        overflow=tuple(rule_of(rule) for rule in row["overflow"]),
        greeting=row["greeting"],
        closed_announcement=row["closed_announcement"],
        announce=read_announce(row["announce"]),
        survey=None if row["survey"] is None else survey_of(row["survey"]),
        signature=row["signature"],
    )


_SURVEY_TIMES = ("delay", "not_again", "valid", "change_within")
_SURVEY_WORDS = ("prompt", "again", "thanks", "form")


def survey_of(kept: Mapping[str, Any]) -> SurveyRules:
    """As the table queue has it: durations in seconds."""
    times: dict[str, Any] = {name: timedelta(seconds=kept[name]) for name in _SURVEY_TIMES}
    more: dict[str, Any] = {name: kept[name] for name in _SURVEY_WORDS if name in kept}
    by = tuple(map(Via, kept.get("by", [Via.MAIL])))
    return SurveyRules(ask=Question(kept["ask"]), bad=kept["bad"], by=by, **times, **more)


def _survey(rules: SurveyRules) -> dict[str, Any]:
    times = {name: getattr(rules, name).total_seconds() for name in _SURVEY_TIMES}
    words = {name: getattr(rules, name) for name in _SURVEY_WORDS}
    return {"ask": rules.ask.value, "bad": rules.bad, "by": [via.value for via in rules.by], **times, **words}


def rule_of(kept: Mapping[str, str]) -> Overflow:
    """As the table queue has it."""
    durations = {key: parse_duration(kept[key]) for key in ("after", "expected") if key in kept}
    treatment = Treatment(kept["treatment"]) if "treatment" in kept else None
    return Overflow(**durations, to=kept.get("to"), lend=kept.get("lend"), treatment=treatment)


def _rule(rule: Overflow) -> dict[str, str]:
    durations = {"after": rule.after, "expected": rule.expected}
    kept = {key: format_duration(value) for key, value in durations.items() if value is not None}
    names = {"to": rule.to, "lend": rule.lend, "treatment": rule.treatment}
    return kept | {key: str(value) for key, value in names.items() if value is not None}


def _policy(row: asyncpg.Record) -> PolicyEntry:
    return PolicyEntry(
        name=row["name"],
        when=row["conditions"],
        hours=row["hours"],
        pauses=tuple(row["pauses"]),
        targets={clock: parse_duration(target) for clock, target in row["targets"].items()},
        escalations=tuple(row["escalations"]),
    )


async def put_general(connection: Connection, general: General) -> None:
    await connection.execute(
        SQL.set_general,
        general.name,
        general.region,
        general.timezone,
        list(general.languages),
        dict(general.capacity),
        {held: list(by) for held, by in general.interrupted_by.items()},
        general.default_handling,
        general.idle_order,
    )


async def put_users(
    connection: Connection, users: Sequence[UserEntry], *, hashes: dict[str, str], now: datetime
) -> None:
    """`hashes` by name: of the passwords that are new in the file."""
    await connection.execute(SQL.free_endpoints, [user.name for user in users])
    for user in users:
        ident = await connection.fetchval(
            SQL.put_user,
            user.name,
            user.full_name,
            user.role,
            user.endpoint,
            user.language,
            dict(user.skills),
            dict(user.capacity),
            user.demo,
            hashes.get(user.name),
        )
        await connection.execute(SQL.put_agent, ident, now)
    for user in users:
        await connection.execute(SQL.set_manager, user.name, user.manager)


async def put_hours(connection: Connection, hours: Sequence[HoursEntry]) -> None:
    for each in hours:
        await connection.execute(
            SQL.put_hours,
            each.name,
            each.timezone,
            dict(each.weekly),
            each.holidays,
            list(each.closed),
            dict(each.open),
        )


async def put_reach(connection: Connection, users: Sequence[UserEntry]) -> None:
    """How users are reached; once the hours are there."""
    rows = [(user.name, user.email, user.phone, list(user.notify), user.hours) for user in users]
    await connection.executemany(SQL.set_reach, rows)


async def put_webhooks(connection: Connection, webhooks: Sequence[WebhookEntry]) -> None:
    rows = [(each.name, each.url, list(each.events), each.secret) for each in webhooks]
    if rows:
        await connection.execute(SQL.begin_reading)
    await connection.executemany(SQL.put_webhook, rows)


async def put_queues(connection: Connection, queues: Sequence[QueueEntry]) -> None:
    names = [queue.name for queue in queues]
    await connection.execute(SQL.free_numbers, names)
    await connection.execute(SQL.free_default, names)
    for queue in queues:
        ident = await connection.fetchval(
            SQL.put_queue,
            queue.name,
            queue.default,
            queue.hours,
            queue.needs,
            [write_step(step) for step in queue.steps],
            queue.strategy,
            queue.service_level.target,
            queue.service_level.within,
            queue.ring_timeout,
            queue.wrap_up.mode,
            queue.wrap_up.limit,
            list(queue.wrap_up.dispositions),
            {tier: format_duration(shift) for tier, shift in queue.tiers.items()},
            queue.greeting,
            queue.closed_announcement,
            queue.language,
            queue.default_language,
            queue.prefer,
            queue.prefer_for,
            queue.prefer_within,
            [_rule(rule) for rule in queue.overflow],
            write_announce(queue.announce),
            None if queue.survey is None else _survey(queue.survey),
            queue.offers_tickets,
            queue.offers_tasks,
            queue.proficiency_weight,
        )
        await connection.executemany(SQL.put_number, [(ident, number) for number in queue.numbers])
        await connection.execute(SQL.drop_members, ident)
        members = [(ident, member.agent, member.delay, member.age_shift) for member in queue.members]
        await connection.executemany(SQL.put_member, members)


async def put_policies(connection: Connection, policies: Sequence[PolicyEntry]) -> None:
    for place, policy in enumerate(policies):
        await connection.execute(
            SQL.put_policy,
            policy.name,
            place,
            dict(policy.when),
            policy.hours,
            {clock: format_duration(target) for clock, target in policy.targets.items()},
            list(policy.escalations),
            list(policy.pauses),
        )


async def put_ticket_rules(connection: Connection, rules: TicketRules) -> None:
    await connection.execute(SQL.set_ticket_rules, write_rules(rules))


async def put_callbacks(connection: Connection, rules: CallbackRules) -> None:
    await connection.execute(SQL.set_callbacks, write_callbacks(rules))

"""An organisation file as a value: all that is wrong with it is named at once, with line and key."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from callcenter.domain.announce import Announce
from callcenter.domain.callback_keys import CallbacksTable
from callcenter.domain.canned_keys import CannedTable
from callcenter.domain.canned_keys import twins as canned_twins
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.domain.contract_keys import ContractTable, ValueTable
from callcenter.domain.fax_keys import FaxGatewayTable
from callcenter.domain.form import TABLES
from callcenter.domain.form_keys import QuestionnaireTable, SamplingTable, ScorecardTable, entry_of
from callcenter.domain.gateway_keys import GatewayTable
from callcenter.domain.gateway_keys import environment_problems as gateway_problems
from callcenter.domain.interaction import Channel
from callcenter.domain.letter_keys import LetterTable, MailTable
from callcenter.domain.letter_keys import misfits as letter_misfits
from callcenter.domain.mailbox_keys import MailboxTable
from callcenter.domain.mailbox_keys import twins as mailbox_twins
from callcenter.domain.needs import LANGUAGE
from callcenter.domain.notice import Way
from callcenter.domain.organisation import (
    CLOCKS,
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
from callcenter.domain.organisation_keys import GeneralTable, HoursTable, QueueTable, Table, UserTable
from callcenter.domain.organisation_references import Reference, references, tables
from callcenter.domain.overflow import Overflow
from callcenter.domain.policy_keys import PolicyTable, misfits
from callcenter.domain.reach_keys import WebhookTable, environment_problems
from callcenter.domain.rule_keys import (
    KINDS,
    AutomationTable,
    ChecklistTable,
    MacroTable,
    TriggerTable,
    entry,
)
from callcenter.domain.ticket_keys import TicketsTable
from callcenter.domain.ticket_keys import misfits as ticket_misfits
from callcenter.domain.web_form_keys import PortalTable, WebFormTable
from callcenter.domain.web_form_keys import misfits as web_form_misfits
from callcenter.domain.widget_keys import WidgetTable
from callcenter.domain.widget_keys import misfits as widget_misfits
from callcenter.toml import BadFile, Document, Location, Problem


class FileTable(Table):
    organisation: GeneralTable | None = None
    users: tuple[UserTable, ...] = ()
    hours: tuple[HoursTable, ...] = ()
    queues: tuple[QueueTable, ...] = ()
    sla_policies: tuple[PolicyTable, ...] = ()
    webhooks: tuple[WebhookTable, ...] = ()
    triggers: tuple[TriggerTable, ...] = ()
    automations: tuple[AutomationTable, ...] = ()
    macros: tuple[MacroTable, ...] = ()
    checklists: tuple[ChecklistTable, ...] = ()
    tickets: TicketsTable | None = None
    surveys: tuple[QuestionnaireTable, ...] = ()
    scorecards: tuple[ScorecardTable, ...] = ()
    sampling: tuple[SamplingTable, ...] = ()
    contracts: tuple[ContractTable, ...] = ()
    value: ValueTable | None = None
    callbacks: CallbacksTable | None = None
    mailboxes: tuple[MailboxTable, ...] = ()
    letters: tuple[LetterTable, ...] = ()
    mail: MailTable | None = None
    widgets: tuple[WidgetTable, ...] = ()
    canned_answers: tuple[CannedTable, ...] = ()
    web_forms: tuple[WebFormTable, ...] = ()
    portal: PortalTable | None = None
    gateways: tuple[GatewayTable, ...] = ()
    fax_gateways: tuple[FaxGatewayTable, ...] = ()


_ADAPTER = TypeAdapter(FileTable)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OrganisationFile:
    """What a file says, and where it says it. References may lead to what the database has already."""

    organisation: Organisation
    references: tuple[Reference, ...]
    document: Document


def understand(document: Document, environ: Mapping[str, str]) -> OrganisationFile:
    """Raises BadFile with everything that is wrong. Passwords named by `password_env` are taken from `environ`."""
    document = Document(document.name, _plain(document.data), document.lines)
    problems = [*_twins(document), *_circles(document), *_own_lenders(document), *_environment(document, environ)]
    for where, table in tables(document, "sla_policies"):
        problems += misfits(document, where, table)
    problems += [
        *ticket_misfits(document),
        *mailbox_twins(document),
        *letter_misfits(document),
        *web_form_misfits(document),
        *canned_twins(document),
        *widget_misfits(document, environ),
    ]
    try:
        file = document.read_as(_ADAPTER)
    except BadFile as error:
        raise BadFile(_sorted([*error.problems, *problems], document)) from None
    if problems:
        raise BadFile(_sorted(problems, document))
    organisation = Organisation(
        general=None if file.organisation is None else _general(file.organisation),
        users=tuple(_user(table, environ) for table in file.users),
        hours=tuple(_hours(table) for table in file.hours),
        queues=tuple(_queue(table) for table in file.queues),
        policies=tuple(_policy(table) for table in file.sla_policies),
        webhooks=tuple(_webhook(table, environ) for table in file.webhooks),
        triggers=tuple(map(entry, file.triggers)),
        automations=tuple(map(entry, file.automations)),
        macros=tuple(map(entry, file.macros)),
        checklists=tuple(map(entry, file.checklists)),
        tickets=None if file.tickets is None else file.tickets.rules(),
        forms=tuple(entry_of(table) for table in (*file.surveys, *file.scorecards, *file.sampling)),
        contracts=tuple(table.entry() for table in file.contracts),
        value=None if file.value is None else file.value.rules(),
        callbacks=None if file.callbacks is None else file.callbacks.rules(),
        mailboxes=tuple(table.entry() for table in file.mailboxes),
        letters=tuple(table.entry() for table in file.letters),
        mail=None if file.mail is None else file.mail.rules(),
        widgets=tuple(table.entry(environ) for table in file.widgets),
        canned_answers=tuple(table.entry() for table in file.canned_answers),
        web_forms=tuple(table.form() for table in file.web_forms),
        portal=None if file.portal is None else file.portal.rules(),
        gateways=tuple(table.entry(environ) for table in file.gateways),
        fax_gateways=tuple(table.entry() for table in file.fax_gateways),
    )
    return OrganisationFile(organisation, tuple(references(document)), document)


def _sorted(problems: list[Problem], document: Document) -> list[Problem]:
    """By line; one complaint a key."""
    once = list({(problem.place, problem.key, problem.expected): problem for problem in problems}.values())

    def line(problem: Problem) -> int:
        tail = problem.place.removeprefix(f"{document.name}, line ")
        return int(tail) if tail.isdecimal() else 0

    return sorted(once, key=line)


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """Members given by name alone become tables, so that each has one form."""
    plain = dict(data)
    if isinstance(plain.get("queues"), list):
        plain["queues"] = [
            {**queue, "members": [{"agent": each} if isinstance(each, str) else each for each in queue["members"]]}
            if isinstance(queue, dict) and isinstance(queue.get("members"), list)
            else queue
            for queue in plain["queues"]
        ]
    return plain


def _texts(table: Mapping[str, Any], key: str) -> Iterator[tuple[int, str]]:
    """The texts of a list, with their indexes; a member is the text of its agent."""
    found = table.get(key)
    for index, each in enumerate(found if isinstance(found, list) else ()):
        text = each.get("agent") if isinstance(each, dict) else each
        if isinstance(text, str):
            yield index, text


def _named(document: Document) -> Iterator[tuple[str, str, Location]]:
    """What must be there once: (what it is, its value, where)."""
    for kind in (
        "users",
        "hours",
        "queues",
        "sla_policies",
        "webhooks",
        "contracts",
        "web_forms",
        "gateways",
        "fax_gateways",
        *KINDS,
        *TABLES.values(),
    ):
        for where, table in tables(document, kind):
            for key in ("name", "endpoint", "sender"):
                if isinstance(table.get(key), str):
                    yield f"{kind} {key}", table[key], (*where, key)
    for where, table in tables(document, "queues"):
        yield from (("number", number, (*where, "numbers", at)) for at, number in _texts(table, "numbers"))
        yield from ((f"member of {where[1]}", name, (*where, "members", at)) for at, name in _texts(table, "members"))
        if table.get("default") is True:
            yield "default queue", "", (*where, "default")
    for where, table in tables(document, "sla_policies"):
        if not table.get("when"):
            yield "policy without `when`", "", where


def _twins(document: Document) -> Iterator[Problem]:
    seen: Counter[tuple[str, str]] = Counter()
    for kind, value, where in _named(document):
        seen[kind, value] += 1
        if seen[kind, value] > 1:
            what = f"{value!r} stands here a second time" if value else f"there is a {kind} already"
            yield document.problem(where, f"{what}; each {kind.partition(' of ')[0]} may stand once")
    policies = list(tables(document, "sla_policies"))
    if policies and not seen["policy without `when`", ""]:
        yield document.problem(("sla_policies",), "one policy without `when` is needed, for all other tickets")


def _circles(document: Document) -> Iterator[Problem]:
    """Escalations climb from manager to manager, and must arrive."""
    managers = {str(table.get("name")): table.get("manager") for _, table in tables(document, "users")}
    for where, table in tables(document, "users"):
        name, above, steps = str(table.get("name")), table.get("manager"), 0
        while isinstance(above, str) and above != name and steps <= len(managers):
            above, steps = managers.get(above), steps + 1
        if above == name:
            yield document.problem((*where, "manager"), "a manager was expected who is not below this user")


def _own_lenders(document: Document) -> Iterator[Problem]:
    for where, table in tables(document, "queues"):
        rules = table.get("overflow")
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict) and "lend" in rule and rule["lend"] == table.get("name"):
                yield document.problem((*where, "overflow", index, "lend"), "another queue was expected than this one")


def _environment(document: Document, environ: Mapping[str, str]) -> Iterator[Problem]:
    for where, table in tables(document, "users"):
        variable = table.get("password_env")
        if isinstance(variable, str) and not environ.get(variable):
            yield document.problem(
                (*where, "password_env"), f"a password was expected in the environment as {variable}"
            )
    for where, table in tables(document, "webhooks"):
        yield from environment_problems(document, where, table, environ)
    for where, table in tables(document, "gateways"):
        yield from gateway_problems(document, where, table, environ)


def _by_channel(given: Mapping[Channel, T]) -> dict[str, T]:
    return {channel.value: given[channel] for channel in Channel if channel in given}


def _general(table: GeneralTable) -> General:
    """What the file leaves out of a channel is as everywhere."""
    interrupted_by = {held: tuple(c.value for c in Channel if c in by) for held, by in table.interrupted_by.items()}
    return General(
        name=table.name,
        region=table.region,
        timezone=table.timezone,
        languages=table.languages,
        default_handling=table.default_handling,
        idle_order=table.idle_order,
        capacity={**CAPACITY, **_by_channel(table.capacity)},
        interrupted_by={**INTERRUPTED_BY, **_by_channel(interrupted_by)},
    )


def _user(table: UserTable, environ: Mapping[str, str]) -> UserEntry:
    return UserEntry(
        name=table.name,
        full_name=table.full_name,
        role=table.role,
        endpoint=table.endpoint,
        manager=table.manager,
        language=table.language,
        skills={**table.skills, **{f"{LANGUAGE}{code}": level for code, level in table.languages.items()}},
        capacity=_by_channel(table.capacity),
        demo=table.demo,
        email=table.email,
        phone=table.phone,
        notify=tuple(way for way in Way if way in table.notify),
        hours=table.hours,
        signature=table.signature,
        password=environ[table.password_env] if table.password_env else table.password,
    )


def _hours(table: HoursTable) -> HoursEntry:
    return HoursEntry(
        name=table.name,
        timezone=table.timezone,
        weekly={str(day): intervals for day, intervals in table.weekly.items() if intervals},
        holidays=table.holidays,
        closed=tuple(sorted(table.closed)),
        open=table.open,
    )


def _queue(table: QueueTable) -> QueueEntry:
    return QueueEntry(
        name=table.name,
        numbers=tuple(sorted(table.numbers)),
        default=table.default,
        hours=table.hours,
        members=tuple(
            sorted((Member(**member.model_dump()) for member in table.members), key=lambda member: member.agent)
        ),
        needs=table.needs,
        steps=tuple(step.step() for step in table.steps),
        language=table.language,
        default_language=table.default_language,
        offers_tickets=table.offers_tickets,
        offers_tasks=table.offers_tasks,
        prefer=table.prefer,
        prefer_for=table.prefer_for,
        prefer_within=table.prefer_within,
        strategy=table.strategy,
        proficiency_weight=table.proficiency_weight,
        service_level=ServiceLevel(**table.service_level.model_dump()),
        ring_timeout=table.ring_timeout,
        wrap_up=WrapUp(
            mode=table.wrap_up.mode, limit=table.wrap_up.limit, dispositions=tuple(table.wrap_up.dispositions)
        ),
        tiers=table.tiers,
        overflow=tuple(Overflow(**rule.model_dump()) for rule in table.overflow),
        greeting=table.greeting,
        closed_announcement=table.closed_announcement,
        announce=None if table.announce is None else Announce(**table.announce.model_dump()),
        survey=None if table.survey is None else table.survey.rules(),
        signature=table.signature,
    )


def _webhook(table: WebhookTable, environ: Mapping[str, str]) -> WebhookEntry:
    return WebhookEntry(
        name=table.name,
        url=table.url,
        events=tuple(sorted(set(table.events))),
        secret=environ[table.secret_env] if table.secret_env else table.secret,
    )


def _policy(table: PolicyTable) -> PolicyEntry:
    targets = {clock: getattr(table, clock) for clock in CLOCKS}
    return PolicyEntry(
        name=table.name,
        when={} if table.when is None else table.when.model_dump(mode="json", exclude_none=True),
        hours=table.hours,
        pauses=tuple(dict.fromkeys(table.pauses)),
        targets={clock: target for clock, target in targets.items() if target is not None},
        escalations=tuple(each.kept() for each in table.escalations),
    )

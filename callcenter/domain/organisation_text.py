"""An organisation written as a file that reads back to the same; passwords are left out."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from callcenter.domain.agent import IdleOrder
from callcenter.domain.announce import Announce
from callcenter.domain.callback import write_callbacks
from callcenter.domain.capacity import CAPACITY, INTERRUPTED_BY
from callcenter.domain.contract_text import contract_table, value_table
from callcenter.domain.duration import format_duration
from callcenter.domain.form import TABLES, FormEntry
from callcenter.domain.interaction import WrapUpMode
from callcenter.domain.letter_text import LetterEntry
from callcenter.domain.mail_rules import MailRules
from callcenter.domain.needs import LANGUAGE
from callcenter.domain.order import Step
from callcenter.domain.organisation import (
    DEFAULT_HANDLING,
    PAUSES,
    CannedEntry,
    HoursEntry,
    MailboxEntry,
    Member,
    Organisation,
    PolicyEntry,
    QueueEntry,
    ServiceLevel,
    UserEntry,
    WebhookEntry,
    WrapUp,
)
from callcenter.domain.overflow import Overflow
from callcenter.domain.survey import BAD, SurveyRules
from callcenter.domain.ticket_rules import Case, TicketField, TicketRules, write_case
from callcenter.domain.web_form_keys import form_table
from callcenter.domain.widget_keys import widget_table

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Keys of a table, without those that have their default."""

    pairs: tuple[tuple[str, Any], ...]

    def lines(self) -> Iterator[str]:
        return (f"{_key(key)} = {_value(value)}" for key, value in self.pairs)


def to_toml(organisation: Organisation) -> str:
    """The text of the file."""
    blocks = []
    if organisation.general is not None:
        general = organisation.general
        keys: dict[str, Any] = {"name": general.name, "region": general.region, "timezone": general.timezone}
        keys["languages"] = general.languages
        keys["default_handling"] = _unless(DEFAULT_HANDLING, general.default_handling)
        keys["idle_order"] = _unless(IdleOrder.LAST_CONTACT, general.idle_order)
        keys["capacity"] = _other_than(CAPACITY, general.capacity)
        keys["interrupted_by"] = _other_than(INTERRUPTED_BY, general.interrupted_by)
        blocks.append(_block("[organisation]", keys))
    blocks += [_block("[[users]]", _user(each)) for each in organisation.users]
    blocks += [_block("[[hours]]", _hours(each)) for each in organisation.hours]
    blocks += [_block("[[queues]]", _queue(each)) for each in organisation.queues]
    blocks += [_block("[[sla_policies]]", _policy(each)) for each in organisation.policies]
    blocks += [_block("[[webhooks]]", _webhook(each)) for each in organisation.webhooks]
    blocks += _tickets(organisation.tickets or TicketRules())
    for kind in ("triggers", "automations", "macros", "checklists"):
        blocks += [_block(f"[[{kind}]]", {"name": each.name, **each.body}) for each in getattr(organisation, kind)]
    blocks += [_form(each) for each in organisation.forms]
    blocks += [_block("[[contracts]]", contract_table(each)) for each in organisation.contracts]
    if organisation.value is not None:
        blocks.append(_block("[value]", value_table(organisation.value)))
    if organisation.callbacks is not None and (callbacks := write_callbacks(organisation.callbacks)):
        blocks.append(_block("[callbacks]", callbacks))
    blocks += [_block("[[mailboxes]]", _mailbox(each)) for each in organisation.mailboxes]
    if organisation.mail is not None and organisation.mail != MailRules():
        blocks.append(_block("[mail]", _mail(organisation.mail)))
    blocks += [_block("[[letters]]", _letter(each)) for each in organisation.letters]
    blocks += [_block("[[widgets]]", widget_table(each)) for each in organisation.widgets]
    blocks += [_block("[[canned_answers]]", _canned(each)) for each in organisation.canned_answers]
    blocks += [_lines("web_forms", form_table(each)) for each in organisation.web_forms]
    if organisation.portal is not None:
        blocks.append(_block("[portal]", {name: getattr(organisation.portal, name) for name in ("queue", "session")}))
    blocks += [_block("[[gateways]]", {"name": g.name, "queue": g.queue, **g.body}) for g in organisation.gateways]
    for fax in organisation.fax_gateways:
        blocks.append(_block("[[fax_gateways]]", {"sender": fax.name, "queue": fax.queue, "header": fax.header}))
    return "\n".join(blocks)


# The database keeps keys in an order of its own.
_FORM_KEYS = ("name", "text", "kind", "when", "pass_mark", "weight", "highest", "critical", "na", "choices", "sections")


def written(table: str, found: Any) -> Iterator[str]:
    """A table of a file that was read, or each of an array of them."""
    for keys in found if isinstance(found, list) else ():
        yield _table(f"[[{table}]]", keys)
    if isinstance(found, Mapping):
        yield _table(f"[{table}]", found)


def _table(header: str, keys: Mapping[str, Any]) -> str:
    return "\n".join([header, *(f"{_key(key)} = {_spread(value, '')}" for key, value in keys.items()), ""])


def _form(form: FormEntry) -> str:
    return _lines(TABLES[form.kind], {"name": form.name, **form.definition})


def _lines(table: str, keys: Mapping[str, Any]) -> str:
    return "\n".join([f"[[{table}]]", *(f"{key} = {_spread(value, '')}" for key, value in _ordered(keys)), ""])


def _ordered(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    def place(pair: tuple[str, Any]) -> int:
        return _FORM_KEYS.index(pair[0]) if pair[0] in _FORM_KEYS else len(_FORM_KEYS)

    return sorted(table.items(), key=place)


def _spread(value: Any, indent: str) -> str:
    """People read and write these: a line for each table of a list."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        lines = [f"{indent}  {_spread(each, indent + '  ')},\n" for each in value]
        return f"[\n{''.join(lines)}{indent}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_spread(each, indent)}' for key, each in _ordered(value))} }}"
    return _value(value)


def _block(header: str, keys: Mapping[str, Any]) -> str:
    pairs = tuple((key, value) for key, value in keys.items() if value not in (None, {}, (), []))
    return "\n".join([header, *_Pairs(pairs).lines(), ""])


def _unless(default: Any, given: Any) -> Any:
    """None, which is not written, for what is as where the file says nothing."""
    return None if given == default else given


def _other_than(default: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value != default.get(key)}


def _user(user: UserEntry) -> dict[str, Any]:
    return {
        "name": user.name,
        "full_name": user.full_name,
        "role": str(user.role),
        "endpoint": user.endpoint,
        "manager": user.manager,
        "language": user.language,
        "skills": {skill: level for skill, level in user.skills.items() if not skill.startswith(LANGUAGE)},
        "languages": {
            skill.removeprefix(LANGUAGE): level for skill, level in user.skills.items() if skill.startswith(LANGUAGE)
        },
        "capacity": user.capacity,
        "email": user.email,
        "phone": user.phone,
        "notify": [str(way) for way in user.notify],
        "hours": user.hours,
        "signature": user.signature,
        "demo": True if user.demo else None,
    }


def _hours(hours: HoursEntry) -> dict[str, Any]:
    return {
        "name": hours.name,
        "timezone": hours.timezone,
        "weekly": hours.weekly,
        "holidays": hours.holidays,
        "closed": [day.isoformat() for day in hours.closed],
        "open": hours.open,
    }


def _queue(queue: QueueEntry) -> dict[str, Any]:
    default = QueueEntry(name=queue.name)
    level, wrap_up = queue.service_level, queue.wrap_up
    return {
        "name": queue.name,
        "numbers": queue.numbers,
        "default": True if queue.default else None,
        "hours": queue.hours,
        "members": [_member(member) for member in queue.members],
        "needs": queue.needs,
        "steps": [_step(step) for step in queue.steps],
        "language": _spoken(queue.language) or None,
        "default_language": queue.default_language,
        "offers_tickets": queue.offers_tickets or None,
        "offers_tasks": queue.offers_tasks or None,
        "prefer": queue.prefer,
        "prefer_for": _unless(default.prefer_for, queue.prefer_for),
        "prefer_within": _unless(default.prefer_within, queue.prefer_within),
        "strategy": _unless(default.strategy, queue.strategy),
        "proficiency_weight": _unless(default.proficiency_weight, queue.proficiency_weight),
        "service_level": None if level == ServiceLevel() else {"target": level.target, "within": level.within},
        "ring_timeout": _unless(default.ring_timeout, queue.ring_timeout),
        "wrap_up": None if wrap_up == WrapUp() else _wrap_up(wrap_up),
        "tiers": queue.tiers,
        "overflow": [_rule(rule) for rule in queue.overflow],
        "greeting": queue.greeting,
        "closed_announcement": queue.closed_announcement,
        "announce": _announce(queue.announce),
        "survey": None if queue.survey is None else _survey(queue.survey),
        "signature": queue.signature,
    }


def _announce(announce: Announce | None) -> dict[str, Any]:
    if announce is None:
        return {}
    keys = {"position": announce.position or None, "wait": announce.wait or None, "every": announce.every}
    return {key: value for key, value in keys.items() if value is not None}


def _step(step: Step) -> dict[str, Any]:
    keys = {"after": step.after, "needs": step.needs, "language": _spoken(step.language)}
    return {key: value for key, value in keys.items() if value is not None}


def _spoken(level: int | None) -> bool | int | None:
    return bool(level) if level in (0, 1) else level


def _member(member: Member) -> Any:
    if not member.delay and not member.age_shift:
        return member.agent
    keys = {"agent": member.agent, "delay": member.delay or None, "age_shift": member.age_shift or None}
    return {key: value for key, value in keys.items() if value is not None}


def _rule(rule: Overflow) -> dict[str, Any]:
    keys = {
        "after": rule.after,
        "expected": rule.expected,
        "to": rule.to,
        "lend": rule.lend,
        "treatment": None if rule.treatment is None else str(rule.treatment),
    }
    return {key: value for key, value in keys.items() if value is not None}


def _wrap_up(wrap_up: WrapUp) -> dict[str, Any]:
    keys: dict[str, Any] = {"mode": str(wrap_up.mode) if wrap_up.mode is not WrapUpMode.OPTIONAL else None}
    keys |= {"limit": wrap_up.limit, "dispositions": wrap_up.dispositions or None}
    return {key: value for key, value in keys.items() if value is not None}


def _survey(rules: SurveyRules) -> dict[str, Any]:
    default = SurveyRules(ask=rules.ask, bad=BAD[rules.ask])
    keys = {name: getattr(rules, name) for name in ("bad", "delay", "not_again", "valid", "change_within")}
    keys |= {name: getattr(rules, name) for name in ("prompt", "again", "thanks", "form")}
    keys["by"] = default.by if rules.by == default.by else tuple(map(str, rules.by))
    return {"ask": str(rules.ask)} | {key: value for key, value in keys.items() if value != getattr(default, key)}


def _policy(policy: PolicyEntry) -> dict[str, Any]:
    return {
        "name": policy.name,
        "when": policy.when,
        "hours": policy.hours,
        # Not a tuple: that nothing pauses must be said.
        "pauses": None if policy.pauses == PAUSES else dict.fromkeys(policy.pauses).keys(),
        **policy.targets,
        "escalations": policy.escalations,
    }


def _webhook(webhook: WebhookEntry) -> dict[str, Any]:
    return {"name": webhook.name, "url": webhook.url, "events": webhook.events}


def _mailbox(mailbox: MailboxEntry) -> dict[str, Any]:
    return {
        "address": mailbox.name,
        "queue": mailbox.queue,
        "language": mailbox.language,
        "closed": None if mailbox.closed == "reopen" else mailbox.closed,
        "acknowledge": None if mailbox.acknowledge else False,
        "new_after": mailbox.new_after,
        "closing_note": mailbox.closing_note or None,
    }


def _mail(rules: MailRules) -> dict[str, Any]:
    usual = MailRules()
    keys = {each.name: getattr(rules, each.name) for each in fields(rules)}
    return {key: value for key, value in keys.items() if value != getattr(usual, key)}


def _letter(letter: LetterEntry) -> dict[str, Any]:
    return {
        "kind": letter.kind.value,
        "queue": letter.queue,
        "language": letter.language,
        "subject": letter.subject,
        "text": letter.text,
    }


def _canned(entry: CannedEntry) -> dict[str, Any]:
    return {"name": entry.name, "text": entry.texts.get("", entry.texts), "queue": entry.queue}


def _tickets(rules: TicketRules) -> Iterator[str]:
    if rules.types or rules.categories:
        yield _block("[tickets]", {"types": rules.types, "categories": rules.categories})
    yield from (_block("[[tickets.fields]]", _field(each)) for each in rules.fields)


def _field(field: TicketField) -> dict[str, Any]:
    case = field.required
    required = None if case is None else True if case == Case() else write_case(case)
    keys = {"name": field.name, "type": str(field.kind), "title": field.title, "choices": field.choices}
    return {**keys, "required": required}


def value_text(value: Any) -> str:
    """A value as it stands behind its key."""
    return _spread(value, "")


def _key(key: str) -> str:
    return key if key and set(key) <= _BARE else _text(key)


def _text(text: str) -> str:
    # JSON's escapes are among TOML's; TOML wants DEL escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case timedelta():
            return _text(format_duration(value))
        case date():
            return value.isoformat()
        case str():
            return _text(value)
        case int() | float():
            return repr(value)
        case Mapping():
            inner = ", ".join(_Pairs(tuple(value.items())).lines())
            return f"{{ {inner} }}" if inner else "{}"
        case Iterable():
            return f"[{', '.join(_value(each) for each in value)}]"
        case _:
            raise TypeError(f"{type(value).__name__} has no place in an organisation file")

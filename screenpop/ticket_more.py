"""What stands beside a ticket, in words: its own fields, other tickets, the contract, what was changed; no IO."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.domain.ticket import TicketState
from callcenter.domain.ticket_rules import SEPARATOR, Case, TicketField
from callcenter.store.directory import Directory
from callcenter.store.ticket_family import Past
from screenpop import words
from screenpop.desk import zone_of
from screenpop.entitled import contract_view, value_view
from screenpop.i18n import Language
from screenpop.pop import cut

_FIELD = "fields."


@dataclass(frozen=True, slots=True)
class FieldView:
    """One of the organisation's own fields. `needed`: when it must be filled in, in words; `missing`: now."""

    name: str
    kind: str
    title: str
    value: str
    choices: Sequence[str]
    needed: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Kin:
    """Tickets that are the same to this one."""

    slug: str
    title: str
    tickets: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One field of one change."""

    field: str
    before: str
    after: str
    by: str
    when: str
    exactly: str


def ticket_more(
    row: Mapping[str, Any], directory: Directory, language: Language, *, now: datetime
) -> dict[str, object]:
    """For the panels of `ticket/_ticket.html`, of a row of the query `page`."""
    rules, zone = directory.ticket_rules, zone_of(directory)
    today = now.astimezone(zone).date()
    missing = {
        field.name
        for field in rules.missing(
            row["fields"], state=TicketState(row["state"]), kind=row["type"], category=row["category"]
        )
    }
    tree = rules.tree()
    return {
        "types": _with(rules.types, row["type"]),
        "type": row["type"] or "",
        "tree": [(each, path_of(each)) for each in (_with(tree, row["category"]) if tree else ())],
        "tags": row["tags"],
        "followers": [(each, _person(each, directory, language)) for each in row["followers"]],
        "own_fields": [
            FieldView(
                name=field.name,
                kind=field.kind.value,
                title=field.title_in(language.code),
                value=_text(row["fields"].get(field.name)),
                choices=_with(field.choices, _text(row["fields"].get(field.name))),
                needed="" if field.required is None else needed_said(field.required, language),
                missing=field.name in missing,
            )
            for field in rules.fields
        ],
        "kin": list(_kin(row["family"], language)),
        "merged": row["merged_into"] is not None,
        "ties": [(slug, language.label(words.TIE, slug)) for slug in words.TIE],
        "more_customers": [{**each, "name": cut(each["name"])} for each in row["more_customers"]],
        "pop": {
            "contracts": [contract_view(card, language, today=today) for card in row["contracts"]],
            "value": value_view(row["value"], language, today=today, zone=zone),
        },
        "macros": [(each.name, each.title) for each in directory.rules.macros.values()],
    }


def path_of(category: str) -> str:
    """From the root down to it, as it stands in a list of the tree."""
    return category.replace(SEPARATOR, f" {SEPARATOR} ")


def _with(known: Sequence[str], value: str | None) -> Sequence[str]:
    """The choices, and what is chosen though it is none of them any more."""
    return known if not value or value in known else (*known, value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _person(ident: int, directory: Directory, language: Language) -> str:
    user = directory.users.get(ident)
    return user.full_name if user else language.gettext("somebody who left")


def needed_said(case: Case, language: Language) -> str:
    """When a field must be filled in."""
    said = [
        *(language.label(words.TICKET_STATE, each) for each in case.state),
        *case.type,
        *case.category,
    ]
    return language.gettext("needed: %(when)s") % {"when": ", ".join(said)} if said else language.gettext("needed")


def _kin(family: Iterable[Mapping[str, Any]], language: Language) -> Iterable[Kin]:
    rows = list(family)
    for slug in words.KIN:
        found = [
            {**each, "subject": cut(each["subject"]), "state_name": language.label(words.TICKET_STATE, each["state"])}
            for each in rows
            if each["kin"] == slug
        ]
        if found:
            yield Kin(slug, language.label(words.KIN, slug), found)


def field_title(name: str, directory: Directory, language: Language) -> str:
    """What a field of a ticket is called; the organisation's own are `fields.…`."""
    if name.startswith(_FIELD):
        known = {field.name: field for field in directory.ticket_rules.fields}
        own = name.removeprefix(_FIELD)
        return known[own].title_in(language.code) if own in known else own
    return language.label(words.TICKET_FIELD, name)


def value_said(name: str, value: object, directory: Directory, language: Language) -> str:
    """A value of a field as it is shown; other tickets, customers and contacts only by their ids, which say nothing."""
    if isinstance(value, list):
        return ", ".join(said for each in value if (said := value_said(name, each, directory, language)))
    match name:
        case "queue":
            queue = directory.queues.get(_ident(value))
            return queue.name if queue else language.gettext("none")
        case "owner":
            user = directory.users.get(_ident(value))
            return user.full_name if user else language.gettext("Nobody")
        case "followers":
            return _person(_ident(value), directory, language) if value else ""
        case "state" | "priority":
            return language.label({"state": words.TICKET_STATE, "priority": words.PRIORITY}[name], _text(value))
        case "subject" | "category" | "type" | "tags":
            return cut(_text(value))
    return cut(_text(value)) if name.startswith(_FIELD) else ""


def _ident(value: object) -> int:
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() else 0


def steps_of(past: Iterable[Past], directory: Directory, language: Language, *, now: datetime) -> Sequence[Step]:
    """What was changed, the latest first."""
    zone = zone_of(directory)

    def by(each: Past) -> str:
        user = directory.users.get(each.actor or 0)
        return user.full_name if user else each.rule or language.gettext("a rule")

    return [
        Step(
            field=field_title(each.field, directory, language),
            before=value_said(each.field, each.before, directory, language) if each.before is not None else "",
            after=value_said(each.field, each.after, directory, language) if each.after is not None else "",
            by=by(each),
            when=language.when(each.at, now, zone),
            exactly=language.exactly(each.at, zone),
        )
        for each in past
    ]


def missing_said(missing: Iterable[TicketField], language: Language) -> str:
    names = ", ".join(field.title_in(language.code) for field in missing)
    return language.gettext("First fill in: %(names)s.") % {"names": names}

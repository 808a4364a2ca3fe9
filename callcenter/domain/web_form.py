"""A form on a web page: its fields, what people may write in them, and the message that it becomes; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any

from callcenter.domain.address import read_address
from callcenter.domain.customer import AddressKind
from callcenter.domain.form import Texts, in_language
from callcenter.errors import Invalid

LONGEST_LINE = 200
LONGEST_TEXT = 20_000
_LONGEST_SUBJECT = 200
_LARGEST = 2**53  # beyond it JSON loses digits


class FieldKind(StrEnum):
    TEXT = "text"  # one line
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"  # a day, as 2026-12-31
    CHOICE = "choice"
    EMAIL = "email"
    PHONE = "phone"
    FILE = "file"  # one or several


# What an answer is for us, besides a line of the message, and which kinds of fields can be that.
GOALS: Mapping[str, frozenset[FieldKind]] = {
    "name": frozenset({FieldKind.TEXT}),
    "subject": frozenset({FieldKind.TEXT, FieldKind.CHOICE}),
    "text": frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT}),
    "category": frozenset({FieldKind.CHOICE}),
    "ticket": frozenset({FieldKind.TEXT}),
}
OWN_FIELD = "fields."
_AS_FIELDS = frozenset({FieldKind.TEXT, FieldKind.NUMBER, FieldKind.DATE, FieldKind.CHOICE})


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    text: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """`to`: name, subject, text, category, ticket (its number with the token, as our letters have it) or `fields.x`."""

    name: str
    kind: FieldKind
    text: Texts
    hint: Texts = ""
    required: bool = False
    to: str | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebForm:
    """`per_hour`: submissions from one network address; `at_least`: sooner than this after it was drawn nobody is done.

    `sites`: origins of pages that may send it by REST; `signed`: by REST too only with a token that was fetched.
    `callback`: its page offers a call; one of its fields is the phone number.
    """

    name: str
    queue: str
    title: Texts
    fields: tuple[FormField, ...]
    intro: Texts = ""
    thanks: Texts = ""
    category: str | None = None
    sites: tuple[str, ...] = ()
    per_hour: int = 10
    at_least: timedelta = timedelta(seconds=3)
    signed: bool = False
    acknowledge: bool = True
    callback: bool = False

    def field_to(self, goal: str) -> FormField | None:
        return next((each for each in self.fields if each.to == goal), None)

    @property
    def files(self) -> FormField | None:
        return next((each for each in self.fields if each.kind is FieldKind.FILE), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """Where customers see their own cases. `queue`: where new ones go; `session`: how long a visit lasts."""

    queue: str
    session: timedelta = timedelta(days=30)


def can_be(kind: FieldKind, goal: str) -> bool:
    return kind in (_AS_FIELDS if goal.startswith(OWN_FIELD) else GOALS.get(goal, frozenset()))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was filled in, by field; `wrong`: what is to be written otherwise, in words."""

    values: Mapping[str, Any]
    wrong: Mapping[str, str]


def read_values(form: WebForm, given: Mapping[str, Any], *, region: str, files: int = 0) -> Reading:
    """`given` as a page or a program sends it: texts, and numbers from programs. `files`: how many are sent with it."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for each in form.fields:
        if each.kind is FieldKind.FILE:
            if each.required and not files:
                wrong[each.name] = "Choose a file."
            continue
        raw = given.get(each.name)
        raw = raw.replace("\r\n", "\n").strip() if isinstance(raw, str) else raw
        if raw in (None, ""):
            if each.required:
                wrong[each.name] = "This is needed."
            continue
        try:
            values[each.name] = _value(each, raw, region=region)
        except Invalid as error:
            wrong[each.name] = str(error)
    known = {each.name for each in form.fields}
    wrong |= {name: "The form has no such field." for name in given if name not in known}
    return Reading(values, wrong)


def _value(field: FormField, raw: Any, *, region: str) -> Any:
    if field.kind is FieldKind.NUMBER:
        return _number(raw)
    if not isinstance(raw, str) or any(ord(char) < 32 and char not in "\n\t" for char in raw):
        raise Invalid("Write text here.")
    if len(raw) > (LONGEST_TEXT if field.kind is FieldKind.LONG_TEXT else LONGEST_LINE):
        raise Invalid("This is too long.")
    if field.kind is not FieldKind.LONG_TEXT and not raw.isprintable():
        raise Invalid("Write one line here.")
    match field.kind:
        case FieldKind.DATE:
            return _day(raw)
        case FieldKind.CHOICE if raw not in {each.name for each in field.choices}:
            raise Invalid("Choose one of these.")
        case FieldKind.EMAIL:
            return _address(AddressKind.EMAIL, raw, region, "This is no e-mail address.")
        case FieldKind.PHONE:
            return _address(AddressKind.PHONE, raw, region, "This is no phone number.")
        case _:
            return raw


def _number(raw: Any) -> int | float:
    try:
        number = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or not isfinite(number) or abs(number) > _LARGEST:
        raise Invalid("Write a number.")
    return int(number) if number == int(number) else number


def _day(raw: str) -> str:
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError:
        raise Invalid("Write a day like 2026-12-31.") from None


def _address(kind: AddressKind, raw: str, region: str, otherwise: str) -> str:
    try:
        return read_address(kind, raw, region=region).value
    except Invalid:
        raise Invalid(otherwise) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a filled form is for us. `address_kind` None: it says nothing of how to reach the customer."""

    address_kind: AddressKind | None
    address: str | None
    name: str | None
    subject: str
    text: str
    category: str | None
    reference: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)


def case_of(form: WebForm, values: Mapping[str, Any], *, language: str) -> Case:
    """The mail address is where answers go, else the phone number. `language`: of the house, for its agents to read.

    Everything that was filled in stands in the text, so that nothing is lost where a ticket has no place for it; but
    for fields without words of their own, whose answers say themselves what they are.
    """
    by_goal = {each.to: values[each.name] for each in form.fields if each.to and each.name in values}
    mail, phone = (_first(form, values, kind) for kind in (FieldKind.EMAIL, FieldKind.PHONE))
    title = in_language(form.title, language)
    lines = [
        f"{in_language(each.text, language)}: {_shown(each, values[each.name], language)}"
        for each in form.fields
        if each.name in values and each.text and each.to not in ("text", "ticket")
    ]
    words = str(by_goal.get("text", ""))
    subject_field = form.field_to("subject")
    if subject_field is not None and subject_field.name in values:
        subject = _shown(subject_field, values[subject_field.name], language)
    else:
        subject = ": ".join(filter(None, [title, " ".join(words.split())]))
    return Case(
        address_kind=AddressKind.EMAIL if mail else AddressKind.PHONE if phone else None,
        address=mail or phone,
        name=by_goal.get("name"),
        subject=_line(subject) or form.name,
        text="\n\n".join(filter(None, [words, "\n".join(lines)])) or title,
        category=by_goal.get("category") or form.category,
        reference=by_goal.get("ticket"),
        fields={goal.removeprefix(OWN_FIELD): value for goal, value in by_goal.items() if goal.startswith(OWN_FIELD)},
    )


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_SUBJECT].strip()


def _first(form: WebForm, values: Mapping[str, Any], kind: FieldKind) -> str | None:
    return next((values[each.name] for each in form.fields if each.kind is kind and each.name in values), None)


def _shown(field: FormField, value: Any, language: str) -> str:
    return next((in_language(each.text, language) for each in field.choices if each.name == value), str(value))

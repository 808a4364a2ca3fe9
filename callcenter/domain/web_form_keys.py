"""The keys of an organisation file's web forms and of its portal, and what may stand in each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from callcenter.domain.duration import format_duration
from callcenter.domain.form_keys import Texts
from callcenter.domain.organisation_keys import Duration, Positive, Slug, Table, in_words
from callcenter.domain.ticket_keys import Category
from callcenter.domain.web_form import GOALS, OWN_FIELD, Choice, FieldKind, FormField, Portal, WebForm, can_be
from callcenter.errors import Invalid
from callcenter.toml import Document, Problem

_GOAL = re.compile(rf"{'|'.join(GOALS)}|fields\.[a-z][a-z0-9_]{{0,39}}")


def _goal(value: str) -> str:
    if not _GOAL.fullmatch(value):
        raise Invalid(f'expected {", ".join(GOALS)}, or a field of tickets like "fields.serial"')
    return value


def _site(value: str) -> str:
    if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?", value):
        raise Invalid("expected a site like https://www.example.com, in small letters and without a path")
    return value


FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class ChoiceTable(Table):
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    text: Texts


class FieldTable(Table):
    name: FieldName
    kind: FieldKind
    text: Texts
    hint: Texts | Literal[""] = ""
    required: bool = False
    to: Annotated[str, AfterValidator(in_words(_goal))] | None = None
    choices: Annotated[tuple[ChoiceTable, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _fits(self) -> "FieldTable":
        if (self.kind is FieldKind.CHOICE) != (len(self.choices) > 1):
            raise ValueError("a choice has two choices or more, and other fields have none")
        names = [each.name for each in self.choices]
        if len(set(names)) < len(names):
            raise ValueError("two choices have the same name")
        if self.to is not None and not can_be(self.kind, self.to):
            raise ValueError(f"a field of kind {self.kind} cannot be the {self.to} of a case")
        return self

    def field(self) -> FormField:
        choices = tuple(Choice(each.name, each.text) for each in self.choices)
        given = {name: getattr(self, name) for name in ("name", "kind", "text", "hint", "required", "to")}
        return FormField(**given, choices=choices)


class WebFormTable(Table):
    name: Slug
    queue: Slug
    title: Texts
    intro: Texts | Literal[""] = ""
    thanks: Texts | Literal[""] = ""
    category: Category | None = None
    sites: Annotated[tuple[Annotated[str, AfterValidator(in_words(_site))], ...], Field(max_length=50)] = ()
    per_hour: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 10
    at_least: Duration = timedelta(seconds=3)
    signed: bool = False
    acknowledge: bool = True
    callback: bool = False
    fields: Annotated[tuple[FieldTable, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _tells_apart(self) -> "WebFormTable":
        for what in ("name", "to"):
            found = [value for each in self.fields if (value := getattr(each, what)) is not None]
            if twice := next((value for value in found if found.count(value) > 1), None):
                raise ValueError(f"two fields have the same {what}, {twice}")
        if sum(each.kind is FieldKind.FILE for each in self.fields) > 1:
            raise ValueError("one field of kind file is enough: it takes several")
        if self.callback and all(each.kind is not FieldKind.PHONE for each in self.fields):
            raise ValueError("a form with callback needs a field of kind phone, for the number to call")
        return self

    def form(self) -> WebForm:
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "fields"}
        return WebForm(**given, fields=tuple(each.field() for each in self.fields))


class PortalTable(Table):
    queue: Slug
    session: Positive = timedelta(days=30)

    def rules(self) -> Portal:
        return Portal(queue=self.queue, session=self.session)


_FORM = TypeAdapter(WebFormTable)


def form_table(form: WebForm) -> dict[str, Any]:
    """As a file says it, and as it is kept: what has its default is left out."""
    table = _given(form, WebForm(name="", queue="", title="", fields=()))
    if "at_least" in table:
        table["at_least"] = format_duration(form.at_least)
    default = FormField(name="", kind=FieldKind.FILE, text="")
    table["fields"] = [_given(each, default) | _choices(each) for each in form.fields]
    return table


def _choices(field: FormField) -> dict[str, Any]:
    return {"choices": [_given(each, Choice("", "")) for each in field.choices]} if field.choices else {}


def _given(entry: Any, default: Any) -> dict[str, Any]:
    found = {each.name: getattr(entry, each.name) for each in fields(entry)}
    return {
        name: list(value) if isinstance(value, tuple) else str(value) if isinstance(value, FieldKind) else value
        for name, value in found.items()
        if value != getattr(default, name) or name in ("name", "kind")
    }


def form_of(table: Mapping[str, Any]) -> WebForm:
    """What `form_table` wrote."""
    return _FORM.validate_python(table).form()


def misfits(document: Document) -> Iterator[Problem]:
    """Fields of tickets and categories that the file itself does not declare, though it declares some."""
    tickets = document.data.get("tickets")
    forms = document.data.get("web_forms")
    if not isinstance(tickets, dict) or not isinstance(forms, list):
        return
    declared = tickets.get("fields")
    known = {each.get("name") for each in (declared if isinstance(declared, list) else ()) if isinstance(each, dict)}
    for index, form in enumerate(forms):
        fields = form.get("fields") if isinstance(form, dict) else None
        for at, each in enumerate(fields if isinstance(fields, list) else ()):
            goal = each.get("to") if isinstance(each, dict) else None
            if isinstance(goal, str) and goal.startswith(OWN_FIELD) and goal.removeprefix(OWN_FIELD) not in known:
                where = ("web_forms", index, "fields", at, "to")
                yield document.problem(where, f"there is no field {goal.removeprefix(OWN_FIELD)!r} in [tickets]")

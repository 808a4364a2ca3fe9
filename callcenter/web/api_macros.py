"""Macros over REST: what agents do to tickets in one step."""

from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from callcenter.actions import rules
from callcenter.errors import CallcenterError, NotFound
from callcenter.web.auth import identity
from callcenter.web.body import ID, STRICT, Id, Line, answer, path_id, path_name, read_body
from callcenter.web.keys import CLOCK, DIRECTORY, LOG
from callcenter.web.openapi import operation
from callcenter.web.versions import expected_version


@dataclass(frozen=True, slots=True)
class MacroItem:
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class ChosenMacro:
    __pydantic_config__ = STRICT
    macro: Line


@dataclass(frozen=True, slots=True)
class ChosenTickets:
    __pydantic_config__ = STRICT
    tickets: Annotated[list[Id], Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`refused`: why nothing was done to this one; null when all was."""

    ticket: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class Macros:
    items: list[MacroItem]


@dataclass(frozen=True, slots=True)
class Outcomes:
    items: list[Outcome]


@operation("GET", "/macros", summary="The macros that there are", tag="tickets", answer=Macros)
async def list_macros(request: web.Request) -> web.StreamResponse:
    found = request.app[DIRECTORY].rules.macros.values()
    return answer(Macros([MacroItem(each.name, each.title) for each in found]))


async def _apply(request: web.Request, macro: str, ticket: int, version: int | None) -> None:
    await rules.apply_macro(
        request.app[LOG],
        request.app[DIRECTORY],
        macro,
        ticket=ticket,
        version=version,
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
    )


@operation(
    "POST", f"/tickets/{ID}/macro", summary="Apply a macro to a ticket; If-Match names the version that was seen",
    tag="tickets", body=ChosenMacro, answer=Outcome, acts=True, refusals=(412,),
)  # fmt: skip
async def post_macro(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, ChosenMacro)
    await _apply(request, given.macro, path_id(request), expected_version(request))
    return answer(Outcome(path_id(request), None))


@operation(
    "POST", "/macros/{name}/apply", summary="Apply a macro to several tickets; each is done or refused by itself",
    tag="tickets", body=ChosenTickets, answer=Outcomes,
)  # fmt: skip
async def post_macro_to_many(request: web.Request) -> web.StreamResponse:
    given, name = await read_body(request, ChosenTickets), path_name(request)
    if name not in request.app[DIRECTORY].rules.macros:
        raise NotFound(f"There is no macro named {name}.")
    outcomes = []
    for ticket in dict.fromkeys(given.tickets):
        try:
            await _apply(request, name, ticket, None)
        except CallcenterError as error:
            outcomes.append(Outcome(ticket, str(error)))
        else:
            outcomes.append(Outcome(ticket, None))
    return answer(Outcomes(outcomes))


def routes() -> list[web.RouteDef]:
    return [each.route() for each in (list_macros, post_macro, post_macro_to_many)]

"""What went wrong, as RFC 9457 problem documents: a sentence for people, fields for programs, never a stack trace."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from aiohttp import web

from callcenter.errors import (
    CallcenterError,
    ChannelError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Outdated,
    TooMany,
    Unauthorized,
)
from callcenter.toml import BadFile

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """Which part of what was sent is wrong (`customer.addresses[0].value`), and why."""

    field: str
    message: str
    line: int | None = None  # from 1, where a text was sent


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    title: str
    detail: str
    type: str = "about:blank"
    errors: tuple[FieldError, ...] = ()
    request_id: str = ""


class Refused(CallcenterError):
    """An answer that HTTP has a status for and the domain has no word for (400, 412, 413, 415…)."""

    def __init__(self, status: int, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = tuple(errors)


class InvalidFields(Invalid):
    """Several parts of what was sent are wrong; all of them are named."""

    def __init__(self, message: str, *, errors: Sequence[FieldError]) -> None:
        super().__init__(message, field=errors[0].field if errors else None)
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class _Reading:
    status: int
    errors: tuple[FieldError, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def _wrong_parts(error: Invalid) -> tuple[FieldError, ...]:
    match error:
        case BadFile():
            return tuple(FieldError(each.key, each.expected, each.line) for each in error.problems)
        case InvalidFields():
            return error.errors
        case _:
            return (FieldError(error.field, str(error)),) if error.field else ()


def _read(error: CallcenterError) -> _Reading:
    match error:
        case Refused():
            return _Reading(error.status, error.errors)
        case Invalid():
            return _Reading(422, _wrong_parts(error))
        case NotFound():
            return _Reading(404)
        case Conflict():
            return _Reading(412 if isinstance(error, Outdated) else 409)
        case Forbidden():
            return _Reading(403)
        case Unauthorized():
            return _Reading(401, headers={"WWW-Authenticate": 'Bearer realm="callcenter"'})
        case TooMany():
            after = {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}
            return _Reading(429, headers=after)
        case ChannelError():
            return _Reading(502 if error.permanent else 503)
        case _:
            return _Reading(400)


def problem_of(error: CallcenterError) -> tuple[Problem, dict[str, str]]:
    """The document for one of our errors, and the headers that go with it."""
    reading = _read(error)
    detail = str(error) or HTTPStatus(reading.status).description
    problem = Problem(reading.status, HTTPStatus(reading.status).phrase, detail, errors=reading.errors)
    return problem, reading.headers


_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not know that method; the Allow header names those it does.",
    413: "What was sent is larger than this address takes.",
}


def problem_of_http(error: web.HTTPException) -> tuple[Problem, dict[str, str]]:
    """The document for an error that aiohttp raised; Allow stays."""
    status = HTTPStatus(error.status)
    detail = _DETAILS.get(status) or status.description or status.phrase
    kept = {name: error.headers[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if name in error.headers}
    return Problem(status.value, status.phrase, detail), kept


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> web.Response:
    document: dict[str, object] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail.encode(errors="replace").decode(),
        "request_id": problem.request_id,
    }
    if problem.errors:
        document["errors"] = [
            {"field": each.field, "message": each.message, **({} if each.line is None else {"line": each.line})}
            for each in problem.errors
        ]
    return web.Response(
        body=orjson.dumps(document), status=problem.status, content_type=MEDIA_TYPE, headers=headers or {}
    )

"""The description of the API, generated from what the handlers say about themselves (OpenAPI 3.1)."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from callcenter.domain.agent import Role
from callcenter.web import auth
from callcenter.web.body import adapter
from callcenter.web.problem import MEDIA_TYPE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler and what it takes and gives. `role` None: open to everybody."""

    handler: Handler
    method: str
    path: str
    summary: str
    tag: str
    role: Role | None = Role.AGENT
    query: type | None = None
    body: type | None = None
    answer: type | None = None
    answer_type: str = "application/json"
    status: int = 200
    also: tuple[int, ...] = ()  # other statuses of success, with the same answer
    acts: bool = False  # moves something that somebody else may have moved first
    refusals: tuple[int, ...] = ()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Nobody gets in unless the operation says so."""
        if self.role is not None:
            auth.require(request, self.role)
        return await self.handler(request)

    def route(self) -> web.RouteDef:
        if self.method == "GET":
            return web.get(self.path, self.handle)
        return web.route(self.method, self.path, self.handle)


def operation(method: str, path: str, **described: Any) -> Callable[[Handler], Operation]:
    """Makes an async function an Operation at a path under /api/v1; the other arguments are the fields of Operation."""

    def describe(handler: Handler) -> Operation:
        return Operation(handler, method, PREFIX + path, **described)

    return describe


def operations(app: web.Application) -> list[Operation]:
    """Those that the application routes to."""
    found = []
    for route in app.router.routes():
        owner = getattr(route.handler, "__self__", None)
        if isinstance(owner, Operation) and route.method == owner.method:
            found.append(owner)
    return found


_PLACE = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, and where, in words."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "line": {"type": "integer", "description": "Of a text that was sent, from 1."},
                },
            },
        },
    },
}
_TITLES = {
    400: "Not JSON, or not HTTP",
    401: "Nobody has signed in",
    403: "Not allowed to whoever asks",
    404: "There is no such thing, or not for whoever asks",
    409: "Somebody else moved it first, or its state does not allow this",
    412: "It was changed since that version; the problem says what",
    413: "Too large",
    415: "Not JSON",
    422: "Understood, but wrong; every wrong field is named",
    429: "Too many",
    503: "The database is out of reach for a moment",
}


Key = tuple[type, JsonSchemaMode]


def _schemas(keys: Iterable[Key]) -> tuple[dict[Key, dict[str, Any]], dict[str, Any]]:
    """The schema of each kind, taken or given, and the definitions that they refer to."""
    inputs: list[tuple[Key, JsonSchemaMode, TypeAdapter[Any]]] = [
        ((kind, mode), mode, adapter(kind)) for kind, mode in dict.fromkeys(keys)
    ]
    found, rest = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
    return {key: found[key, key[1]] for key, _, _ in inputs}, rest.get("$defs", {})


def _parameters(
    each: Operation, schemas: Mapping[Key, dict[str, Any]], names: Mapping[str, Any]
) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for name in _PLACE.findall(each.path):
        schema = {"type": "integer", "minimum": 1} if name == "id" else {"type": "string"}
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    if each.query is not None:
        query: dict[str, Any] = schemas[each.query, "validation"]
        query = names.get(query.get("$ref", "").rpartition("/")[2], query)
        for name, described in query.get("properties", {}).items():
            required = name in query.get("required", ())
            parameters.append({"name": name, "in": "query", "required": required, "schema": described})
    return parameters


def _refusals(each: Operation) -> Iterable[int]:
    # The database may be out of reach for anybody, and a query or a token may be wrong anywhere.
    found = {*each.refusals, 422, 503, 401}
    if each.acts:
        found |= {409}
    if each.role is not None:
        found |= {403}
    if each.body is not None:
        found |= {400, 413, 415}
    if each.method not in auth.SAFE:
        found |= {403}
    if _PLACE.search(each.path):
        found |= {404}
    return sorted(found)


def _refusal(title: str) -> dict[str, Any]:
    return {"description": title, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _describe(each: Operation, schemas: Mapping[Key, dict[str, Any]], names: Mapping[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if each.answer is not None:
        done["content"] = {each.answer_type: {"schema": schemas[each.answer, "serialization"]}}
    responses: dict[str, Any] = {str(status): done for status in (each.status, *each.also)}
    for status in _refusals(each):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    described: dict[str, Any] = {
        "summary": each.summary,
        "tags": [each.tag],
        "operationId": each.handler.__name__,
        "responses": responses,
    }
    if parameters := _parameters(each, schemas, names):
        described["parameters"] = parameters
    if each.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[each.body, "validation"]}},
        }
    described["security"] = [{"token": []}, {"session": [], "csrf": []}] if each.role is not None else []
    return described


def describe(app: web.Application, *, version: str) -> dict[str, Any]:
    """The whole document."""
    found = operations(app)
    taken: list[Key] = [(kind, "validation") for each in found for kind in (each.query, each.body) if kind is not None]
    given: list[Key] = [(each.answer, "serialization") for each in found if each.answer is not None]
    schemas, names = _schemas([*taken, *given])
    paths: dict[str, Any] = {}
    for each in found:
        path = _PLACE.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _describe(each, schemas, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "callcenter",
            "version": version,
            "description": "Times are RFC 3339 in UTC, durations seconds, ids integers. Errors are RFC 9457 problems.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **names},
            "responses": {f"Problem{status}": _refusal(title) for status, title in _TITLES.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": auth.COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": auth.CSRF_HEADER},
            },
        },
    }

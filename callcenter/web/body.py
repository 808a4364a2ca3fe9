"""Reading what a client sent into frozen dataclasses, and writing answers; every error is named with its place."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar, cast

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from callcenter.errors import Invalid, NotFound
from callcenter.web.problem import FieldError, InvalidFields, Refused

T = TypeVar("T")

# For `__pydantic_config__` of whatever a client sends: a misspelt key is an error, not silence.
STRICT = ConfigDict(extra="forbid")

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Text = Annotated[str, Field(max_length=100_000)]

# What a segment of a path must look like to be an id; anything else is no address of ours.
ID = r"{id:[1-9]\d{0,17}}"


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """Building one takes longer than using it, so each is built once."""
    return _adapter(cast("Any", kind))


def _errors(error: ValidationError) -> list[FieldError]:
    found = []
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"]).removeprefix(".")
        found.append(FieldError(path, each["msg"]))
    return found


def _refuse(error: ValidationError) -> InvalidFields:
    errors = _errors(error)
    first = "; ".join(f"{each.field}: {each.message}" if each.field else each.message for each in errors[:3])
    return InvalidFields(f"{first}.", errors=errors)


def _check_storable(text: str, where: str) -> None:
    # PostgreSQL keeps neither NUL nor half a surrogate pair.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid(f"{where} is not UTF-8.", field=where) from None
    if "\x00" in text:
        raise Invalid(f"{where} contains a NUL character.", field=where)


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\x00" in value
        case list():
            return any(_has_nul(each) for each in value)
        case dict():
            return any(_has_nul(key) or _has_nul(each) for key, each in value.items())
        case _:
            return False


async def read_body(request: web.Request, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises Refused (400, 415) and Invalid with every field that is wrong."""
    if request.content_type != "application/json":
        raise Refused(415, "The body must be JSON, with Content-Type: application/json.")
    raw = await request.read()
    try:
        # Checks syntax and depth before the shape, so that the two are told apart.
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"The body is not JSON: {error}.") from None
    try:
        if b"\\u0000" in raw and _has_nul(document):
            raise Invalid("The body contains a NUL character.")
    except RecursionError:
        raise Refused(400, "The body is nested too deep.") from None
    try:
        return adapter(kind).validate_json(raw, strict=True)
    except ValidationError as error:
        raise _refuse(error) from None


async def read_form(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The fields of a form. Raises Refused (400) for what is none."""
    try:
        return await request.post()
    except (ValueError, LookupError, HttpProcessingError):
        raise Refused(400, "The form cannot be read.") from None


def read_query(request: web.Request, kind: type[T]) -> T:
    """The query string as `kind`. Raises Invalid for unknown, repeated and wrong parameters."""
    given: dict[str, str] = {}
    for name, value in request.query.items():
        _check_storable(name, "query")
        _check_storable(value, name)
        if name in given:
            raise Invalid(f"{name} is given twice.", field=name)
        given[name] = value
    try:
        return adapter(kind).validate_python(given)
    except ValidationError as error:
        raise _refuse(error) from None


def path_id(request: web.Request) -> int:
    """The id in the path of a route with `ID`."""
    return int(request.match_info["id"])


def path_name(request: web.Request) -> str:
    """The name in the path of a route with `{name}`."""
    name = request.match_info["name"]
    try:
        _check_storable(name, "name")
    except Invalid:
        raise NotFound("There is nobody of this name.") from None
    return name


def dump(value: object) -> bytes:
    """JSON of dataclasses, enums and times: RFC 3339, UTC as Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=dump(value), status=status, content_type="application/json", headers=headers)


def page(items: list[Any], *, next_after: str | None) -> web.Response:
    """A list as the surface has it; `next_after` is None on the last page."""
    return answer({"items": items, "next": next_after})

"""Files over HTTP: how they are handed out so that they never act in our name, and how they are taken within limits."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from callcenter.errors import TooMany
from callcenter.web.auth import limited_address
from callcenter.web.body import read_form
from callcenter.web.problem import Refused

_MOST_PARTS = 200
_LONGEST_FIELD = 200_000  # bytes
_LONGEST_FIELDS = 500_000  # bytes, of all together
_MOST_AT_ONCE = 3
_READ_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class GivenFile:
    """As a browser sends it; `type` is what the browser says it is."""

    name: str
    type: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it came: of fields of the same name the last one."""

    fields: Mapping[str, str]
    files: Sequence[GivenFile]


def as_download(content: bytes, name: str) -> web.Response:
    """Always to be saved, whatever it calls itself: shown in the page it would act in our name."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }
    return web.Response(body=content, headers=headers)


async def read_bytes(request: web.Request, *, largest: int) -> bytes:
    """The body as it is. Raises Refused (413) as soon as it is too large."""
    whole = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        whole += chunk
        if len(whole) > largest:
            raise Refused(413, f"A file may have {largest / 1_000_000:g} MB.")
    return bytes(whole)


async def read_filled(request: web.Request, *, largest: int, largest_of_all: int) -> Filled:
    """A form with or without files. Raises Refused as soon as a limit is passed (413), or for what is no form (400)."""
    if request.content_type != "multipart/form-data":
        form = await read_form(request)
        return Filled({name: value for name, value in form.items() if isinstance(value, str)}, ())
    fields: dict[str, str] = {}
    files: list[GivenFile] = []
    try:
        reader, parts, left = await request.multipart(), 0, largest_of_all
        left_of_fields = _LONGEST_FIELDS
        while (part := await reader.next()) is not None:
            parts += 1
            if parts > _MOST_PARTS or not isinstance(part, BodyPartReader):
                raise Refused(400, "The form cannot be read.")
            if part.filename is None:
                field = await _part(part, min(_LONGEST_FIELD, left_of_fields), "A field")
                left_of_fields -= len(field)
                fields[part.name or ""] = field.decode(errors="replace")
                continue
            data = await _part(part, min(largest, left), "A file" if left >= largest else "All files together")
            left -= len(data)
            if part.filename or data:  # a field of files into which nothing was put has neither
                files.append(GivenFile(part.filename, part.headers.get("Content-Type"), data))
    except (ValueError, HttpProcessingError):
        raise Refused(400, "The form cannot be read.") from None
    return Filled({name: value.replace("\x00", "") for name, value in fields.items()}, files)


async def _part(part: BodyPartReader, largest: int, what: str) -> bytes:
    whole = bytearray()
    while chunk := await part.read_chunk(65_536):
        whole += chunk
        if len(whole) > largest:
            raise Refused(413, f"{what} may have {largest / 1_000_000:g} MB.")
    return bytes(whole)


class Readings:
    """How many bodies are being read of each address: a slow one holds memory for as long as it takes."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    @asynccontextmanager
    async def one(self, request: web.Request) -> AsyncIterator[None]:
        """Raises TooMany, and Refused (408) for what takes too long."""
        address = limited_address(request)
        if self._of[address] >= _MOST_AT_ONCE:
            raise TooMany("Wait until what you are sending has come.", retry_after=5)
        self._of[address] += 1
        try:
            async with asyncio.timeout(_READ_WITHIN):
                yield
        except TimeoutError:
            raise Refused(408, "This took too long to come.") from None
        finally:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]


READINGS: web.AppKey[Readings] = web.AppKey("readings")

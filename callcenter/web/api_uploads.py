"""Files that go with messages, over REST: uploaded before they are sent, saved by those who read the message."""

from dataclasses import dataclass

from aiohttp import web

from callcenter.actions import uploads
from callcenter.errors import Forbidden, NotFound
from callcenter.store.uploads import SQL
from callcenter.web.auth import Identity, identity
from callcenter.web.body import ID, STRICT, Id, Name, answer, path_id, read_query
from callcenter.web.files import as_download, read_bytes
from callcenter.web.keys import CLOCK, LOG, POOL, SETTINGS
from callcenter.web.openapi import operation
from callcenter.web.rights import readable


@dataclass(frozen=True, slots=True)
class Naming:
    """`name`: what the file is called."""

    __pydantic_config__ = STRICT
    name: Name


@dataclass(frozen=True, slots=True)
class UploadItem:
    """`type`: what its content says it is."""

    id: Id
    name: str
    type: str
    size: int


def owner_of(who: Identity) -> str:
    """Whose an agent's upload is until it is sent."""
    return f"user:{who.user_id}"


@operation(
    "POST", "/uploads", summary="Upload a file (the body as it is), to be sent with a message within a day",
    tag="uploads", query=Naming, answer=UploadItem, status=201, refusals=(413, 429),
)  # fmt: skip
async def post_upload(request: web.Request) -> web.StreamResponse:
    query, largest = read_query(request, Naming), request.app[SETTINGS].largest_upload
    data = await read_bytes(request, largest=largest)
    owner = owner_of(identity(request))
    log, now = request.app[LOG], request.app[CLOCK]()
    ident = await uploads.keep(log, query.name, request.content_type, data, owner=owner, largest=largest, now=now)
    row = await request.app[POOL].fetchrow(SQL.about, ident)
    if row is None:
        raise NotFound("There is no such file.")
    return answer(UploadItem(ident, row["name"], row["type"], row["size"]), status=201)


@operation(
    "GET", f"/uploads/{ID}", summary="A file that was sent with a message; always to be saved", tag="uploads",
    answer=bytes, answer_type="application/octet-stream",
)  # fmt: skip
async def get_upload(request: web.Request) -> web.StreamResponse:
    ident, pool = path_id(request), request.app[POOL]
    row = await pool.fetchrow(SQL.about, ident)
    if row is None:
        raise NotFound("There is no such file.")
    if row["message_id"] is None:
        if row["owner"] != owner_of(identity(request)):
            raise Forbidden("This is the work of somebody else.")
    elif row["ticket_id"] is None and row["interaction_id"] is not None:
        await readable(request, row["interaction_id"])
    return as_download(await pool.fetchval(SQL.data, ident), row["name"])


def routes() -> list[web.RouteDef]:
    return [post_upload.route(), get_upload.route()]

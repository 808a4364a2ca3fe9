"""Solutions over REST: articles with their texts and versions, what is found of them, and what they were good for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from callcenter.actions import solutions as actions
from callcenter.domain.agent import Role
from callcenter.domain.solution import (
    LONGEST_TEXT,
    ShownAt,
    Solution,
    SolutionState,
)
from callcenter.store import solutions as store
from callcenter.store.solutions import PUBLIC, STAFF, Found
from callcenter.web.auth import identity, maybe_identity
from callcenter.web.body import ID, STRICT, Id, Line, Name, answer, path_id, read_body, read_query
from callcenter.web.interactions import TOP
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.limits import check_rate
from callcenter.web.markdown import html_of
from callcenter.web.names import user_id
from callcenter.web.openapi import operation
from callcenter.web.paging import Limit, Page, Place, place_of, read_place
from callcenter.web.rights import readable
from callcenter.web.solutions import changeable, own_language, require_publisher
from callcenter.web.versions import etag, expected_version

_AT = f"/solutions/{ID}"

Language = Annotated[str, Field(max_length=10)]
ArticleText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


@dataclass(frozen=True, slots=True)
class TextItem:
    """`version`: what readers see, 0 before one was published; `latest` is higher while a proposal waits."""

    language: str
    version: int
    latest: int
    title: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionItem:
    """`owner` by name. Texts are Markdown; `html` is the same, safe to show."""

    id: int
    state: SolutionState
    public: bool
    category: str | None
    tags: list[str]
    owner: str | None
    review_on: date | None
    texts: list[TextItem]
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class FoundItem:
    id: int
    language: str
    title: str
    text: str
    public: bool
    category: str | None
    state: SolutionState


@dataclass(frozen=True, slots=True)
class VersionItem:
    language: str
    version: int
    title: str
    text: str
    author: str | None
    at: datetime
    restored_from: int | None
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """`proposed`: with a text that waits to be published. `review_by`: published ones to be looked at by that day."""

    __pydantic_config__ = STRICT
    state: SolutionState | None = None
    public: Literal["true", "false"] | None = None
    category: Line | None = None
    tag: Line | None = None
    proposed: Literal["true", "false"] | None = None
    review_by: date | None = None
    limit: Limit = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    __pydantic_config__ = STRICT
    q: Annotated[str, Field(min_length=1, max_length=200)]
    language: Language | None = None
    limit: Limit = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggest:
    """`text`: what the case is about; or the ticket or interaction, for who has signed in."""

    __pydantic_config__ = STRICT
    text: Annotated[str, Field(max_length=5000)] = ""
    ticket: Id | None = None
    interaction: Id | None = None
    language: Language | None = None
    limit: Annotated[int, Field(ge=1, le=10)] = 5


@dataclass(frozen=True, slots=True)
class NewText:
    __pydantic_config__ = STRICT
    title: Name
    text: ArticleText


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSolution:
    """`texts` by language. Agents write drafts; supervisors may publish at once."""

    __pydantic_config__ = STRICT
    texts: Annotated[dict[str, NewText], Field(min_length=1, max_length=20)]
    public: bool = False
    category: Line | None = None
    tags: list[Line] | None = None
    owner: Line | None = None
    review_on: date | None = None
    publish: bool = False


class SolutionChanges(TypedDict, total=False):
    """What is left out stays; null empties."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    public: bool
    category: Line | None
    tags: list[Line]
    owner: Line | None
    review_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A new version; a proposal unless it is published."""

    __pydantic_config__ = STRICT
    title: Name
    text: ArticleText
    publish: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    __pydantic_config__ = STRICT
    language: Language
    version: Id


def _name(request: web.Request, user: int | None) -> str | None:
    found = request.app[DIRECTORY].users.get(user or 0)
    return found.name if found else None


async def _item(request: web.Request, found: Solution) -> SolutionItem:
    return SolutionItem(
        id=found.id,
        state=found.state,
        public=found.public,
        category=found.category,
        tags=list(found.tags),
        owner=_name(request, found.owner),
        review_on=found.review_on,
        texts=[
            TextItem(each.language, each.live or 0, each.latest, each.title, each.text, await html_of(each.text))
            for each in found.variants
        ],
        created_at=found.created_at,
        updated_at=found.updated_at,
        published_at=found.published_at,
        version=found.version,
    )


async def _say(request: web.Request, found: Solution, *, status: int = 200) -> web.StreamResponse:
    return answer(await _item(request, found), status=status, headers=etag(found.version))


def _found(rows: list[Found]) -> Page[FoundItem]:
    return Page([FoundItem(e.id, e.language, e.title, e.text, e.public, e.category, e.state) for e in rows], None)


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "true"


@operation("GET", "/solutions", summary="List solutions", tag="solutions", query=Filter, answer=Page[SolutionItem])
async def list_solutions(request: web.Request) -> web.StreamResponse:
    query = read_query(request, Filter)
    wanted = store.Filter(
        state=query.state,
        public=_flag(query.public),
        category=query.category,
        tag=query.tag,
        proposed=_flag(query.proposed),
        review_by=query.review_by,
    )
    below = read_place(query.after, start=TOP)
    found = await store.find(request.app[POOL], wanted, below=below, limit=query.limit + 1)
    items = [await _item(request, each) for each in found[: query.limit]]
    return answer(Page(items, place_of(items[-1].id) if len(found) > query.limit else None))


@operation(
    "GET", "/solutions/search", summary="Published solutions with all of the words, the best first", tag="solutions",
    query=Search, answer=Page[FoundItem],
)  # fmt: skip
async def search_solutions(request: web.Request) -> web.StreamResponse:
    query, pool = read_query(request, Search), request.app[POOL]
    language = own_language(request, query.language)
    found = await store.search(pool, query.q, readers=STAFF, language=language, limit=query.limit)
    await actions.note_search(pool, query.q, place=ShownAt.DESK, found=len(found), now=request.app[CLOCK]())
    return answer(_found(found))


@operation(
    "GET", "/solutions/suggest", summary="Solutions about what a text says; without signing in, public ones",
    tag="solutions", role=None, query=Suggest, answer=Page[FoundItem], refusals=(429,),
)  # fmt: skip
async def suggest_solutions(request: web.Request) -> web.StreamResponse:
    query, pool, who = read_query(request, Suggest), request.app[POOL], maybe_identity(request)
    text = query.text
    if who is None:
        check_rate(request)
    elif query.ticket is not None or query.interaction is not None:
        if query.interaction is not None:
            await readable(request, query.interaction)
        case = await store.about(pool, ticket=query.ticket, interaction=query.interaction, reader=who.user_id)
        text = f"{text}\n{case}"
    language = own_language(request, query.language)
    readers = PUBLIC if who is None else STAFF
    return answer(_found(await store.suggest(pool, text, readers=readers, language=language, limit=query.limit)))


@operation(
    "POST", "/solutions", summary="Write a solution", tag="solutions", body=NewSolution, answer=SolutionItem, status=201
)
async def post_solution(request: web.Request) -> web.StreamResponse:
    given, who = await read_body(request, NewSolution), identity(request)
    if given.publish or given.public:
        require_publisher(who)
    found = await actions.create(
        request.app[LOG],
        texts={language: (each.title, each.text) for language, each in given.texts.items()},
        public=given.public,
        category=given.category,
        tags=given.tags or (),
        owner=user_id(request, given.owner, field="owner", active=True) or who.user_id,
        review_on=given.review_on,
        publish=given.publish,
        actor=who.user_id,
        now=request.app[CLOCK](),
    )
    return await _say(request, found, status=201)


@operation("GET", _AT, summary="One solution with its texts", tag="solutions", answer=SolutionItem)
async def get_solution(request: web.Request) -> web.StreamResponse:
    return await _say(request, await store.get(request.app[POOL], path_id(request)))


@operation(
    "PATCH", _AT, summary="Change a solution's properties; If-Match names the version that was seen", tag="solutions",
    body=SolutionChanges, answer=SolutionItem, refusals=(412,),
)  # fmt: skip
async def patch_solution(request: web.Request) -> web.StreamResponse:
    given, ident = await read_body(request, SolutionChanges), path_id(request)
    await changeable(request, ident)
    if given.get("public"):
        require_publisher(identity(request))
    changes: dict[str, Any] = {**given}
    if "owner" in given:
        changes["owner"] = user_id(request, given["owner"], field="owner", active=True)
    return await _move(request, actions.change, changes=changes)


@operation(
    "PUT", f"{_AT}/texts/{{language}}", summary="Save a text in a language as a new version", tag="solutions",
    body=Saved, answer=SolutionItem, refusals=(412,),
)  # fmt: skip
async def put_solution_text(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Saved)
    if given.publish:
        require_publisher(identity(request))
    named: Mapping[str, Any] = {"title": given.title, "text": given.text, "publish": given.publish}
    return await _move(request, actions.save, language=request.match_info["language"], **named)


@operation("GET", f"{_AT}/versions", summary="Every text that was saved", tag="solutions", answer=Page[VersionItem])
async def get_solution_versions(request: web.Request) -> web.StreamResponse:
    pool, ident = request.app[POOL], path_id(request)
    await store.get(pool, ident)
    items = [
        VersionItem(v.language, v.n, v.title, v.text, _name(request, v.author), v.at, v.restored_from, v.live)
        for v in await store.versions(pool, ident)
    ]
    return answer(Page(items, None))


@operation(
    "POST", f"{_AT}/restore", summary="An earlier text once more, as a new version", tag="solutions", body=Restored,
    answer=SolutionItem, refusals=(412,),
)  # fmt: skip
async def post_solution_restore(request: web.Request) -> web.StreamResponse:
    given = await read_body(request, Restored)
    return await _move(request, actions.restore, language=given.language, n=given.version)


@operation(
    "POST", f"{_AT}/publish", summary="Readers see the latest texts from now on", tag="solutions",
    role=Role.SUPERVISOR, answer=SolutionItem, acts=True, refusals=(412,),
)  # fmt: skip
async def post_solution_publish(request: web.Request) -> web.StreamResponse:
    return await _move(request, actions.publish)


@operation(
    "POST", f"{_AT}/retire", summary="Nobody finds it any more; its figures stay", tag="solutions",
    role=Role.SUPERVISOR, answer=SolutionItem, acts=True, refusals=(412,),
)  # fmt: skip
async def post_solution_retire(request: web.Request) -> web.StreamResponse:
    return await _move(request, actions.retire)


async def _move(request: web.Request, act: Any, **named: Any) -> web.StreamResponse:
    found: Solution = await act(
        request.app[LOG],
        path_id(request),
        version=expected_version(request),
        actor=identity(request).user_id,
        now=request.app[CLOCK](),
        **named,
    )
    return await _say(request, found)


def routes() -> list[web.RouteDef]:
    found = (
        list_solutions, search_solutions, suggest_solutions, post_solution,
        get_solution, patch_solution, put_solution_text, get_solution_versions, post_solution_restore,
        post_solution_publish, post_solution_retire,
    )  # fmt: skip
    return [each.route() for each in found]

"""The help pages: public solutions for customers, without signing in, without scripts and without following anybody."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from aiohttp import web
from markupsafe import Markup

from callcenter.actions import solutions
from callcenter.domain.solution import LONGEST_SEARCH, ShownAt, Solution, SolutionState
from callcenter.errors import NotFound
from callcenter.store import solutions as store
from callcenter.store.solutions import PUBLIC, SQL
from callcenter.web.auth import is_https
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, POOL
from callcenter.web.limits import check_rate
from callcenter.web.markdown import html_of
from callcenter.web.solutions import first_day
from screenpop.desk import zone_of
from screenpop.i18n import NAMES, Language
from screenpop.page import HUB, draw, language_of
from screenpop.suggestions import excerpt

_FOUND = 20
_VOTE = "cc_helped"
_YEAR = 365 * 24 * 3600


def _language(request: web.Request) -> Language:
    """The one in the address, so that a link shows what its sender saw; else the reader's."""
    asked = request.query.get("language", "")
    renderer = request.app[HUB].renderer
    return renderer.language(asked) if asked in renderer.languages else language_of(request)


def _common(request: web.Request, language: Language) -> dict[str, object]:
    return {"chosen": request.query.get("language", ""), "suffix": f"?language={language.code}"}


async def get_home(request: web.Request) -> web.StreamResponse:
    """All articles by category, those of one (`category`), or what a search (`q`) finds."""
    check_rate(request)
    pool, language = request.app[POOL], _language(request)
    asked = " ".join(request.query.get("q", "")[:LONGEST_SEARCH].replace("\x00", "").split())
    category = request.query.get("category")
    context: dict[str, object] = {**_common(request, language), "q": asked, "category": category}
    if asked:
        found = await store.search(pool, asked, readers=PUBLIC, language=language.code, limit=_FOUND)
        await solutions.note_search(pool, asked, place=ShownAt.HELP, found=len(found), now=request.app[CLOCK]())
        context["hits"] = [(each.id, each.language, each.title, excerpt(each.text)) for each in found]
        return draw(request, "help/found.html", context, language=language)
    rows = await pool.fetch(SQL.shelf, category or None, category is None, "all", language.code)
    if category is not None and not rows:
        raise NotFound("There is nothing at this address.")
    articles = sorted([(row["category"] or "", row["title"], row["id"], row["language"]) for row in rows])
    context["shelves"] = [
        (name, [each[1:] for each in shelf]) for name, shelf in groupby(articles, lambda each: each[0])
    ]
    return draw(request, "help/home.html", context, language=language)


async def _article(request: web.Request) -> Solution:
    """Raises NotFound for what customers may not see."""
    found = await store.get(request.app[POOL], path_id(request))
    if found.state is not SolutionState.PUBLISHED or not found.public:
        raise NotFound("There is nothing at this address.")
    return found


def _live(found: Solution) -> Solution:
    """Without languages that are not published yet."""
    return replace(found, variants=tuple(each for each in found.variants if each.live is not None))


def language_names(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, NAMES.get(code, code)) for code in codes]


def _voter(request: web.Request) -> bytes | None:
    """The number that this browser keeps for this article is nobody's name; only its hash is stored."""
    token = request.cookies.get(_VOTE, "")
    return hashlib.sha256(token.encode()).digest() if len(token) == 32 else None


async def get_article(request: web.Request) -> web.StreamResponse:
    check_rate(request)
    pool, language = request.app[POOL], _language(request)
    found = _live(await _article(request))
    shown = found.variant(request.query.get("language"), language.code)
    await solutions.note_shown(pool, found.id, place=ShownAt.HELP, day=first_day(request, 1))
    voter = _voter(request)
    said = await pool.fetchval(SQL.own_vote, found.id, voter) if voter is not None else None
    zone, now = zone_of(request.app[DIRECTORY]), request.app[CLOCK]()
    updated = (found.published_at or found.updated_at).astimezone(zone)
    context = {
        **_common(request, language),
        "article": found,
        "shown": shown,
        "html": Markup(await html_of(shown.text)),  # noqa: S704 - cleaned
        "others": language_names([each.language for each in found.variants]),
        "updated": language.date(updated, now.astimezone(zone).year),
        "said": said,
    }
    return draw(request, "help/article.html", context, language=language)


async def post_helped(request: web.Request) -> web.StreamResponse:
    """One vote a browser and article, which may be changed."""
    check_rate(request)
    found = await _article(request)
    form = await read_form(request)
    language = str(form.get("language", ""))
    voter, token = _voter(request), None
    if voter is None:
        token = secrets.token_hex(16)
        voter = hashlib.sha256(token.encode()).digest()
    helped = form.get("helped") == "yes"
    await solutions.vote(request.app[POOL], found.id, voter=voter, helped=helped, now=request.app[CLOCK]())
    here = f"/help/{found.id}"
    known = language in {each.language for each in found.variants}
    response = web.Response(status=303, headers={"Location": f"{here}?language={language}#helped" if known else here})
    if token is not None:
        # For this article's address alone, so that no two visits of different articles can be told to be one person's.
        response.set_cookie(
            _VOTE, token, path=here, max_age=_YEAR, httponly=True, samesite="Lax", secure=is_https(request)
        )
    return response


def routes() -> list[web.RouteDef]:
    return [
        web.get("/help", get_home),
        web.get(f"/help/{ID}", get_article),
        web.post(f"/help/{ID}/helped", post_helped),
    ]

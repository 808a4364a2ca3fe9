"""Pages of calibrations: who is to grade a conversation blind, and how far they are apart once all have."""

from dataclasses import dataclass

from aiohttp import web

from callcenter.actions import quality as actions
from callcenter.domain.agent import RANK, Role
from callcenter.domain.form import FormKind, in_language
from callcenter.domain.scorecard import read_card
from callcenter.errors import CallcenterError, Invalid
from callcenter.store.forms import read_forms
from callcenter.store.quality import SQL
from callcenter.web.api_scorecards import calibration
from callcenter.web.auth import require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop.page import draw, explain, language_of, person_context
from screenpop.quality import percent, read_contact

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Apart:
    """One question: shares of its points, in words; `deviation` in points of a hundred."""

    text: str
    lowest: str
    highest: str
    mean: str
    deviation: str
    applied: int
    graded: int


async def get_list(request: web.Request) -> web.StreamResponse:
    return await _list(request)


async def _list(
    request: web.Request,
    *,
    contact: str = "",
    chosen: frozenset[str] = frozenset(),
    refusal: str = "",
    status: int = 200,
) -> web.Response:
    who = require(request, Role.SUPERVISOR)
    async with request.app[POOL].acquire() as connection:
        cards = [each.name for each in await read_forms(connection) if each.kind is FormKind.SCORECARD]
    users = request.app[DIRECTORY].users.values()
    context = {
        **person_context(request, who, at="quality"),
        "calibrations": await request.app[POOL].fetch(SQL.calibrations, _SHOWN),
        "cards": cards,
        "evaluators": [
            (str(user.id), user.full_name, str(user.id) in chosen)
            for user in users
            if user.active and RANK[user.role] >= RANK[Role.SUPERVISOR]
        ],
        "contact": contact,
        "refusal": refusal,
    }
    return draw(request, "calibrations.html", context, status=status)


async def post_list(request: web.Request) -> web.StreamResponse:
    who, form = require(request, Role.SUPERVISOR), await read_form(request)
    contact, chosen = str(form.get("interaction", "")).strip(), frozenset(map(str, form.getall("evaluator", [])))
    users = request.app[DIRECTORY].users
    may = {str(user.id): user.id for user in users.values() if RANK[user.role] >= RANK[Role.SUPERVISOR]}
    try:
        if chosen - may.keys():
            raise Invalid("Evaluators are supervisors or administrators.", field="evaluator")
        ident = await actions.calibrate(
            request.app[LOG],
            read_contact(contact),
            scorecard=str(form.get("scorecard", "")),
            evaluators=[may[each] for each in sorted(chosen)],
            actor=who.user_id,
            now=request.app[CLOCK](),
        )
    except CallcenterError as error:
        problem = problem_of(error)[0]
        refusal = explain(language_of(request), problem)
        return await _list(request, contact=contact, chosen=chosen, refusal=refusal, status=problem.status)
    raise web.HTTPSeeOther(f"/quality/calibrations/{ident}")


async def get_one(request: web.Request) -> web.StreamResponse:
    who, language = require(request, Role.SUPERVISOR), language_of(request)
    found = await calibration(request, path_id(request))
    row = await request.app[POOL].fetchrow(SQL.calibration, found.id)
    assert row is not None
    texts = {item.name: in_language(item.text, language.code) for item in read_card(row["definition"]).items}
    full = {user.name: user.full_name for user in request.app[DIRECTORY].users.values()}
    context = {
        **person_context(request, who, at="quality"),
        "found": found,
        "graded": [(full[name], percent(found.totals.get(name)) if found.totals else "") for name in found.graded],
        "waiting": [full[name] for name in found.waiting],
        "mine": who.name in found.waiting,
        "spread": [
            Apart(
                texts[each.question],
                _share(each.lowest),
                _share(each.highest),
                _share(each.mean),
                "–" if each.deviation is None else f"{100 * each.deviation:.0f}",
                each.applied,
                each.graded,
            )
            for each in found.spread
        ],
    }
    return draw(request, "calibration.html", context)


def _share(value: float | None) -> str:
    return percent(None if value is None else 100 * value)


async def post_close(request: web.Request) -> web.StreamResponse:
    require(request, Role.SUPERVISOR)
    ident = path_id(request)
    await actions.close_calibration(request.app[LOG], ident, now=request.app[CLOCK]())
    raise web.HTTPSeeOther(f"/quality/calibrations/{ident}")


def routes() -> list[web.RouteDef]:
    at = f"/quality/calibrations/{ID}"
    return [
        web.get("/quality/calibrations", get_list),
        web.post("/quality/calibrations", post_list),
        web.get(at, get_one),
        web.post(f"{at}/close", post_close),
    ]

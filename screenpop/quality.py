"""Pages about the quality of conversations: the evaluator's worklist and form, an agent's own grades, the overview."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from callcenter.actions import quality as actions
from callcenter.domain.agent import Role
from callcenter.domain.evaluation import EvaluationState
from callcenter.domain.form import FormKind, in_language
from callcenter.domain.scorecard import Grade, Item, ItemKind, grade
from callcenter.errors import CallcenterError, Conflict, Invalid
from callcenter.store.forms import read_forms
from callcenter.store.quality import SQL, Evaluation
from callcenter.web.api_quality import Filter, listed, visible
from callcenter.web.api_scorecards import overview
from callcenter.web.auth import Identity, identity, require
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop import words
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.page import draw, explain, language_of, person_context

_SHOWN = 50
_OVER = timedelta(days=30)
STATE = {
    "draft": _("to be graded"),
    "graded": _("graded"),
    "disputed": _("disputed"),
    "upheld": _("upheld"),
    "changed": _("replaced"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One evaluation in a list, in words."""

    id: int
    contact: int
    channel: str
    agent: str
    evaluator: str
    scorecard: str
    state: str
    state_name: str
    total: str
    passed: bool | None
    when: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a scorecard as it is shown; `given`: the value of the chosen answer."""

    name: str
    text: str
    weight: int
    critical: str
    choices: list[tuple[str, str]]
    given: str
    given_name: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A section: `percent` is empty before it is graded."""

    text: str
    percent: str
    items: list[Asked]


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} %"


def _when(request: web.Request, language: Language, at: datetime | None) -> str:
    if at is None:
        return ""
    zone = zone_of(request.app[DIRECTORY])
    local = at.astimezone(zone)
    return f"{language.date(local, request.app[CLOCK]().astimezone(zone).year)} {local:%H:%M}"


def _name(request: web.Request, ident: int | None) -> str:
    user = request.app[DIRECTORY].users.get(ident or 0)
    return "" if user is None else user.full_name


def _row(request: web.Request, language: Language, found: Evaluation) -> Row:
    return Row(
        id=found.id,
        contact=found.interaction,
        channel=language.label(words.CHANNEL, found.channel),
        agent=_name(request, found.agent),
        evaluator=_name(request, found.evaluator),
        scorecard=found.form,
        state=found.state,
        state_name=language.label(STATE, found.state),
        total=percent(found.total) if found.graded_at else "",
        passed=found.passed,
        when=_when(request, language, found.graded_at or found.closed_at),
    )


async def get_page(request: web.Request) -> web.StreamResponse:
    """Supervisors: what is to be graded, what is disputed, and how agents do; agents: their own grades."""
    return await _page(request)


async def _page(request: web.Request, *, refusal: str = "", contact: str = "", status: int = 200) -> web.Response:
    who, language = identity(request), language_of(request)
    context: dict[str, object] = {**person_context(request, who, at="quality"), "refusal": refusal, "contact": contact}
    if who.may(Role.SUPERVISOR):
        context |= await _supervisors(request, language)
    else:
        own = await listed(request, Filter(limit=_SHOWN))
        context["own"] = [_row(request, language, each) for each in own[:_SHOWN]]
    return draw(request, "quality.html", context, status=status)


async def _supervisors(request: web.Request, language: Language) -> dict[str, object]:
    pool, now = request.app[POOL], request.app[CLOCK]()
    waiting = await listed(request, Filter(limit=_SHOWN), worklist=True)
    disputed = await listed(request, Filter(limit=_SHOWN, state=EvaluationState.DISPUTED))
    graded = await listed(request, Filter(limit=10, state=EvaluationState.GRADED))
    figures = overview(request.app[DIRECTORY], await pool.fetch(SQL.graded, now - _OVER, now + _OVER, None))
    full_names = {user.name: user.full_name for user in request.app[DIRECTORY].users.values()}
    async with pool.acquire() as connection:
        cards = [each.name for each in await read_forms(connection) if each.kind is FormKind.SCORECARD]
    return {
        "waiting": [_row(request, language, each) for each in waiting[:_SHOWN]],
        "disputed": [_row(request, language, each) for each in disputed[:_SHOWN]],
        "graded": [_row(request, language, each) for each in graded[:10]],
        "agents": [
            (full_names[each.agent], each.evaluations, percent(each.mean), each.passed, each.disputed)
            for each in figures.agents
        ],
        "questions": [
            (
                in_language(each.text, language.code),
                each.answers,
                percent(None if each.mean is None else 100 * each.mean),
                each.failures,
            )
            for each in sorted(figures.questions, key=lambda each: 2 if each.mean is None else each.mean)
        ],
        "cards": cards,
    }


async def post_begin(request: web.Request) -> web.StreamResponse:
    who, form = require(request, Role.SUPERVISOR), await _fields(request)
    contact = form.get("interaction", "")
    try:
        found = await actions.begin(
            request.app[LOG],
            read_contact(contact),
            scorecard=form.get("scorecard", ""),
            agent=None,
            evaluator=who.user_id,
            now=request.app[CLOCK](),
        )
    except CallcenterError as error:
        problem = problem_of(error)[0]
        refusal = explain(language_of(request), problem)
        return await _page(request, refusal=refusal, contact=contact, status=problem.status)
    raise web.HTTPSeeOther(f"/quality/{found.id}")


def read_contact(text: str) -> int:
    """Its number, as people copy it from a page. Raises Invalid."""
    number = text.removeprefix("#")
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        raise Invalid("That is no number.", field="interaction")
    return int(number)


async def get_one(request: web.Request) -> web.StreamResponse:
    return _one(request, await visible(request, path_id(request)))


def _one(
    request: web.Request,
    found: Evaluation,
    *,
    given: Mapping[str, str] | None = None,
    said: Mapping[str, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> web.Response:
    """`given` and `said`: what stood in the form that was refused."""
    who, language = identity(request), language_of(request)
    result = grade(found.card(), found.answers) if found.graded_at is not None else None
    chosen = {name: _value(answer) for name, answer in found.answers.items()} if given is None else given
    typed = said or {}
    context = {
        **person_context(request, who, at="quality"),
        "one": _row(request, language, found),
        "title": in_language(found.definition.get("text", found.form), language.code),
        "parts": [
            Part(
                in_language(section.text, language.code),
                "" if result is None else percent(result.sections[section.name]),
                [_asked(item, language, chosen.get(item.name, ""), result) for item in section.items],
            )
            for section in found.card().sections
        ],
        "pass_mark": found.definition["pass_mark"],
        "evaluation": found,
        "comment": typed.get("comment", found.comment or ""),
        "reason": typed.get("reason", ""),
        "text": typed.get("text", ""),
        "decided_by": _name(request, found.decided_by),
        "refusal": refusal,
        **_may(found, who),
    }
    return draw(request, "quality_one.html", context, status=status)


def _may(found: Evaluation, who: Identity) -> dict[str, bool]:
    """Which of the page's forms are shown; the actions refuse the others too."""
    judge = who.may(Role.SUPERVISOR) and found.agent != who.user_id
    stands = found.state not in (EvaluationState.DRAFT, EvaluationState.CHANGED) and found.calibration is None
    return {
        "may_grade": judge and found.state is EvaluationState.DRAFT and found.evaluator in (None, who.user_id),
        "may_dispute": found.agent == who.user_id and stands and found.disputed_at is None,
        "may_uphold": judge and found.state is EvaluationState.DISPUTED,
        "may_replace": judge and stands,
    }


def _value(answer: int | None) -> str:
    return "na" if answer is None else str(answer)


def _asked(item: Item, language: Language, given: str, result: Grade | None) -> Asked:
    if item.kind is ItemKind.YES_NO:
        choices = [("1", language.gettext("Yes")), ("0", language.gettext("No"))]
    else:
        choices = [(str(points), str(points)) for points in range(item.highest + 1)]
    if item.na:
        choices.append(("na", language.gettext("Does not apply")))
    return Asked(
        name=item.name,
        text=in_language(item.text, language.code),
        weight=item.weight,
        critical=item.critical or "",
        choices=choices,
        given=given,
        given_name=dict(choices).get(given, "")
        if item.kind is ItemKind.YES_NO or given == "na"
        else (f"{given} / {item.highest}" if given else ""),
        failed=result is not None and item.name in result.failed,
    )


# -- acts: forms of the page of one evaluation


async def _fields(request: web.Request) -> dict[str, str]:
    return {name: value.strip() for name, value in (await read_form(request)).items() if isinstance(value, str)}


async def post_one(request: web.Request) -> web.StreamResponse:
    """What was pressed is told by `act`."""
    ident, form = path_id(request), await _fields(request)
    found = await visible(request, ident)
    given = {name.removeprefix("answers."): value for name, value in form.items() if name.startswith("answers.")}
    try:
        after = await _act(request, found, form, {name: _answer(value) for name, value in given.items() if value})
    except (Invalid, Conflict) as error:
        problem = problem_of(error)[0]
        refusal = explain(language_of(request), problem)
        return _one(request, found, given=given or None, said=form, refusal=refusal, status=problem.status)
    raise web.HTTPSeeOther("/quality" if form.get("act") == "grade" else f"/quality/{after.id}")


def _answer(value: str) -> int | None:
    """Raises Invalid."""
    if value == "na":
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 4):
        raise Invalid("Choose one of the answers.", field="answers")
    return int(value)


async def _act(
    request: web.Request, found: Evaluation, form: Mapping[str, str], answers: Mapping[str, int | None]
) -> Evaluation:
    log, who, now = request.app[LOG], identity(request), request.app[CLOCK]()
    act, comment, ident = form.get("act"), form.get("comment", ""), found.id
    if act == "dispute":
        return await actions.dispute(log, ident, text=form.get("text", ""), agent=who.user_id, now=now)
    by = require(request, Role.SUPERVISOR).user_id
    match act:
        case "save" | "grade":
            return await actions.save(
                log, ident, answers=answers, comment=comment, evaluator=by, now=now, whole=act == "grade"
            )
        case "uphold":
            return await actions.uphold(log, ident, text=form.get("text", ""), actor=by, now=now)
        case "replace":
            reason = form.get("reason", "")
            return await actions.replace(log, ident, answers=answers, comment=comment, reason=reason, actor=by, now=now)
        case _:
            raise Invalid("Choose one of the answers.", field="act")


def routes() -> list[web.RouteDef]:
    at = f"/quality/{ID}"
    return [
        web.get("/quality", get_page),
        web.post("/quality", post_begin),
        web.get(at, get_one),
        web.post(at, post_one),
    ]

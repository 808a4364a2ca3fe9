"""The page behind the links of a survey: open to whoever has one, shown by GET and stored by POST.

Mail scanners follow links, so nothing is stored before somebody presses the button.
"""

from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from callcenter.actions import surveys
from callcenter.actions.surveys import FollowUp
from callcenter.domain import link
from callcenter.domain.survey import LONGEST_COMMENT, read_score
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import surveys as store
from callcenter.store.surveys import Survey
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.letters import SURVEY, language_for
from screenpop.page import HUB, draw, explain, language_of
from screenpop.satisfaction import QUESTION, choices, ends, score_words

# The address is nobody else's business.
_HEADERS = {"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex"}


@dataclass(frozen=True, slots=True)
class _Filled:
    """What stands in the form."""

    score: int | None
    comment: str
    refusal: str = ""


async def _survey(request: web.Request, token: str) -> Survey:
    """Raises Invalid and NotFound for links that lead nowhere."""
    pool = request.app[POOL]
    return await store.get(pool, link.read(await store.link_key(pool), SURVEY, token, now=request.app[CLOCK]()))


def _language(request: web.Request, survey: Survey) -> Language:
    """The one in which they got the mail; without any, that of the browser."""
    if survey.language is None:
        return language_of(request)
    return language_for(request.app[HUB].renderer, survey.language, request.app[DIRECTORY].organisation)


def _page(request: web.Request, token: str, survey: Survey, filled: _Filled, *, status: int = 200) -> web.Response:
    language, zone = _language(request, survey), zone_of(request.app[DIRECTORY])
    now, until = request.app[CLOCK](), survey.open_until().astimezone(zone)
    lowest, highest = ends(survey.ask, language)
    context = {
        "token": token,
        "question": language.gettext(QUESTION[survey.ask]),
        "choices": choices(survey.ask, language),
        "lowest": lowest,
        "highest": highest,
        "filled": filled,
        "answered": survey.score is not None,
        "score_words": "" if survey.score is None else score_words(survey.ask, survey.score, language),
        "open": now < survey.open_until(),
        "until": f"{language.date(until, now.astimezone(zone).year)} {until:%H:%M}",
        "longest": LONGEST_COMMENT,
    }
    response = draw(request, "survey.html", context, status=status, language=language)
    response.headers.update(_HEADERS)
    return response


def _gone(request: web.Request, error: Invalid | NotFound) -> web.Response:
    language = language_of(request)
    problem = problem_of(error)[0]
    expired = isinstance(error, NotFound)
    context = {
        "title": language.gettext("This survey is over.") if expired else language.gettext("This link is not whole."),
        "detail": explain(language, problem),
    }
    return draw(request, "survey_gone.html", context, status=410 if expired else 404, language=language)


async def get_survey(request: web.Request) -> web.StreamResponse:
    token = request.query.get("t", "")
    try:
        survey = await _survey(request, token)
    except (Invalid, NotFound) as error:
        return _gone(request, error)
    score = survey.score
    with suppress(Invalid):  # a mail program spoiled the link; they choose on the page
        score = read_score(survey.ask, request.query.get("score", ""))
    return _page(request, token, survey, _Filled(score, survey.comment or ""))


async def post_survey(request: web.Request) -> web.StreamResponse:
    form = await read_form(request)
    token, comment = str(form.get("t", "")), str(form.get("comment", ""))
    try:
        survey = await _survey(request, token)
    except (Invalid, NotFound) as error:
        return _gone(request, error)
    score: int | None = None
    try:
        score = read_score(survey.ask, str(form.get("score", "")))
        await surveys.answer(
            request.app[LOG],
            survey.id,
            score=score,
            comment=comment,
            follow_up=_follow_up(request, survey, score, comment),
            now=request.app[CLOCK](),
        )
    except (Invalid, Conflict) as error:
        problem = problem_of(error)[0]
        filled = _Filled(score, comment, explain(_language(request, survey), problem))
        return _page(request, token, survey, filled, status=problem.status)
    raise web.HTTPSeeOther(f"/{SURVEY}?t={token}")


def _follow_up(request: web.Request, survey: Survey, score: int, comment: str) -> FollowUp:
    """In the organisation's first language, which those who work on the ticket read."""
    language = language_for(request.app[HUB].renderer, None, request.app[DIRECTORY].organisation)
    words = score_words(survey.ask, score, language)
    note = language.gettext("After contact %(contact)d the customer answered: %(score)s.")
    note %= {"contact": survey.interaction, "score": words}
    return FollowUp(
        subject=language.gettext("Unhappy after a contact: %(score)s") % {"score": words},
        note=f"{note}\n\n{comment.strip()}" if comment.strip() else note,
    )


def routes() -> list[web.RouteDef]:
    return [web.get(f"/{SURVEY}", get_survey), web.post(f"/{SURVEY}", post_survey)]

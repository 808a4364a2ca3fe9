"""The page behind the links of a survey: open to whoever has one, shown by GET and stored by POST.

Mail scanners follow links, so GET stores nothing. In a person's browser the page sends the answer that its link named;
where no script runs, its button does.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from callcenter.actions import opinions, surveys
from callcenter.domain import link
from callcenter.domain.form import in_language
from callcenter.domain.questionnaire import Further, Kind, read_questions
from callcenter.domain.survey import LONGEST_COMMENT, read_score
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.store import surveys as store
from callcenter.store.surveys import Survey
from callcenter.web.api_opinions import WORDS
from callcenter.web.body import read_form
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL
from callcenter.web.problem import problem_of
from screenpop.desk import zone_of
from screenpop.i18n import Language
from screenpop.letters import STOP, SURVEY, language_for
from screenpop.page import HUB, draw, explain, language_of
from screenpop.satisfaction import QUESTION, choices, ends, score_words

# The address is nobody else's business.
_HEADERS = {"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex"}


@dataclass(frozen=True, slots=True)
class _Filled:
    """What stands in the form."""

    score: int | None
    comment: str
    answers: Mapping[str, object] = field(default_factory=dict)
    refusal: str = ""
    clicked: bool = False  # in the mail, and not kept yet


@dataclass(frozen=True, slots=True)
class _Asked:
    """A further question as it is shown."""

    name: str
    kind: Kind
    text: str
    when_bad: bool
    choices: list[tuple[str, str]]
    given: str


def _asked(question: Further, language: Language, given: object) -> _Asked:
    choices = [(str(score), str(score)) for score in range(1, question.highest + 1)]
    if question.kind is Kind.CHOICE:
        choices = [(name, in_language(text, language.code)) for name, text in (question.choices or {}).items()]
    text = in_language(question.text, language.code)
    return _Asked(question.name, question.kind, text, question.when_bad, choices, "" if given is None else str(given))


async def _survey(request: web.Request, token: str, *, purpose: str = SURVEY) -> Survey:
    """Raises Invalid and NotFound for links that lead nowhere."""
    pool = request.app[POOL]
    return await store.get(pool, link.read(await store.link_key(pool), purpose, token, now=request.app[CLOCK]()))


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
        "bad": survey.bad,
        "further": [_asked(each, language, filled.answers.get(each.name)) for each in read_questions(survey.form)],
        "clicked": filled.clicked and now < survey.open_until(),
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
    filled = _Filled(score, survey.comment or "", survey.answers, clicked=score != survey.score)
    return _page(request, token, survey, filled)


async def post_survey(request: web.Request) -> web.StreamResponse:
    form = await read_form(request)
    token, comment = str(form.get("t", "")), str(form.get("comment", ""))
    try:
        survey = await _survey(request, token)
    except (Invalid, NotFound) as error:
        return _gone(request, error)
    score: int | None = None
    questions = read_questions(survey.form)
    answers: dict[str, str] | None = {each.name: str(form.get(f"answers.{each.name}", "")) for each in questions}
    if form.get("only") == "score":  # a click in the mail: what they said before stays
        comment, answers = survey.comment or "", None
    try:
        score = read_score(survey.ask, str(form.get("score", "")))
        await surveys.answer(
            request.app[LOG],
            survey.id,
            score=score,
            comment=comment,
            answers=answers,
            follow_up=request.app[WORDS](survey, score, comment),
            now=request.app[CLOCK](),
        )
    except (Invalid, Conflict) as error:
        problem = problem_of(error)[0]
        kept = survey.answers if answers is None else answers
        filled = _Filled(score, comment, kept, explain(_language(request, survey), problem))
        return _page(request, token, survey, filled, status=problem.status)
    raise web.HTTPSeeOther(f"/{SURVEY}?t={token}")


async def get_stop(request: web.Request) -> web.StreamResponse:
    """Whether they mean it: programs that scan mails come by this way too."""
    token = request.query.get("t", "")
    try:
        survey = await _survey(request, token, purpose=STOP)
    except (Invalid, NotFound) as error:
        return _gone(request, error)
    done = await request.app[POOL].fetchval(store.SQL.has_refused, survey.id)
    return _stop_page(request, survey, {"token": token, "done": done})


async def post_stop(request: web.Request) -> web.StreamResponse:
    """By the page's button, or by that of a mail program (RFC 8058: no cookies, and no redirect)."""
    try:
        survey = await _survey(request, request.query.get("t", ""), purpose=STOP)
    except (Invalid, NotFound) as error:
        return _gone(request, error)
    await opinions.refuse(request.app[LOG], survey.id, now=request.app[CLOCK]())
    return _stop_page(request, survey, {"done": True})


def _stop_page(request: web.Request, survey: Survey, context: Mapping[str, object]) -> web.Response:
    response = draw(request, "survey_stop.html", context, language=_language(request, survey))
    response.headers.update(_HEADERS)
    return response


def routes() -> list[web.RouteDef]:
    return [
        web.get(f"/{SURVEY}", get_survey),
        web.post(f"/{SURVEY}", post_survey),
        web.get(f"/{STOP}", get_stop),
        web.post(f"/{STOP}", post_stop),
    ]

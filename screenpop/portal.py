"""The pages on which customers see their own cases, answer, close, reopen and rate them, and open new ones."""

import secrets
from collections.abc import Mapping

from aiohttp import web

from callcenter.actions import portal
from callcenter.actions.web_in import Limits, NewFile
from callcenter.domain.quotes import said as said_by
from callcenter.domain.survey import read_score
from callcenter.domain.ticket import OVER, TicketState
from callcenter.errors import CallcenterError, Invalid, NotFound
from callcenter.store import portal as store
from callcenter.store import solutions
from callcenter.store.portal import OwnCase
from callcenter.store.solutions import PUBLIC
from callcenter.store.uploads import SQL as UPLOADS
from callcenter.web.api_opinions import WORDS
from callcenter.web.body import ID, path_id, read_form
from callcenter.web.files import READINGS, Filled, as_download, read_filled
from callcenter.web.keys import CLOCK, DIRECTORY, LOG, POOL, SETTINGS
from callcenter.web.limits import check_rate
from callcenter.web.problem import problem_of
from callcenter.web.web_forms import SENT
from screenpop import portal_door
from screenpop.desk import zone_of
from screenpop.i18n import mark as _
from screenpop.letters import language_for
from screenpop.page import HUB, draw
from screenpop.portal_door import PATH, Guest, guest_of, own, page
from screenpop.satisfaction import QUESTION, choices, ends
from screenpop.suggestions import excerpt
from screenpop.web_forms import chosen_language
from screenpop.web_words import CASE_STATE, refusal

_TEXTS_PER_HOUR = 30
_CASES = 100
_SUGGESTED = 4


async def get_home(request: web.Request) -> web.StreamResponse:
    """Their cases, or whose they are."""
    check_rate(request)
    guest = await guest_of(request)
    if guest is None:
        return page(request, "my/come_in.html", {}, chosen_language(request))
    found = await store.cases(request.app[POOL], guest.visitor.address, limit=_CASES)
    views = [_view(guest, each) for each in found]
    return page(request, "my/cases.html", {"visitor": guest.visitor, "cases": views}, guest.language)


# -- one case


def _view(guest: Guest, case: OwnCase) -> dict[str, object]:
    app = guest.request.app
    now, zone = app[CLOCK](), zone_of(app[DIRECTORY])
    return {
        "number": case.number,
        "subject": case.subject,
        "state": guest.language.label(CASE_STATE, case.state),
        "yours": case.state is TicketState.PENDING,
        "over": case.state in OVER,
        "closed": case.state is TicketState.CLOSED,
        "since": guest.language.when(case.created_at, now, zone),
        "changed": guest.language.when(case.updated_at, now, zone),
    }


async def _case_page(
    guest: Guest, case: OwnCase, *, text: str = "", error: CallcenterError | None = None
) -> web.StreamResponse:
    request, language = guest.request, guest.language
    pool, now, zone = request.app[POOL], request.app[CLOCK](), zone_of(request.app[DIRECTORY])
    thread = [
        {
            "mine": each.mine,
            "text": (said_by(each.text) or each.text) if each.mine else each.text,
            "author": each.author or "",
            "when": language.when(each.at, now, zone),
            "exactly": language.exactly(each.at, zone),
            "files": each.files,
        }
        for each in await store.messages(pool, guest.visitor.address, case.id)
    ]
    context = {
        "visitor": guest.visitor,
        "case": _view(guest, case),
        "thread": thread,
        "text": text,
        "submission": secrets.token_hex(16),
        "refusal": "" if error is None else refusal(language, error),
        "rating": await _rating(guest, case),
        "here": f"{PATH}/cases/{case.number}",
    }
    status = 200 if error is None else problem_of(error)[0].status
    return page(request, "my/case.html", context, language, status=status)


async def _rating(guest: Guest, case: OwnCase) -> dict[str, object] | None:
    """What is asked of one that is over."""
    if case.state not in OVER:
        return None
    app = guest.request.app
    rating = await store.rating(app[POOL], guest.visitor.address, case.id, now=app[CLOCK]())
    if rating is None or not (rating.open or rating.score is not None):
        return None
    lowest, highest = ends(rating.ask, guest.language)
    return {
        "question": guest.language.gettext(QUESTION[rating.ask]),
        "choices": choices(rating.ask, guest.language),
        "ends": (lowest, highest),
        "score": rating.score,
        "open": rating.open,
    }


async def _get_case(guest: Guest) -> web.StreamResponse:
    return await _case_page(guest, await guest.case())


async def _filled(guest: Guest) -> Filled:
    """Raises Refused, and TooMany for who writes without end."""
    app = guest.request.app
    app[SENT].take("/my", _TEXTS_PER_HOUR, address=guest.visitor.address, now=app[CLOCK]())
    settings = app[SETTINGS]
    async with app[READINGS].one(guest.request):
        return await read_filled(
            guest.request, largest=settings.largest_upload, largest_of_all=settings.largest_message_files
        )


async def _write(guest: Guest, case: OwnCase | None, filled: Filled) -> int:
    """The number of the case. Raises Invalid."""
    app = guest.request.app
    text = filled.fields.get("text", "").replace("\r\n", "\n").strip()
    subject = " ".join(filled.fields.get("subject", "").split())
    if not text or (case is None and not subject):
        raise Invalid("Write something.", field="text")
    if len(text) > 20_000 or len(subject) > 200 or not subject.isprintable():
        raise Invalid("This is too long.", field="text")
    settings = app[SETTINGS]
    received = await portal.write(
        app[LOG],
        guest.visitor.address,
        case=case,
        subject=subject,
        text=text,
        files=[NewFile(each.name, each.type, each.data) for each in filled.files],
        submission=filled.fields.get("submission", "")[:64] or secrets.token_hex(16),
        language=guest.language.code,
        queue=app[DIRECTORY].queue_named(guest.portal.queue).id,
        limits=Limits(settings.largest_upload, settings.largest_message_files),
        now=app[CLOCK](),
    )
    return int(await app[POOL].fetchval(store.SQL.number, received.ticket))


async def _post_answer(guest: Guest) -> web.StreamResponse:
    case, filled = await guest.case(), await _filled(guest)
    try:
        await _write(guest, case, filled)
    except Invalid as error:
        return await _case_page(guest, case, text=filled.fields.get("text", ""), error=error)
    raise web.HTTPSeeOther(f"{PATH}/cases/{case.number}#latest")


def _note(guest: Guest, words: str) -> str:
    """For agents, in the language of the house."""
    app = guest.request.app
    return language_for(app[HUB].renderer, None, app[DIRECTORY].organisation).gettext(words)


async def _post_close(guest: Guest) -> web.StreamResponse:
    case = await guest.case()
    note = _note(guest, _("The customer closed the case."))
    await portal.end(guest.request.app[LOG], case, note=note, now=guest.request.app[CLOCK]())
    raise web.HTTPSeeOther(f"{PATH}/cases/{case.number}")


async def _post_reopen(guest: Guest) -> web.StreamResponse:
    case = await guest.case()
    note = _note(guest, _("The customer opened the case again."))
    await portal.reopen(guest.request.app[LOG], case, note=note, now=guest.request.app[CLOCK]())
    raise web.HTTPSeeOther(f"{PATH}/cases/{case.number}")


async def _post_rate(guest: Guest) -> web.StreamResponse:
    request, case = guest.request, await guest.case()
    form, now = await read_form(request), request.app[CLOCK]()
    rating = await store.rating(request.app[POOL], guest.visitor.address, case.id, now=now)
    try:
        if rating is None or case.state not in OVER:
            raise Invalid("This contact asks for no opinion.")
        score = read_score(rating.ask, str(form.get("score", "")))
        words, comment = request.app[WORDS], str(form.get("comment", ""))
        await portal.rate(request.app[LOG], rating, score=score, comment=comment, words=words, now=now)
    except CallcenterError as error:
        return await _case_page(guest, case, error=error)
    raise web.HTTPSeeOther(f"{PATH}/cases/{case.number}")


async def _get_file(guest: Guest) -> web.StreamResponse:
    """Of a message that they see; for everything else there is no such file."""
    pool, ident = guest.request.app[POOL], path_id(guest.request)
    row = await pool.fetchrow(store.SQL.upload, ident)
    if row is None:
        raise NotFound("There is nothing at this address.")
    case = await store.case(pool, guest.visitor.address, row["number"])
    if row["message_id"] not in {each.id for each in await store.messages(pool, guest.visitor.address, case.id)}:
        raise NotFound("There is nothing at this address.")
    return as_download(await pool.fetchval(UPLOADS.data, ident), row["name"])


# -- a new one


def _new_page(guest: Guest, fields: Mapping[str, str], *, error: CallcenterError | None = None) -> web.StreamResponse:
    context = {
        "visitor": guest.visitor,
        "subject": fields.get("subject", ""),
        "text": fields.get("text", ""),
        "submission": fields.get("submission") or secrets.token_hex(16),
        "here": f"{PATH}/new",
        "refusal": "" if error is None else refusal(guest.language, error),
    }
    status = 200 if error is None else problem_of(error)[0].status
    return page(guest.request, "my/new.html", context, guest.language, status=status)


async def _get_new(guest: Guest) -> web.StreamResponse:
    return _new_page(guest, {})


async def _post_new(guest: Guest) -> web.StreamResponse:
    filled = await _filled(guest)
    try:
        number = await _write(guest, None, filled)
    except Invalid as error:
        return _new_page(guest, filled.fields, error=error)
    raise web.HTTPSeeOther(f"{PATH}/cases/{number}")


async def _get_suggestions(guest: Guest) -> web.StreamResponse:
    """Public articles about what is being typed."""
    query = guest.request.query
    about = f"{query.get('subject', '')}\n{query.get('text', '')}".replace("\x00", "").strip()
    pool, language = guest.request.app[POOL], guest.language
    found = await solutions.suggest(pool, about, readers=PUBLIC, language=language.code, limit=_SUGGESTED)
    hits = [(each.id, each.language, each.title, excerpt(each.text)) for each in found]
    return draw(guest.request, "my/_hints.html", {"hits": hits}, language=language)


def routes() -> list[web.RouteDef]:
    case = f"{PATH}/cases/{ID}"
    return [
        *portal_door.routes(),
        web.get(PATH, get_home),
        web.get(case, own(_get_case)),
        web.post(f"{case}/answer", own(_post_answer)),
        web.post(f"{case}/close", own(_post_close)),
        web.post(f"{case}/reopen", own(_post_reopen)),
        web.post(f"{case}/rate", own(_post_rate)),
        web.get(f"{PATH}/files/{ID}", own(_get_file)),
        web.get(f"{PATH}/new", own(_get_new)),
        web.post(f"{PATH}/new", own(_post_new)),
        web.get(f"{PATH}/suggest", own(_get_suggestions)),
    ]

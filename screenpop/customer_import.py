"""A list of customers brought in by page: only tried, or carried out, with a bar and a report of what was refused."""

import re

import orjson
from aiohttp import web

from callcenter.actions.customer_import import COLUMNS, Report
from callcenter.domain.agent import Role
from callcenter.domain.csv_list import refused_list
from callcenter.errors import CallcenterError
from callcenter.web.api_customer_import import Wish, import_sent
from callcenter.web.auth import require
from callcenter.web.body import read_query
from callcenter.web.problem import problem_of
from screenpop.i18n import Language
from screenpop.i18n import mark as _
from screenpop.page import draw, explain, language_of, person_context
from screenpop.pop import cut

_SHOWN = 100  # refused rows on the page; the list that is saved has them all
_COLUMNS = {
    "external_id": _("What the other system calls them. A row with a known one brings that customer up to date."),
    "name": _("Needed. Without an external id: who has this name and one of the addresses, or is new."),
    "company": _("Company"),
    "phones": _("Several with semicolons between them."),
    "emails": _("Several with semicolons between them."),
    "tier": _("Tier"),
    "language": _("Like en or zh_CN."),
    "note": _("Note"),
    "owner": _("Who looks after them: a sign-in name."),
}
# Why a row or a list is refused: what it looks like, and the sentence for it.
_WITH_NAMES = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"the name is missing", _("The name is missing.")),
        (r"there are more cells than columns", _("There are more cells than columns.")),
        (r"an earlier row has the same external_id", _("An earlier row has the same external id.")),
        (r"the external id is too long, or cannot be printed", _("The external id is too long, or cannot be printed.")),
        (r"nobody named (?P<name>.*) works here", _("Nobody named %(name)s works here.")),
        (
            r"at most (?P<most>\d+) addresses, these are (?P<count>\d+)",
            _("At most %(most)s addresses, these are %(count)s."),
        ),
        (
            r"(?P<count>\d+) customers have this name and one of the addresses.*",
            _("%(count)s customers have this name and one of the addresses: give the external id."),
        ),
        (r"(?P<value>'.*'|\".*\") is no phone number\.", _("%(value)s is no phone number.")),
        (r"(?P<value>'.*'|\".*\") is no e-mail address\.", _("%(value)s is no e-mail address.")),
        (r"(?P<name>\w+): At most (?P<most>\d+) characters\.", _("%(name)s: at most %(most)s characters.")),
        (r"(?P<name>\w+): Only characters that can be printed\.", _("%(name)s: only characters that can be printed.")),
        (r"Line (?P<line>\d+) is not in UTF-8: .*", _("Line %(line)s is not in UTF-8: save the list as CSV UTF-8.")),
        (r"Line (?P<line>\d+) is not CSV: .*", _("Line %(line)s is not CSV.")),
        (r"Line (?P<line>[12]): (?P<name>'.*'|\".*\") is no column; .*", _("Line %(line)s: %(name)s is no column.")),
        (
            r"Line (?P<line>[12]): the column (?P<name>\w*) is there twice\.",
            _("Line %(line)s: the column %(name)s is there twice."),
        ),
        (
            r"Line (?P<line>[12]): the column (?P<name>\w+) is missing\.",
            _("Line %(line)s: the column %(name)s is missing."),
        ),
        (r"A file may have (?P<size>[\d.]+) MB\.", _("The list is larger than %(size)s MB.")),
    )
)


async def get_page(request: web.Request) -> web.StreamResponse:
    who, language = require(request, Role.ADMINISTRATOR), language_of(request)
    context = {
        "columns": [(name, language.gettext(_COLUMNS[name])) for name in COLUMNS],
        "header": ",".join(COLUMNS),
        **person_context(request, who, at="customers"),
    }
    return draw(request, "customers/import.html", context)


async def post_list(request: web.Request) -> web.StreamResponse:
    """A line of JSON a step, `{"done", "of"}`; the last one `{"report", "refused"}`: a region, and a list to save."""
    require(request, Role.ADMINISTRATOR)
    query, language = read_query(request, Wish), language_of(request)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})

    async def tell(line: dict[str, object]) -> None:
        if not response.prepared:
            await response.prepare(request)
        await response.write(orjson.dumps(line) + b"\n")

    async def progress(done: int, of: int) -> None:
        await tell({"done": done, "of": of})

    try:
        report = await import_sent(request, dry=query.dry_run, progress=progress)
    except CallcenterError as error:
        said = language.said(str(error), _WITH_NAMES)
        refusal = explain(language, problem_of(error)[0]) if said == str(error) else said
        await tell({"report": draw(request, "customers/_imported.html", {"refusal": refusal}).text, "refused": None})
    else:
        refused = refused_list(COLUMNS, report.refused) if report.refused else None
        await tell({"report": _report(request, language, report, dry=query.dry_run), "refused": refused})
    await response.write_eof()
    return response


def _report(request: web.Request, language: Language, report: Report, *, dry: bool) -> str | None:
    context = {
        "refusal": "",
        "dry": dry,
        "report": report,
        "refused": [
            (row.number, cut(row.cells.get("name") or ""), language.said(reason, _WITH_NAMES))
            for row, reason in report.refused[:_SHOWN]
        ],
    }
    return draw(request, "customers/_imported.html", context).text


def routes() -> list[web.RouteDef]:
    return [web.get("/customers/import", get_page), web.post("/customers/import", post_list)]

"""The letter about a ticket that runs late or that a rule points to, to somebody of ours.

As mail has many readers, it names no customer.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.domain.outbox import Letter
from callcenter.store.directory import Organisation
from screenpop import words
from screenpop.i18n import Language
from screenpop.render import Renderer


def escalation_letter(
    renderer: Renderer,
    language: Language,
    organisation: Organisation,
    data: Mapping[str, Any],
    *,
    site: str,
    now: datetime,
) -> Letter:
    """As of `now`, when it is sent: what was near when it was written may be over by then."""
    name = organisation.name or "Callcenter"
    said: str | None
    values = {"number": data["number"], "organisation": name}
    if data["clock"] is None:
        subject = language.gettext("Ticket %(number)s asks for your attention") % values
        said, why = None, language.gettext("You get this because a rule of %(organisation)s names you.") % values
    else:
        subject, said = _promise(language, organisation, data, now=now)
        why = language.gettext("You get this because an escalation of %(organisation)s names you.") % values
    facts = [(language.gettext("Priority"), language.label(words.PRIORITY, data["priority"]))]
    if data["queue"] is not None:
        facts.append((language.gettext("Queue"), data["queue"]))
    url = f"{site}/tickets/{data['number']}"
    body = [*filter(None, [said]), *(f"{what}: {value}" for what, value in facts)]
    lines = [subject, "", *body, "", url, "", why]
    html = renderer.draw(
        "mail/escalation.html",
        language,
        {
            "organisation": name,
            "subject": subject,
            "said": said,
            "facts": facts,
            "url": url,
            "open": language.gettext("Open the ticket"),
            "why": why,
        },
    )
    return Letter(subject, "\n".join(lines) + "\n", html)


def _promise(
    language: Language, organisation: Organisation, data: Mapping[str, Any], *, now: datetime
) -> tuple[str, str]:
    """The letter's subject and its first sentence."""
    zone = ZoneInfo(organisation.timezone)
    due = datetime.fromisoformat(data["due_at"]).astimezone(zone)
    when = f"{language.date(due, now.astimezone(zone).year)} {due:%H:%M} ({organisation.timezone})"
    values = {"number": data["number"], "clock": language.label(words.CLOCK, data["clock"]), "when": when}
    if now >= due:
        subject = language.gettext("Ticket %(number)s is late: %(clock)s") % values
        return subject, language.gettext("%(clock)s: was due %(when)s") % values
    subject = language.gettext("Ticket %(number)s is due soon: %(clock)s") % values
    return subject, language.gettext("%(clock)s: due %(when)s") % values

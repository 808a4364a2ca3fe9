"""The letters that customers and people of ours get, written in their language when they are sent."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.actions import callbacks, chats, mail_words, notices, portal, surveys
from callcenter.domain import link
from callcenter.domain.outbox import Letter
from callcenter.domain.survey import Question
from callcenter.errors import Invalid
from callcenter.store.directory import Organisation
from screenpop import mail_letters, words
from screenpop.escalation_letter import escalation_letter
from screenpop.given_up import given_up
from screenpop.i18n import Language, negotiate
from screenpop.mail_letters import Prospects
from screenpop.portal_letter import portal_letter
from screenpop.render import Renderer
from screenpop.satisfaction import QUESTION, choices, ends

SURVEY = "survey"  # what the link is good for, and its path
STOP = "survey/stop"
# Whoever finds the letter a year later may still not want the next one.
_STOP_FOR = timedelta(days=366)
_NO_PROSPECTS = Prospects()


def language_for(renderer: Renderer, code: str | None, organisation: Organisation) -> Language:
    """Of a customer (zh_TW, zh, en-GB, …); the organisation's first where we do not speak theirs."""
    chosen = negotiate(
        cookie=None,
        user=None,
        accept=(code or "").replace("_", "-"),
        offered=organisation.languages,
        available=renderer.languages,
    )
    return renderer.language(chosen)


class Letters:
    """Implements callcenter.ports.Letters. `site`: where customers reach us, without a slash behind it."""

    def __init__(
        self,
        renderer: Renderer,
        *,
        organisation: Callable[[], Organisation],
        key: bytes,
        site: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        prospects: Prospects = _NO_PROSPECTS,
    ) -> None:
        self._renderer = renderer
        self._organisation = organisation
        self._key = key
        self._site = site
        self._clock = clock
        self._prospects = prospects

    def write(self, template: str, language: str | None, data: Mapping[str, Any]) -> Letter:
        organisation = self._organisation()
        spoken = language_for(self._renderer, language, organisation)
        match template:
            case surveys.TEMPLATE:
                return self._survey(spoken, organisation, data)
            case notices.TEMPLATE:
                return escalation_letter(self._renderer, spoken, organisation, data, site=self._site, now=self._clock())
            case mail_words.ACKNOWLEDGEMENT:
                now = self._clock()
                expected = self._prospects.expected(spoken, data, zone=organisation.timezone, now=now)
                return mail_letters.acknowledgement(spoken, organisation, data, expected, key=self._key)
            case mail_words.CLOSING:
                return mail_letters.closing(spoken, organisation, data, key=self._key)
            case chats.TRANSCRIPT:
                return self._transcript(spoken, organisation, data)
            case portal.TEMPLATE:
                return portal_letter(spoken, organisation, data, key=self._key, site=self._site)
            case callbacks.GIVEN_UP:
                return given_up(spoken, data)
            case _:
                raise Invalid(f"There is no letter {template}.")

    def _transcript(self, language: Language, organisation: Organisation, data: Mapping[str, Any]) -> Letter:
        zone, name = ZoneInfo(organisation.timezone), organisation.name or "Callcenter"
        said = [{**line, "at": datetime.fromisoformat(line["at"]).astimezone(zone)} for line in data["lines"]]
        date = language.date(said[0]["at"], 0)
        lines = [language.gettext("Here is what was said in your chat of %(date)s.") % {"date": date}, ""]
        for line in said:
            who = line["name"] or language.gettext("You")
            lines += [f"{who} ({line['at']:%H:%M})", line["text"] or language.gettext("(a file)"), ""]
        subject = language.gettext("%(organisation)s: your conversation with us") % {"organisation": name}
        return Letter(subject, "\n".join([*lines, name]) + "\n")

    def _survey(self, language: Language, organisation: Organisation, data: Mapping[str, Any]) -> Letter:
        ask = Question(data["ask"])
        zone = ZoneInfo(organisation.timezone)
        at, until = (datetime.fromisoformat(data[name]).astimezone(zone) for name in ("at", "expires"))
        token = link.sign(self._key, SURVEY, data["survey"], expires=datetime.fromisoformat(data["expires"]))
        address = f"{self._site}/{SURVEY}?t={token}"
        until_stop = datetime.fromisoformat(data["expires"]) + _STOP_FOR
        stop = f"{self._site}/{STOP}?t={link.sign(self._key, STOP, data['survey'], expires=until_stop)}"
        never = language.gettext("Do not ask me again")
        buttons = [(choice, f"{address}&score={choice.score}") for choice in choices(ask, language)]
        name = organisation.name or "Callcenter"
        intro = language.gettext("You were in contact with us on %(date)s (%(channel)s).") % {
            "date": language.date(at, until.year),
            "channel": language.label(words.CHANNEL, data["channel"]),
        }
        question = language.gettext(QUESTION[ask])
        how = language.gettext("Choose an answer; it opens in your browser, where you may add a few words.")
        close = language.gettext(
            "You can answer until %(date)s. These links are for you alone: please do not pass them on."
        ) % {"date": language.date(until, at.year)}
        text = [intro, "", question, how, ""]
        text += [f"{choice.means}: {url}" for choice, url in buttons]
        text += ["", close, "", f"{never}: {stop}", "", name]
        html = self._renderer.draw(
            "mail/survey.html",
            language,
            {
                "organisation": name,
                "intro": intro,
                "question": question,
                "how": how,
                "buttons": buttons,
                "ends": ends(ask, language),
                "close": close,
                "never": never,
                "stop": stop,
            },
        )
        subject = language.gettext("%(organisation)s: how did we do?") % {"organisation": name}
        return Letter(subject, "\n".join(text) + "\n", html, stop)

"""The letters that customers get, written in their language when they are sent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.actions.surveys import TEMPLATE
from callcenter.domain import link
from callcenter.domain.outbox import Letter
from callcenter.domain.survey import Question
from callcenter.errors import Invalid
from callcenter.store.directory import Organisation
from screenpop import words
from screenpop.i18n import Language, negotiate
from screenpop.render import Renderer
from screenpop.satisfaction import QUESTION, choices, ends

SURVEY = "survey"  # what the link is good for, and its path


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

    def __init__(self, renderer: Renderer, *, organisation: Callable[[], Organisation], key: bytes, site: str) -> None:
        self._renderer = renderer
        self._organisation = organisation
        self._key = key
        self._site = site

    def write(self, template: str, language: str | None, data: Mapping[str, Any]) -> Letter:
        if template != TEMPLATE:
            raise Invalid(f"There is no letter {template}.")
        organisation = self._organisation()
        return self._survey(language_for(self._renderer, language, organisation), organisation, data)

    def _survey(self, language: Language, organisation: Organisation, data: Mapping[str, Any]) -> Letter:
        ask = Question(data["ask"])
        zone = ZoneInfo(organisation.timezone)
        at, until = (datetime.fromisoformat(data[name]).astimezone(zone) for name in ("at", "expires"))
        token = link.sign(self._key, SURVEY, data["survey"], expires=datetime.fromisoformat(data["expires"]))
        address = f"{self._site}/{SURVEY}?t={token}"
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
        text += ["", close, "", name]
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
            },
        )
        subject = language.gettext("%(organisation)s: how did we do?") % {"organisation": name}
        return Letter(subject, "\n".join(text) + "\n", html)

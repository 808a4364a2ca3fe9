"""Letters of a correspondence by mail that nobody wrote: we have your message, and your ticket is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.domain.hours import Hours
from callcenter.domain.letter_text import LetterKind, fill
from callcenter.domain.outbox import Letter
from callcenter.domain.thread import tagged_subject
from callcenter.ports import Waits
from callcenter.store.directory import Organisation
from screenpop.i18n import Language

_WEEK = 7
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """When an answer may be expected, in words; empty where nobody can say. `sentence` says what is known of it."""

    by: str = ""
    wait: str = ""
    opens: str = ""
    sentence: str = ""

    def values(self) -> dict[str, str]:
        names = ("by", "wait", "opens", "sentence")
        return {f"expected.{name}": getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """From what one can tell when somebody will answer: waits, and the opening hours of a queue."""

    waits: Waits | None = None
    hours: Callable[[int], Hours | None] = lambda _queue: None

    def expected(self, language: Language, data: Mapping[str, Any], *, zone: str, now: datetime) -> Expected:
        """What was promised; else when somebody is there again; else the wait of those who write now."""
        house = ZoneInfo(zone)
        theirs = zone_of(data.get("offset"), house, now)
        if data.get("due") is not None:
            by = moment(language, datetime.fromisoformat(data["due"]), now, theirs, house)
            sentence = language.gettext("You will have an answer by %(when)s.") % {"when": by}
            return Expected(by=by, sentence=sentence)
        hours = None if data.get("queue") is None else self.hours(data["queue"])
        opening = None if hours is None else hours.next_opening(now)
        if opening is not None and opening > now:
            opens = moment(language, opening, now, theirs, house)
            sentence = language.gettext("We are there again from %(when)s on.") % {"when": opens}
            return Expected(opens=opens, sentence=sentence)
        found = None if self.waits is None or data.get("interaction") is None else self.waits.of(data["interaction"])
        if found is None or found.expected_seconds is None:
            return Expected()
        wait = span(language, found.expected_seconds)
        sentence = language.gettext("At the moment an answer takes about %(wait)s.") % {"wait": wait}
        return Expected(wait=wait, sentence=sentence)


def zone_of(offset: float | None, house: tzinfo, now: datetime) -> tzinfo:
    """The customer's, by the clock of their message; ours where it says none, or the same."""
    if offset is None or timedelta(seconds=offset) == now.astimezone(house).utcoffset():
        return house
    return timezone(timedelta(seconds=offset))


def moment(language: Language, at: datetime, now: datetime, zone: tzinfo, house: tzinfo) -> str:
    """Today, tomorrow, a weekday or a date, with the time; and which time that is where it is not ours."""
    local = at.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    if days == 0:
        day = language.gettext("today")
    elif days == 1:
        day = language.gettext("tomorrow")
    elif 0 < days < _WEEK:
        day = language.weekday(local)
    else:
        day = language.date(local, now.astimezone(zone).year)
    said = language.gettext("{day} {time}").format(day=day, time=f"{local:%H:%M}")
    return said if zone is house else f"{said} ({local:%Z})"


def span(language: Language, seconds: float) -> str:
    """Five, ten … minutes, or hours: more would sound as if it were known."""
    minutes = max(5, -(-int(seconds) // (5 * _MINUTE)) * 5)
    if minutes < 90:
        return language.gettext("%(n)d minutes") % {"n": minutes}
    hours = -(-minutes // 60)
    return language.gettext("%(n)d hours") % {"n": hours}


def acknowledgement(
    language: Language, organisation: Organisation, data: Mapping[str, Any], expected: Expected, *, key: bytes
) -> Letter:
    """We have your message. `data` as `mail_words.acknowledge` writes it; `key` signs its number."""
    number, name = data["number"], organisation.name or "Callcenter"
    subject = language.gettext("%(organisation)s: we have received your message") % {"organisation": name}
    lines = [
        language.gettext("Thank you for your message. It has the number %(number)s with us.") % {"number": number},
        expected.sentence,
        language.gettext("To add something, just reply to this message."),
        name,
    ]
    return _letter(LetterKind.ACKNOWLEDGEMENT, data, subject, lines, expected.values(), key=key)


def closing(language: Language, organisation: Organisation, data: Mapping[str, Any], *, key: bytes) -> Letter:
    """Your ticket is done. `data` as `mail_words.note_closing` writes it."""
    number, name = data["number"], organisation.name or "Callcenter"
    subject = language.gettext("%(organisation)s: your request is done") % {"organisation": name}
    lines = [
        language.gettext("We take your request %(number)s to be done.") % {"number": number},
        language.gettext("If it is not, just reply to this message, and it goes on."),
        data.get("values", {}).get("signature") or name,
    ]
    return _letter(LetterKind.CLOSING, data, subject, lines, {}, key=key)


def _letter(
    kind: LetterKind,
    data: Mapping[str, Any],
    subject: str,
    lines: list[str],
    more: Mapping[str, str],
    *,
    key: bytes,
) -> Letter:
    """By the words of the organisation, which came with the letter; else by ours."""
    values = {**data.get("values", {}), **more}
    text = "\n\n".join(filter(None, lines))
    if data.get("text") is not None:
        text = fill(kind, data["text"], values)
    if data.get("subject") is not None:
        subject = fill(kind, data["subject"], values)
    return Letter(tagged_subject(key, data["number"], subject), text + "\n")

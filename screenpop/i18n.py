"""The languages of the console: which one a person reads, and how words, times and spans are written in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale

_LOCALES = Path(__file__).with_name("locale")
SOURCE = "en"  # what the strings in code and templates are written in
NAMES: Mapping[str, str] = {"en": "English", "zh_CN": "简体中文", "zh_TW": "繁體中文"}
# Which catalogue serves a language tag of a browser; Hong Kong and Macau read Traditional.
_TAGS: Mapping[str, str] = {
    "en": "en", "zh": "zh_CN", "zh-cn": "zh_CN", "zh-sg": "zh_CN", "zh-hans": "zh_CN",
    "zh-tw": "zh_TW", "zh-hk": "zh_TW", "zh-mo": "zh_TW", "zh-hant": "zh_TW",
}  # fmt: skip


def mark(message: str) -> str:
    """Marks a string for extraction that is translated where it is shown."""
    return message


class Language:
    """One catalogue, and the shapes of dates in it."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.code = code
        self.tag = code.replace("_", "-")
        self.name = NAMES[code]
        self.translations = translations
        self.gettext = translations.gettext
        self.ngettext = translations.ngettext
        locale = Locale.parse(code)
        self._months = dict(locale.months["format"]["abbreviated"])
        self._weekdays = dict(locale.days["format"]["abbreviated"])
        self._long_weekdays = dict(locale.days["format"]["wide"])

    def said(self, words: str, alike: Iterable[tuple[re.Pattern[str], str]]) -> str:
        """A sentence of ours. `alike`: of those with something in them what they look like, and the sentence for it."""
        for pattern, sentence in alike:
            if match := pattern.fullmatch(words):
                return self.gettext(sentence) % match.groupdict()
        return self.gettext(words)

    def label(self, words: Mapping[str, str], slug: str) -> str:
        """The word for a slug; one that an organisation made up is shown as it is written, without underscores."""
        found = words.get(slug)
        return self.gettext(found) if found is not None else slug.replace("_", " ")

    def nth(self, number: int) -> str:
        """1st, 2nd, 3rd where the language has such a form; else the number, for a phrase that says it."""
        if self.code != SOURCE:
            return str(number)
        suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{suffix}"

    def when(self, at: datetime, now: datetime, zone: tzinfo) -> str:
        """Relative up to a day, then the weekday for six days, then the date."""
        past = (now - at).total_seconds()
        if past < 60:
            return self.gettext("just now")
        if past < 3600:
            return self.gettext("%(n)d min ago") % {"n": past // 60}
        if past < 86400:
            return self.gettext("%(n)d h ago") % {"n": past // 3600}
        local = at.astimezone(zone)
        if past < 6 * 86400:
            return f"{self._weekdays[local.weekday()]} {local:%H:%M}"
        return self.date(local, now.astimezone(zone).year)

    def weekday(self, local: datetime) -> str:
        return str(self._long_weekdays[local.weekday()])

    def date(self, local: datetime, this_year: int) -> str:
        pattern = self.gettext("{day} {month}") if local.year == this_year else self.gettext("{day} {month} {year}")
        return pattern.format(day=local.day, month=self._months[local.month], number=local.month, year=local.year)

    def exactly(self, at: datetime, zone: tzinfo) -> str:
        """For the hover: date, time and zone."""
        return at.astimezone(zone).isoformat(" ", "seconds")


def clock(span: timedelta | float) -> str:
    """A span as a running clock shows it: 0:42, 12:05, 1:02:11. Never negative."""
    seconds = max(0, int(span.total_seconds() if isinstance(span, timedelta) else span))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def load_languages() -> dict[str, Language]:
    """Every language of the console by its code; the compiled catalogues are made by `make install`."""
    languages = {}
    for code in NAMES:
        path = _LOCALES / code / "LC_MESSAGES" / "messages.mo"
        if path.exists():
            with path.open("rb") as file:
                languages[code] = Language(code, GNUTranslations(file))
        elif code == SOURCE:
            languages[code] = Language(code, NullTranslations())
    return languages


def negotiate(
    *, cookie: str | None, user: str | None, accept: str, offered: Sequence[str], available: Mapping[str, Language]
) -> str:
    """The language of a page: chosen in this browser, else of this user, else the browser's first that we have.

    `accept` is an Accept-Language header. The organisation's first language is used where nothing else fits.
    """
    for chosen in (cookie, user):
        if chosen is not None and chosen in available:
            return chosen
    for tag in _by_preference(accept):
        for wanted in (tag, "-".join(tag.split("-")[:2]), tag.split("-")[0]):
            code = _TAGS.get(wanted)
            if code is not None and code in available:
                return code
    return next((code for code in offered if code in available), SOURCE)


def _by_preference(accept: str) -> list[str]:
    weighted = []
    for part in accept[:1000].lower().split(",")[:20]:
        tag, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        if weight > 0 and tag:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]

"""Choosing a language, and writing times in it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from screenpop.i18n import SOURCE, Language, clock, load_languages, negotiate

NOW = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
ALL = ("en", "zh_CN", "zh_TW")


def chosen(
    *, cookie: str | None = None, user: str | None = None, accept: str = "", offered: tuple[str, ...] = ("en",)
) -> str:
    english = load_languages()[SOURCE]
    return negotiate(cookie=cookie, user=user, accept=accept, offered=offered, available=dict.fromkeys(ALL, english))


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("zh-TW", "zh_TW"),
        ("zh-HK,en", "zh_TW"),
        ("zh-Hant-HK", "zh_TW"),
        ("en;q=0.5, zh-Hans-CN;q=0.9", "zh_CN"),
        ("de-DE,de", "en"),
        ("en;q=0, zh", "zh_CN"),
        ("zh;q=oops, en", "en"),
        ("," * 5000, "en"),
    ],
)
def test_a_browsers_languages_choose_the_nearest_catalogue(accept: str, code: str):
    assert chosen(accept=accept) == code


def test_a_choice_in_this_browser_wins_over_the_users_and_that_over_the_browsers_own():
    assert chosen(cookie="zh_TW", user="zh_CN", accept="en") == "zh_TW"
    assert chosen(user="zh_CN", accept="en") == "zh_CN"
    assert chosen(cookie="xx", user="../etc", accept="") == "en"


def test_where_nothing_fits_the_organisations_first_language_is_used():
    assert chosen(accept="de", offered=("zh_TW", "en")) == "zh_TW"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "Mon 16:30"),
        (timedelta(days=20), "18 Feb"),
        (timedelta(days=100), "30 Nov 2025"),
    ],
)
def test_times_are_relative_up_to_a_day_and_absolute_then(ago: timedelta, words: str):
    english: Language = load_languages()[SOURCE]
    assert english.when(NOW - ago, NOW, ZONE) == words


def test_the_hover_has_the_zone():
    assert load_languages()[SOURCE].exactly(NOW, ZONE) == "2026-03-10 16:30:00+08:00"


def test_spans_read_like_a_clock():
    assert [clock(seconds) for seconds in (-5, 0, 42, 725, 3731)] == ["0:00", "0:00", "0:42", "12:05", "1:02:11"]

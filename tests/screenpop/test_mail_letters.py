"""When an answer may be expected, in the customer's time and language."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.hours import Hours
from callcenter.ports import Wait
from callcenter.store.directory import Organisation
from screenpop.i18n import load_languages
from screenpop.mail_letters import Expected, Prospects, acknowledgement, closing

LANGUAGES = load_languages()
NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)  # Tuesday, 16:00 in Shanghai
ZONE = "Asia/Shanghai"
ORGANISATION = Organisation("Heronbay", "CN", ZONE, ("en", "zh_CN", "zh_TW"))
OFFICE = Hours.parse(timezone=ZONE, weekly={day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")})


def expected(language: str, at: datetime = NOW, prospects: Prospects | None = None, **data: object) -> Expected:
    return (prospects or Prospects()).expected(LANGUAGES[language], data, zone=ZONE, now=at)


@pytest.mark.parametrize(
    ("after", "offset", "english", "chinese"),
    [
        (timedelta(hours=2), None, "today 18:00", "今天 18:00"),
        (timedelta(hours=2), 8 * 3600, "today 18:00", "今天 18:00"),
        (timedelta(hours=20), None, "tomorrow 12:00", "明天 12:00"),
        (timedelta(days=2, hours=2), None, "Thursday 18:00", "星期四 18:00"),
        (timedelta(days=7), None, "17 Mar 16:00", "3月17日 16:00"),
        (timedelta(days=300), None, "4 Jan 2027 16:00", "2027年1月4日 16:00"),
        (timedelta(hours=2), 9 * 3600, "today 19:00 (UTC+09:00)", "今天 19:00 (UTC+09:00)"),
        (timedelta(hours=20), -5 * 3600, "today 23:00 (UTC-05:00)", "今天 23:00 (UTC-05:00)"),
    ],
)
def test_a_promise_is_said_in_the_customers_time(
    after: timedelta, offset: float | None, english: str, chinese: str
) -> None:
    due = (NOW + after).isoformat()
    assert expected("en", due=due, offset=offset).by == english
    assert expected("zh_CN", due=due, offset=offset).by == chinese
    assert english in expected("en", due=due, offset=offset).sentence


def test_without_a_promise_it_says_when_somebody_is_there_again():
    prospects = Prospects(hours=lambda queue: OFFICE if queue == 1 else None)
    late = datetime(2026, 3, 13, 20, 0, tzinfo=ZoneInfo(ZONE))
    found = expected("en", late, prospects, queue=1, due=None)
    assert found.sentence == "We are there again from Monday 09:00 on."
    assert expected("zh_TW", late, prospects, queue=1).sentence == "我們將在 星期一 09:00 恢復服務。"
    assert expected("en", late, prospects, queue=2) == Expected()


class Waiting:
    def of(self, interaction: int) -> Wait | None:
        seconds = {7: 700.0, 8: 20_000.0, 9: None}.get(interaction)
        return Wait(
            position=1, expected_seconds=seconds, told_seconds=None, median_seconds=None, p80_seconds=None, due=None
        )

    def for_next(self, queue: int, channel: str | None = None) -> float | None:
        raise AssertionError((queue, channel))


@pytest.mark.parametrize(
    ("interaction", "language", "wait"),
    [(7, "en", "15 minutes"), (7, "zh_CN", "15 分钟"), (8, "en", "6 hours"), (9, "en", ""), (99, "en", "")],
)
def test_in_opening_hours_it_says_how_long_others_wait(interaction: int, language: str, wait: str):
    found = expected(
        language, NOW, Prospects(waits=Waiting(), hours=lambda _: OFFICE), queue=1, interaction=interaction
    )
    assert found.wait == wait
    assert bool(found.sentence) == bool(wait)


def test_the_words_of_the_organisation_win_over_ours():
    data = {
        "number": 1042,
        "subject": "[{{ organisation.name }}] {{ ticket.number }}",
        "text": "Hi {{ customer.name }}.\n{{ expected.sentence }}",
        "values": {"organisation.name": "Heronbay", "ticket.number": "1042", "customer.name": "Wang"},
    }
    letter = acknowledgement(LANGUAGES["en"], ORGANISATION, data, Expected(sentence="Soon."), key=b"key")
    assert letter.text == "Hi Wang.\nSoon.\n"
    assert letter.subject.startswith("[Heronbay] 1042 [#1042-")


@pytest.mark.parametrize(("language", "words"), [("en", "done"), ("zh_CN", "处理完毕"), ("zh_TW", "處理完畢")])
def test_a_closing_note_says_how_to_go_on(language: str, words: str):
    letter = closing(LANGUAGES[language], ORGANISATION, {"number": 7, "values": {"signature": "Amy"}}, key=b"key")
    assert words in letter.subject
    assert letter.text.endswith("\n\nAmy\n")
    assert "7" in letter.text

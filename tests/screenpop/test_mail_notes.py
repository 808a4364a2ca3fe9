"""What was wrong with a message is told in the reader's language, and once."""

import re
from pathlib import Path

import pytest

from callcenter.actions import answer_out, mail_in
from channels import email
from channels.email import intake
from channels.email.parse import parse
from screenpop.i18n import load_languages
from screenpop.mail_notes import noted, without_notes
from tests.builders import NOW
from tests.screenpop.conftest import House

_NOTE = re.compile(r'notes\[f?"(.+?)"\]')


def written() -> list[str]:
    """Every note that the channel can write."""
    found = [
        note.replace("{LONGEST_TEXT}", "100000")
        for file in Path(email.__path__[0]).glob("*.py")
        for note in _NOTE.findall(file.read_text(encoding="utf-8"))
    ]
    too_large = intake._TOO_LARGE.format(61.2, 50)
    return [*found, too_large, intake._NOT_UNDERSTOOD, intake._TOO_MUCH, answer_out._WITHHELD]


@pytest.mark.parametrize("code", ["zh_CN", "zh_TW"])
def test_every_note_has_a_translation(code: str):
    language = load_languages()[code]
    assert len(written()) > 12
    assert [note for note in written() if noted(language, note) == note] == []


def test_words_that_are_not_ours_stay_as_they_are():
    language = load_languages()["zh_CN"]
    assert [noted(language, words) for words in ("550 no such user", "")] == ["550 no such user", ""]


@pytest.mark.parametrize(
    ("text", "notes", "said"),
    [
        ("Hello\n\n[A.]\n[B.]", ["A.", "B."], "Hello"),
        ("[A.]", ["A."], ""),
        ("Hello\n\n[A.]", [], "Hello\n\n[A.]"),
        ("Hello", ["A."], "Hello"),
    ],
)
def test_the_notes_below_a_text_are_taken_off_it(text: str, notes: list[str], said: str):
    assert without_notes(text, notes) == said


async def test_a_message_that_could_not_be_read_says_so_in_the_agents_language(house: House):
    await house.pool.execute(
        "insert into mailbox (address, queue_id) values ('care@heronbay.example', $1)", house.queue
    )
    raw = b"To: care@heronbay.example\r\nSubject: Lamp\r\n\r\nIt stays dark.\r\n"
    received = await mail_in.receive(house.log, parse(raw), raw, now=NOW)
    await house.sign_in("sue")
    at = f"/desk/interactions/{received.interaction}/mail"
    house.client.session.cookie_jar.update_cookies({"cc_language": "zh_CN"}, house.client.make_url("/"))
    page = await (await house.client.get(at)).text()
    assert "邮件没有写明发件人。" in page
    assert "It does not say" not in page
    assert "It stays dark." in page

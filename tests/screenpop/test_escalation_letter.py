"""The letter to somebody of ours about a ticket that runs late."""

from datetime import timedelta

import pytest

from callcenter.store.directory import Organisation
from screenpop.i18n import load_languages
from screenpop.letters import Letters
from screenpop.render import Renderer
from tests.builders import NOW

ORGANISATION = Organisation("Heronbay <b>", "CN", "Asia/Shanghai", ("en", "zh_CN", "zh_TW"))
DATA = {"number": 1042, "clock": "resolution", "priority": "urgent", "queue": "repair", "due_at": NOW.isoformat()}


def letters(*, late: bool) -> Letters:
    now = NOW + timedelta(hours=1 if late else -1)
    renderer = Renderer(load_languages())
    return Letters(renderer, organisation=lambda: ORGANISATION, key=b"", site="https://cc.example", clock=lambda: now)


@pytest.mark.parametrize(
    ("language", "late", "subject"),
    [
        ("en", True, "Ticket 1042 is late: Solution"),
        ("en", False, "Ticket 1042 is due soon: Solution"),
        ("zh_CN", True, "工单 1042 已超时：解决"),
        ("zh_TW", False, "工單 1042 即將到期：解決"),
        (None, True, "Ticket 1042 is late: Solution"),
    ],
)
def test_it_says_in_its_readers_language_what_is_due(language: str | None, late: bool, subject: str):
    letter = letters(late=late).write("escalation", language, DATA)
    assert letter.subject == subject
    assert "https://cc.example/tickets/1042" in letter.text
    assert "16:30 (Asia/Shanghai)" in letter.text
    assert letter.html is not None
    assert 'href="https://cc.example/tickets/1042"' in letter.html
    assert "Heronbay &lt;b&gt;" in letter.html


def test_a_ticket_without_a_queue_has_a_letter_too():
    assert "repair" not in letters(late=True).write("escalation", "en", {**DATA, "queue": None}).text

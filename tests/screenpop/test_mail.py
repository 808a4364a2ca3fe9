"""Mail on the desk: read with its quotations folded, and answered."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from callcenter.actions import mail_in, mail_words
from callcenter.domain.thread import number_of
from channels.email.parse import parse
from screenpop.letters import Letters
from tests.builders import NOW
from tests.channels.email.messages import attached, multipart, part
from tests.screenpop.conftest import House

TEXT = b"It stays <b>dark</b>.\r\n\r\nOn 9 March, Amy wrote:\r\n> Is it on?\r\n"


class Beside(ThreadPoolExecutor):
    """Counts what it is given to do."""

    given = 0

    def submit(self, fn, /, *args, **kwargs):
        self.given += 1
        return super().submit(fn, *args, **kwargs)


async def come(house: House) -> int:
    await house.pool.execute(
        "insert into mailbox (address, queue_id) values ('care@heronbay.example', $1)", house.queue
    )
    raw = multipart(part(TEXT), attached(b"photo", "led<x>.png", "image/png"))
    received = await mail_in.receive(house.log, parse(raw), raw, now=NOW)
    return received.interaction


async def test_an_agent_reads_a_mail_and_answers_it(house: House):
    ident = await come(house)
    csrf = await house.sign_in("sue")
    page = await (await house.client.get(f"/desk/interactions/{ident}/mail")).text()
    assert "It stays &lt;b&gt;dark&lt;/b&gt;." in page
    assert page.index("<details") < page.index("Is it on?")
    assert "ledx.png" in page
    answer = await house.client.post(
        f"/desk/interactions/{ident}/answer", data={"text": "Please press <reset>."}, headers={"X-CSRF-Token": csrf}
    )
    assert answer.status == 200, await answer.text()
    assert "Please press &lt;reset&gt;." in await answer.text()
    letter = await house.pool.fetchrow("select recipient, text, thread from outbox where template is null")
    assert letter is not None
    assert (letter["recipient"], letter["text"]) == ("wang@customer.example", "Please press <reset>.")
    assert letter["thread"]["auto"] == "no"


async def test_long_formatted_text_is_made_ready_beside_the_pages_of_others(house: House):
    ident = await come(house)
    await house.sign_in("sue")
    beside = Beside()
    asyncio.get_running_loop().set_default_executor(beside)
    at, pages = f"/desk/interactions/{ident}/mail", []
    for html in ("<p>short</p>", "<li>long</li>" * 1000):
        await house.pool.execute("update mail set html = $1", html)
        assert (await house.client.get(at)).status == 200
        pages.append((await (await house.client.get(f"{at}/frame")).text(), beside.given))
    assert [("short" in pages[0][0], pages[0][1]), (pages[1][0].count("long"), pages[1][1])] == [(True, 0), (1000, 3)]


async def test_a_letter_that_came_back_says_so_in_the_words_of_the_mail_server(house: House):
    ident = await come(house)
    await house.sign_in("sue")
    await house.pool.execute(
        "insert into outbox (recipient, subject, text, interaction_id, state, bounced_at, last_error, created_at, "
        "due_at, expires_at) "
        "values ('wang@customer.example', 'Re', 'Hello', $1, 'sent', $2, '550 no such user', $2, $2, $2)",
        ident, NOW,
    )  # fmt: skip
    page = await (await house.client.get(f"/desk/interactions/{ident}/mail")).text()
    assert "550 no such user" in page


async def test_what_was_not_mail_shows_nothing_and_others_mail_is_not_shown(house: House):
    ident = await come(house)
    await house.sign_in("bo")
    assert (await house.client.get(f"/desk/interactions/{ident}/mail")).status == 403


async def test_an_acknowledgement_is_written_in_the_customers_language_with_the_number_and_its_token(house: House):
    letters = Letters(house.hub.renderer, organisation=lambda: house.directory.organisation, key=b"key", site="")
    due = datetime(2026, 3, 10, 10, 30, tzinfo=UTC).isoformat()
    letter = letters.write(mail_words.ACKNOWLEDGEMENT, "zh_CN", {"number": 1024, "due": due})
    assert "编号为 1024" in letter.text
    assert "之前答复您" in letter.text
    assert number_of(b"key", recipients=[], subject=letter.subject) == 1024
    assert "之前" not in letters.write(mail_words.ACKNOWLEDGEMENT, "zh_CN", {"number": 1024, "due": None}).text

"""Chats at the desk: several at once, what is told of them, what is typed, read, sent and handed over."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from callcenter.actions import chats, interactions, uploads
from callcenter.domain.chat import Line, Visitor
from callcenter.feed import Signal
from callcenter.store import chats as store
from screenpop.chat import asked_since, size_words
from tests.builders import NOW, later, make_queue, on_queue, reserve
from tests.screenpop.conftest import House, frame, read_up


async def open_chat(house: House, token: str, **given: object) -> int:
    """A visitor's chat that waits."""
    await house.pool.execute(
        "insert into widget (key, queue_id, sites) values ('shop', $1, '{}') on conflict do nothing",
        house.queue,
    )
    widget = await store.widget(house.pool, "shop")
    visitor = Visitor(token=token * 22, browser=token * 22, language="en", **given)  # type: ignore[arg-type]
    chat = await chats.open_chat(house.log, visitor, widget=widget, node=None, now=NOW)
    return chat.interaction


async def take(house: House, token: str, agent: str = "amy", **given: object) -> int:
    """A chat in the hand of an agent who is signed in."""
    ident = await open_chat(house, token, **given)
    await on_queue(house.log, house.users[agent])
    reservation = await reserve(house.log, ident, house.users[agent])
    await interactions.answer(house.log, reservation, now=later(1))
    return ident


async def says(house: House, ident: int, text: str, line: str = "a", *, at: float = 2) -> Line:
    return await chats.say(house.log, ident, author=None, text=text, client_id=line, now=later(at))


async def text_of(house: House, path: str) -> str:
    response = await house.client.get(path)
    assert response.status == 200, await response.text()
    return await response.text()


async def test_the_panel_shows_who_it_is_where_they_are_and_what_was_said(house: House) -> None:
    await house.sign_in("amy")
    page = {"name": "Lin", "email": "lin@shop.example", "page": "https://shop.example/cart", "page_title": "Cart"}
    ident = await take(house, "t", **page)
    await says(house, ident, "<b>Where</b> is my parcel?")
    text = await text_of(house, f"/desk/interactions/{ident}/chat")
    assert "Typed, not proven" in text
    assert 'href="https://shop.example/cart"' in text
    assert ">Cart</bdi>" in text
    assert "&lt;b&gt;Where&lt;/b&gt; is my parcel?" in text
    assert 'name="text"' in text


async def test_an_answer_is_sent_once_however_often_its_form_comes(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    for _ in range(2):
        answer = await house.act("amy", f"/desk/interactions/{ident}/chat/say", text="On its way.", client_id="x1")
        assert answer.status == 200
        assert (await answer.text()).count("On its way.") == 1
    [line] = await store.lines(house.pool, ident)
    assert (line.author, line.text) == (house.users["amy"], "On its way.")


async def test_what_is_typed_is_kept_for_each_chat_until_it_is_sent(house: House) -> None:
    await house.sign_in("amy")
    first, second = await take(house, "t"), await take(house, "u")
    await house.act("amy", f"/desk/interactions/{first}/chat/draft", text="to the first")
    await house.act("amy", f"/desk/interactions/{second}/chat/draft", text="to the second")
    assert "to the first</textarea>" in await text_of(house, f"/desk/interactions/{first}/chat")
    assert "to the second</textarea>" in await text_of(house, f"/desk/interactions/{second}/chat")
    await house.act("amy", f"/desk/interactions/{first}/chat/say", text="to the first", client_id="x1")
    assert "to the first</textarea>" not in await text_of(house, f"/desk/interactions/{first}/chat")


async def test_the_list_of_work_counts_what_is_not_read_and_since_when_somebody_waits(house: House) -> None:
    await house.sign_in("amy")
    first, second = await take(house, "t"), await take(house, "u")
    await says(house, second, "Hello?", "a", at=5)
    await says(house, second, "Anybody?", "b", at=9)
    text = await text_of(house, f"/desk?interaction={first}")
    assert '<b class="unread" title="Not read yet">2</b>' in text
    assert f'data-since="{int(later(5).timestamp() * 1000)}"' in text
    await house.act("amy", f"/desk/interactions/{second}/chat/read", upto="2")
    assert '<b class="unread" title="Not read yet">2</b>' not in await text_of(house, f"/desk?interaction={first}")


async def test_a_message_is_told_at_once_to_the_agent_alone_and_once(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    amy = await house.desk("amy")
    await house.sign_in("bo")
    bo = await house.desk("bo")
    await says(house, ident, "Hello?")
    told = await frame(amy, "chat")
    assert (told["interaction"], told["kind"]) == (ident, "received")
    await read_up(house)
    house.feed.signal(Signal(ident, "typing", "visitor"))
    assert (await frame(amy, "chat"))["kind"] == "typing"
    house.hub._put(house.users["bo"], b'{"type": "chat", "kind": "mark"}')
    assert (await frame(bo, "chat"))["kind"] == "mark"


async def test_read_ticks_follow_the_visitor(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    await house.act("amy", f"/desk/interactions/{ident}/chat/say", text="On its way.", client_id="x1")
    assert "✓✓" not in await text_of(house, f"/desk/interactions/{ident}/chat/log")
    await chats.read(house.log, ident, reader=None, upto=1, now=later(9))
    assert "✓✓" in await text_of(house, f"/desk/interactions/{ident}/chat/log")


async def test_files_go_with_a_line_and_are_saved_never_shown(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    owner = f"user:{house.users['amy']}"
    file = await uploads.keep(house.log, "plan.txt", "text/plain", b"one two", now=NOW, owner=owner)
    answer = await house.act(
        "amy", f"/desk/interactions/{ident}/chat/say", text="Here.", client_id="x1", files=str(file)
    )
    text = await answer.text()
    assert f'href="/api/v1/uploads/{file}" download' in text
    assert "plan.txt" in text
    assert "7 B" in text


async def test_a_colleague_neither_reads_nor_writes_in_a_chat_and_a_supervisor_reads_along(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    await says(house, ident, "My secret")
    await house.sign_in("bo")
    assert (await house.client.get(f"/desk/interactions/{ident}/chat")).status == 403
    assert (await house.act("bo", f"/desk/interactions/{ident}/chat/say", text="x", client_id="y")).status == 403
    await house.sign_in("sue")
    text = await text_of(house, f"/desk/interactions/{ident}/chat")
    assert "My secret" in text
    assert "textarea" not in text
    assert (await house.act("sue", f"/desk/interactions/{ident}/chat/say", text="x", client_id="y")).status == 409


async def test_a_chat_is_handed_to_a_queue_with_a_note_that_the_next_agent_reads(house: House) -> None:
    await house.sign_in("amy")
    await make_queue(house.pool, "billing", members=[house.users["bo"]])
    await house.directory.load()
    ident = await take(house, "t")
    await says(house, ident, "I paid twice")
    form = await text_of(house, f"/desk/interactions/{ident}/transfer")
    assert 'value="queue:billing"' in form
    answer = await house.act(
        "amy", f"/desk/interactions/{ident}/transfer", to="queue:billing", note="Wants it back on the card"
    )
    assert answer.status == 200
    assert f"/desk/interactions/{ident}/" not in await answer.text()
    await on_queue(house.log, house.users["bo"])
    await interactions.answer(
        house.log, await reserve(house.log, ident, house.users["bo"], now=later(70)), now=later(71)
    )
    await house.sign_in("bo")
    text = await text_of(house, f"/desk/interactions/{ident}/chat")
    assert "Wants it back on the card" in text
    assert text.index("I paid twice") < text.index("Wants it back on the card")
    lines = await store.lines(house.pool, ident)
    assert [line.text for line in lines] == ["I paid twice"]  # what the visitor sees


@pytest.mark.parametrize(("to", "status"), [("queue:nowhere", 422), ("number:+8613800138000", 422), ("agent:bo", 409)])
async def test_a_hand_over_that_leads_nowhere_is_refused_and_changes_nothing(
    house: House, to: str, status: int
) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    answer = await house.act("amy", f"/desk/interactions/{ident}/transfer", to=to)
    assert answer.status == status
    assert await house.pool.fetchval("select state from interaction where id = $1", ident) == "active"


async def desk_of(house: House, path: str) -> str:
    """Where the desk at `path` asks for itself when something moves."""
    found = re.search(r'data-region="desk" hx-get="([^"]+)"', await text_of(house, path))
    assert found is not None
    return html.unescape(found[1])


async def test_another_chat_is_offered_beside_the_one_that_is_written_in(house: House) -> None:
    await house.sign_in("amy")
    first = await take(house, "t")
    as_accepted = await desk_of(house, f"/desk?interaction={first}")
    second = await open_chat(house, "u", name="Lin")
    await reserve(house.log, second, house.users["amy"], now=later(5))
    text = await text_of(house, as_accepted)
    assert f'id="chat-{first}-active"' in text
    assert f'hx-post="/desk/interactions/{second}/accept"' in text
    # Nothing was chosen: the offer has the stage.
    assert f'id="chat-{second}-offered"' in await text_of(house, "/desk")


def test_who_waits_is_told_from_the_first_line_that_nobody_answered() -> None:
    line = Line(1, 1, None, "a", "a", NOW)
    ours = replace(line, n=2, author=7, at=NOW + timedelta(seconds=5))
    more = [replace(line, n=n, at=NOW + timedelta(seconds=10 * n)) for n in (3, 4)]
    assert asked_since([line]) == NOW
    assert asked_since([line, ours]) is None
    assert asked_since([line, ours, *more]) == NOW + timedelta(seconds=30)


@pytest.mark.parametrize(("size", "words"), [(7, "7 B"), (1500, "2 kB"), (2_340_000, "2.3 MB")])
def test_sizes_are_short(size: int, words: str) -> None:
    assert size_words(size) == words


async def test_prepared_answers_are_found_by_letters_and_filled_in_the_customers_language(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t", name="Lin")
    await house.pool.execute(
        "insert into canned_answer (name, text, language, updated_at) values ('hello', '您好', 'zh_CN', now()),"
        " ('refund', 'Dear {{ customer.name }}, in five days. {{ agent.name }}', 'en', now())"
    )
    text = await text_of(house, f"/desk/interactions/{ident}/answers?q=ref")
    assert 'data-answer="Dear Lin, in five days. Amy"' in text
    assert "您好" not in text


async def test_what_is_written_is_kept_as_ones_own_answer_and_nobody_elses(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t")
    kept = await house.act("amy", f"/desk/interactions/{ident}/answers", name="sorry", text="We are sorry.")
    assert kept.status == 200
    assert "We are sorry." in await kept.text()
    refused = await house.act("amy", f"/desk/interactions/{ident}/answers", name="x", text="{{ customer.secret }}")
    assert refused.status == 422
    await house.sign_in("bo")
    other = await take(house, "u", "bo")
    assert "We are sorry." not in await text_of(house, f"/desk/interactions/{other}/answers?q=")
    answer = await house.pool.fetchval("select id from canned_answer")
    assert (await house.act("bo", f"/desk/interactions/{other}/answers/{answer}/drop")).status == 404
    await house.sign_in("amy")
    assert (await house.act("amy", f"/desk/interactions/{ident}/answers/{answer}/drop")).status == 200
    assert await house.pool.fetchval("select count(*) from canned_answer") == 0


async def test_supervisors_see_which_chats_go_on_and_agents_do_not(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t", name="Lin")
    await says(house, ident, "Hello?")
    assert (await house.client.get("/chats")).status == 403
    await house.sign_in("sue")
    text = await text_of(house, f"/chats?chat={ident}")
    assert ">Lin</bdi>" in text
    assert "With Amy" in text
    assert f'hx-get="/desk/interactions/{ident}/chat"' in text
    assert "every 2s" in await text_of(house, f"/desk/interactions/{ident}/chat/log")


async def test_a_ticket_that_is_opened_from_a_chat_has_what_was_said_before_and_after(house: House) -> None:
    await house.sign_in("amy")
    ident = await take(house, "t", name="Lin")
    await says(house, ident, "I paid twice")
    opened = await house.act("amy", f"/desk/interactions/{ident}/ticket", subject="Paid twice")
    assert opened.status == 200
    await says(house, ident, "On Monday", "b")
    number = await house.pool.fetchval("select number from ticket")
    page = await text_of(house, f"/tickets/{number}")
    assert page.index("I paid twice") < page.index("On Monday")


async def test_the_visitor_is_called_by_the_name_they_gave_else_anonymous(house: House) -> None:
    await house.sign_in("amy")
    named, nameless = await take(house, "t", name="Lin"), await take(house, "u")
    text = await text_of(house, f"/desk?interaction={named}")
    assert 'data-title="Lin"' in text
    assert ">Anonymous visitor</bdi>" in text
    assert 'data-title="Anonymous visitor"' in await text_of(house, f"/desk?interaction={nameless}")

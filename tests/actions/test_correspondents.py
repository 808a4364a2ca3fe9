"""To whom an answer on a ticket goes."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from callcenter.actions import erasures, outbox, tickets
from callcenter.domain.thread import tagged_address
from callcenter.errors import Invalid
from callcenter.store import erasures as erasure_store
from callcenter.store.pool import Pool
from tests.actions.postbox import WANG, Post, answer, thread
from tests.builders import make_customer
from tests.channels.email.messages import message

STRANGER = "stranger@other.example"


async def know(pool: Pool, address: str) -> None:
    await pool.execute("insert into address (customer_id, kind, value) select id, 'email', $1 from customer", address)


# -- who is answered


async def test_a_stranger_who_writes_into_the_thread_does_not_get_the_answer(post: Post, amy: int) -> None:
    first = await post(message())
    assert (await thread(post, 2, STRANGER)).ticket == first.ticket
    assert await answer(post, first.ticket, amy) == WANG
    letter = (await post.letters())[-1]
    assert letter["interaction_id"] == first.interaction
    assert letter["thread"]["in_reply_to"] == "1@customer.example"


async def test_a_robot_that_wrote_last_does_not_get_the_answer(post: Post, amy: int) -> None:
    first = await post(message())
    await thread(post, 2, "news@shop.example", Precedence="bulk")
    await thread(post, 3, "wang@customer.example", Auto_Submitted="auto-replied")
    assert await answer(post, first.ticket, amy) == WANG
    assert (await post.letters())[-1]["thread"]["in_reply_to"] == "1@customer.example"


async def test_a_robot_on_a_customers_ticket_who_has_not_written_there_is_not_answered(
    post: Post, pool: Pool, amy: int
) -> None:
    await post(message())
    customer = await pool.fetchval("select customer_id from interaction where customer_id is not null")
    ticket = await tickets.open_ticket(
        post.log, subject="A call", customer=customer, interaction=None, queue=None, priority="normal", text=None,
        actor=amy, now=post.now,
    )  # fmt: skip
    assert await answer(post, ticket.id, amy, to="expert@supplier.example") == "expert@supplier.example"
    later = post.now + timedelta(hours=1)
    letter = await outbox.take(post.log, domain="heronbay.example", lease=timedelta(minutes=3), now=later)
    while letter is not None and letter.recipient != "expert@supplier.example":
        letter = await outbox.take(post.log, domain="heronbay.example", lease=timedelta(minutes=3), now=later)
    assert letter is not None
    robot: dict[str, Any] = {"In_Reply_To": f"<{letter.message_id}>", "Auto_Submitted": "auto-replied"}
    back = await thread(post, 2, "expert@supplier.example", **robot)
    assert back.ticket == ticket.id
    before = len(await post.letters())
    await tickets.reply(post.log, ticket.id, text="Hello?", public=True, actor=amy, now=post.now + timedelta(hours=2))
    assert len(await post.letters()) == before


async def test_a_reply_address_of_ours_is_passed_over(post: Post, amy: int) -> None:
    first = await post(message(Reply_To="care@heronbay.example"))
    assert await answer(post, first.ticket, amy) == WANG


async def test_a_later_mail_that_wants_answers_somewhere_else_does_not_get_the_customers(post: Post, amy: int) -> None:
    first = await post(message())
    await thread(post, 2, WANG, Reply_To="evil@attacker.example")
    assert await answer(post, first.ticket, amy) == WANG


async def test_a_robot_is_answered_where_there_is_nobody_else(post: Post, amy: int) -> None:
    first = await post(message(From="shop@robot.example", Precedence="bulk"))
    assert await answer(post, first.ticket, amy) == "shop@robot.example"
    await thread(post, 2, STRANGER)
    assert await answer(post, first.ticket, amy) == STRANGER


async def test_a_customer_of_several_addresses_is_answered_where_they_wrote_last(
    post: Post, pool: Pool, amy: int
) -> None:
    await know(pool, "wang@home.example")
    first = await post(message())
    await thread(post, 2, "wang@home.example")
    await thread(post, 3, STRANGER)
    assert await answer(post, first.ticket, amy) == "wang@home.example"
    await thread(post, 4, WANG)
    assert await answer(post, first.ticket, amy) == WANG


async def test_an_address_that_became_known_later_is_the_customers(post: Post, pool: Pool, amy: int) -> None:
    first = await post(message())
    await thread(post, 2, "wang@home.example")
    assert await answer(post, first.ticket, amy) == WANG
    await know(pool, "wang@home.example")
    assert await answer(post, first.ticket, amy) == "wang@home.example"


async def test_where_the_customer_is_unknown_the_first_sender_is_answered_on_their_latest_message(
    post: Post, amy: int
) -> None:
    first = await post(message(From="li@other.example"))
    await thread(post, 2, "li@other.example")
    await thread(post, 3, STRANGER)
    assert await answer(post, first.ticket, amy) == "li@other.example"
    assert (await post.letters())[-1]["thread"]["in_reply_to"] == "2@thread.example"


async def test_a_customer_who_writes_into_the_case_of_somebody_unknown_does_not_take_it_over(
    post: Post, pool: Pool, amy: int
) -> None:
    first = await post(message(From="li@other.example"))
    second = await thread(post, 2, WANG)
    assert (await post.state(first.ticket))["customer_id"] is None
    assert await answer(post, first.ticket, amy) == "li@other.example"
    wang = await pool.fetchval("select customer_id from interaction where id = $1", second.interaction)
    assert await pool.fetchval("select customers from ticket where id = $1", first.ticket) == [wang]
    # Of whom we learn who they are it is the case at their next message.
    li = await pool.fetchval("insert into customer (name) values ('Li Lei') returning id")
    await pool.execute("insert into address (customer_id, kind, value) values ($1, 'email', 'li@other.example')", li)
    await thread(post, 3, "li@other.example")
    assert (await post.state(first.ticket))["customer_id"] == li
    assert await answer(post, first.ticket, amy) == "li@other.example"


async def test_a_contact_in_hand_is_answered_to_its_sender(post: Post, amy: int) -> None:
    first = await post(message())
    second = await thread(post, 2, STRANGER)
    assert await answer(post, first.ticket, amy, contact=second.interaction) == STRANGER
    assert await answer(post, first.ticket, amy, contact=first.interaction) == WANG


async def test_a_contact_in_hand_that_came_by_no_mail_is_answered_by_the_rule(post: Post, amy: int, call: int) -> None:
    first = await post(message())
    assert first.ticket is not None
    await tickets.link(post.log, first.ticket, interaction=call, actor=amy, now=post.now)
    assert await answer(post, first.ticket, amy, contact=call) == WANG


async def test_the_letter_that_says_it_is_over_goes_to_the_customer(post: Post, pool: Pool, amy: int) -> None:
    await pool.execute("update mailbox set closing_note = true")
    first = await post(message())
    await thread(post, 2, STRANGER)
    assert first.ticket is not None
    await tickets.change(post.log, first.ticket, changes={"state": "resolved"}, version=None, actor=amy, now=post.now)
    letter = (await post.letters())[-1]
    assert (letter["template"], letter["recipient"]) == ("closing", WANG)


async def test_a_stranger_on_the_ticket_of_a_customer_who_never_wrote_gets_nothing_that_nobody_wrote(
    post: Post, pool: Pool, amy: int
) -> None:
    await pool.execute("update mailbox set closing_note = true")
    ticket = await tickets.open_ticket(
        post.log, subject="Dark", customer=await make_customer(pool), interaction=None, queue=None, priority="normal",
        text=None, actor=amy, now=post.now,
    )  # fmt: skip
    key = await pool.fetchval("select link_key from organisation")
    await post(message(From=STRANGER, To=tagged_address(key, ticket.number, "care@heronbay.example")))
    await tickets.reply(post.log, ticket.id, text="Still there?", public=True, actor=None, now=post.now)
    [letter] = await post.letters()
    assert (letter["recipient"], letter["state"]) == (STRANGER, "failed")
    await tickets.change(post.log, ticket.id, changes={"state": "resolved"}, version=None, actor=amy, now=post.now)
    assert len(await post.letters()) == 1
    assert await answer(post, ticket.id, amy) == STRANGER


# -- an address that was typed


async def test_an_agent_may_answer_to_another_address_and_the_log_says_so(post: Post, pool: Pool, amy: int) -> None:
    first = await post(message())
    assert await answer(post, first.ticket, amy, to=" Sparks@Other.example ") == "sparks@other.example"
    letter = (await post.letters())[-1]
    assert (letter["interaction_id"], letter["customer_id"], letter["thread"]["in_reply_to"]) == (None, None, None)
    assert await pool.fetchval("select data ->> 'to' from contact_log where kind = 'ticket.replied'") == "given"
    assert await pool.fetchval("select count(*) from contact_log where data::text like '%sparks%'") == 0


async def test_an_answer_to_one_of_those_who_wrote_stands_in_their_thread(post: Post, amy: int) -> None:
    first = await post(message())
    second = await thread(post, 2, STRANGER)
    assert await answer(post, first.ticket, amy, to=STRANGER) == STRANGER
    letter = (await post.letters())[-1]
    assert (letter["interaction_id"], letter["thread"]["in_reply_to"]) == (second.interaction, "2@thread.example")


async def test_an_answer_on_a_call_goes_to_the_address_that_the_agent_types_and_the_reply_comes_back(
    post: Post, amy: int, call: int
) -> None:
    ticket = await tickets.open_ticket(
        post.log, subject="Dark", customer=None, interaction=call, queue=None, priority="normal", text=None, actor=amy,
        now=post.now,
    )  # fmt: skip
    await tickets.reply(post.log, ticket.id, text="Press it.", public=True, actor=amy, now=post.now)
    assert await post.letters() == []
    assert await answer(post, ticket.id, amy, to="li@other.example") == "li@other.example"
    key = await post.log.pool.fetchval("select link_key from organisation")
    to = tagged_address(key, ticket.number, "care@heronbay.example")
    assert (await post(message(From="li@other.example", To=to))).ticket == ticket.id


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("wang", "no mail address"),
        ("wang@customer.example, li@other.example", "no mail address"),
        ("wang@customer.example\r\nBcc: all@customer.example", "no mail address"),
        ("", "no mail address"),
        ("care@heronbay.example", "mailbox of our own"),
        ("care+1001@heronbay.example", "mailbox of our own"),
    ],
)
async def test_what_is_no_address_of_anybody_is_refused_and_nothing_is_said(
    post: Post, pool: Pool, amy: int, to: str, words: str
) -> None:
    first = await post(message())
    with pytest.raises(Invalid, match=words) as refused:
        await answer(post, first.ticket, amy, to=to)
    assert refused.value.field == "to"
    assert await pool.fetchval("select count(*) from message where kind = 'outbound'") == 0


async def test_a_note_goes_to_no_address(post: Post, amy: int) -> None:
    first = await post(message())
    assert first.ticket is not None
    with pytest.raises(Invalid, match="A note is for us"):
        await tickets.reply(post.log, first.ticket, text="x", public=False, to=WANG, actor=amy, now=post.now)


# -- erased


async def test_who_is_erased_takes_what_we_answered_them_in_the_case_of_somebody_else(
    post: Post, pool: Pool, amy: int
) -> None:
    first = await post(message(), now=post.now)
    assert first.ticket is not None
    li = await make_customer(pool, "Li")
    wang = await pool.fetchval("select customer_id from address where value = $1", WANG)
    add = "insert into address (customer_id, kind, value, certainty) values ($1, 'email', $2, 'known')"
    await pool.execute(add, li, "li@other.example")
    await thread(post, 2, "li@other.example")
    assert await answer(post, first.ticket, amy, to="li@other.example") == "li@other.example"
    await tickets.reply(post.log, first.ticket, text="Dear Wang.", public=True, actor=amy, now=post.now)
    letters = "select recipient, text, state from outbox where said_id is not null order by id"
    before = [tuple(row) for row in await pool.fetch(letters)]
    assert [row[0] for row in before] == ["li@other.example", WANG]
    archives = [io.BytesIO(), io.BytesIO()]
    for who, archive in zip((li, wang), archives, strict=True):
        await erasure_store.export(pool, who, archive)
    told = [zipfile.ZipFile(archive).read("person.json").decode() for archive in archives]
    assert ["Press it." in each for each in told] == [True, False]
    await pool.execute("update interaction set state = 'closed'")
    await erasures.erase(post.log, wang, reason="7", actor=None, now=post.now)
    after = [tuple(row) for row in await pool.fetch(letters)]
    assert (after[0], after[1][2]) == (before[0], "failed")
    await erasures.erase(post.log, li, reason="8", actor=None, now=post.now)
    assert not await pool.fetchval("select count(*) from message where text like '%Press it%' or text like 'Me too%'")
    assert not await pool.fetchval("select count(*) from ticket_text where text like '%Press it%'")

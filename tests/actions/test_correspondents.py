"""To whom an answer on a ticket goes, and what a colleague writes into somebody else's case."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from callcenter import toml
from callcenter.actions import erasures, organisation, outbox, tickets
from callcenter.actions.mail_in import Received
from callcenter.domain.organisation_file import understand
from callcenter.domain.thread import tagged_address
from callcenter.errors import Invalid
from callcenter.store import erasures as erasure_store
from callcenter.store.pool import Pool
from tests.actions.postbox import Post
from tests.builders import make_customer
from tests.channels.email.messages import attached, message, multipart, part

WANG = "wang@customer.example"
STRANGER = "stranger@other.example"
AMY = "amy@heronbay.example"


async def thread(post: Post, n: int, sender: str, /, body: bytes = b"Me too.", **fields: str) -> Received:
    """The n-th message of the thread that <1@customer.example> began, a minute after the one before."""
    given = {"From": sender, "Message_ID": f"<{n}@thread.example>", "In_Reply_To": "<1@customer.example>"} | fields
    return await post(message(body, **given), now=post.now + timedelta(minutes=n))


async def answer(post: Post, ticket: int | None, amy: int, **given: Any) -> str:
    """Where the agent's answer goes."""
    assert ticket is not None
    await tickets.reply(
        post.log, ticket, text="Press it.", public=True, actor=amy, now=post.now + timedelta(hours=1), **given
    )
    return str((await post.letters())[-1]["recipient"])


@pytest.fixture
async def colleague(pool: Pool, amy: int) -> int:
    await pool.execute("update users set email = 'Amy@heronbay.example' where id = $1", amy)
    return amy


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


# -- notes of colleagues


async def test_a_colleagues_mail_in_a_thread_is_a_note_of_theirs_and_sets_nothing_going(
    post: Post, pool: Pool, colleague: int
) -> None:
    first = await post(message())
    assert first.ticket is not None
    await answer(post, first.ticket, colleague)
    await tickets.change(
        post.log, first.ticket, changes={"state": "resolved"}, version=None, actor=colleague, now=post.now
    )
    letters, before = await post.count("outbox"), await pool.fetchval("select max(seq) from contact_log")
    raw = multipart(
        part(b"I know this router."), attached(b"%PDF-1.4 x", "plan.pdf"),
        From="Amy Chen <amy@heronbay.example>", Message_ID="<n@heronbay.example>", In_Reply_To="<1@customer.example>",
    )  # fmt: skip
    received = await post(raw, now=post.now + timedelta(hours=2))
    assert received.ticket == first.ticket
    row = await pool.fetchrow(
        "select kind, public, text, author_id, ticket_id from message where interaction_id = $1", received.interaction
    )
    assert row is not None
    assert tuple(row) == ("note", False, "I know this router.", colleague, first.ticket)
    files = "select name from mail_attachment a join mail m on m.id = a.mail_id where m.interaction_id = $1"
    assert await pool.fetchval(files, received.interaction) == "plan.pdf"
    state = await pool.fetchrow(
        "select state, queue_id, customer_id, end_cause from interaction where id = $1", received.interaction
    )
    assert state is not None
    assert tuple(state) == ("closed", None, None, "colleague")
    assert (await post.state(first.ticket))["state"] == "resolved"
    assert await post.count("outbox") == letters
    kinds = await pool.fetch("select kind from contact_log where seq > $1", before)
    assert {each["kind"] for each in kinds} == {
        "interaction.arrived",
        "interaction.closed",
        "interaction.linked",
        "ticket.replied",
    }
    assert await answer(post, first.ticket, colleague) == WANG
    # Delivered again it changes nothing, and a customer who answers it comes to the same case.
    assert not (await post(raw)).new
    back = await thread(post, 9, WANG, In_Reply_To="<n@heronbay.example>")
    assert back.ticket == first.ticket
    assert (await post.state(first.ticket))["state"] == "open"


async def test_a_colleagues_mail_asks_and_answers_nothing_that_is_promised(
    post: Post, pool: Pool, colleague: int
) -> None:
    promises = '[[queues]]\nname = "support"\ndefault = true\n[[mailboxes]]\naddress = "care@heronbay.example"\n'
    promises += 'queue = "support"\n[[sla_policies]]\nname = "all"\nfirst_response = "30m"\nnext_response = "1h"\n'
    file = understand(toml.parse(promises, "org.toml"), {})
    await organisation.apply(post.log, file, prune=False, actor=None, now=post.now)
    first = await post(message())

    async def owed() -> list[tuple[object, ...]]:
        query = "select clock, state, due_at from sla_clock where state <> 'void' order by clock, round"
        return [tuple(each) for each in await pool.fetch(query)]

    asked = await owed()
    assert [each[:2] for each in asked] == [("first_response", "running")]
    await thread(post, 2, AMY)
    assert await owed() == asked
    await answer(post, first.ticket, colleague)
    answered = await owed()
    await thread(post, 70, AMY)
    assert await owed() == answered
    await thread(post, 80, WANG)
    assert ("next_response", "running") in [each[:2] for each in await owed()]


async def test_a_colleagues_mail_about_what_is_closed_opens_nothing(post: Post, pool: Pool, colleague: int) -> None:
    first = await post(message(To="bills@heronbay.example"))
    assert first.ticket is not None
    await tickets.change(post.log, first.ticket, changes={"state": "closed"}, version=None, actor=None, now=post.now)
    note = await thread(post, 2, AMY, To="bills@heronbay.example")
    assert note.ticket == first.ticket
    assert await post.count("ticket") == 1
    assert (await post.state(first.ticket))["state"] == "closed"


async def test_a_colleagues_mail_without_words_is_a_note_by_its_subject(post: Post, pool: Pool, colleague: int) -> None:
    await post(message())
    note = await thread(post, 2, AMY, b"\r\n", Subject="Re: No light")
    text = await pool.fetchval("select text from message where interaction_id = $1", note.interaction)
    assert text == "Re: No light"


async def test_a_colleague_who_asked_themselves_is_the_customer_of_their_case(
    post: Post, pool: Pool, colleague: int
) -> None:
    own = await post(message(b"My lamp is dark.", From=AMY))
    assert own.ticket is not None
    assert await answer(post, own.ticket, colleague) == AMY
    await tickets.change(post.log, own.ticket, changes={"state": "resolved"}, version=None, actor=None, now=post.now)
    again = await thread(post, 2, AMY)
    assert await pool.fetchval("select kind from message where interaction_id = $1", again.interaction) == "inbound"
    assert (await post.state(own.ticket))["state"] == "open"


async def test_a_note_of_a_colleague_takes_no_case_from_who_sees_it_in_their_own_pages(
    post: Post, pool: Pool, colleague: int
) -> None:
    first = await post(message(From="li@other.example"))
    await thread(post, 2, AMY)
    assert await pool.fetchval("select own_tickets('li@other.example')") == first.ticket


async def test_what_a_colleague_wrote_about_a_customer_is_erased_with_them(
    post: Post, pool: Pool, colleague: int
) -> None:
    first = await post(message())
    note = await thread(post, 2, AMY, b"Wang lives in the second house.")
    wang = (await post.state(first.ticket))["customer_id"]
    await pool.execute("update interaction set state = 'closed'")
    await erasures.erase(post.log, wang, reason="Asked for it.", actor=None, now=post.now)
    kept = await pool.fetchrow(
        "select m.raw, i.subject, i.address, t.text from mail m join interaction i on i.id = m.interaction_id "
        "join message t on t.interaction_id = i.id where i.id = $1",
        note.interaction,
    )
    assert kept is not None
    assert tuple(kept) == (b"", None, None, "")


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

"""Mail that comes in, to its case and its queue."""

from datetime import datetime, timedelta

import pytest

from callcenter.actions import tickets
from callcenter.domain.thread import tagged_address
from callcenter.errors import Invalid
from callcenter.store.pool import Pool
from tests.actions.postbox import Post, answered
from tests.channels.email.messages import attached, bounce, message, multipart, part

KEPT = """select i.state, i.outcome, i.subject, i.address, i.customer_id, i.ticket_id, q.name as queue, m.nature, m.raw
from interaction i join mail m on m.interaction_id = i.id left join queue q on q.id = i.queue_id where i.id = $1"""


async def test_a_message_becomes_an_interaction_with_a_ticket_in_its_mailboxes_queue(post: Post, pool: Pool) -> None:
    raw = multipart(
        part(b"It stays dark."), attached(b"photo", "led.png", "image/png"), To="Bills <bills@heronbay.example>"
    )
    received = await post(raw)
    row = await pool.fetchrow(KEPT, received.interaction)
    assert row is not None
    assert (row["state"], row["queue"], row["subject"]) == ("queued", "billing", "No light")
    assert (row["address"], row["nature"], row["raw"]) == ("wang@customer.example", "person", raw)
    ticket = await post.state(row["ticket_id"])
    assert (ticket["state"], ticket["customer_id"]) == ("new", row["customer_id"])
    text = await pool.fetchrow(
        "select kind, public, text, ticket_id from message where interaction_id = $1", received.interaction
    )
    assert text is not None
    assert tuple(text) == ("inbound", True, "It stays dark.", row["ticket_id"])
    assert [each["name"] for each in await pool.fetch("select name from mail_attachment")] == ["led.png"]


async def test_the_same_message_by_two_ways_is_one_interaction(post: Post) -> None:
    raw = message()
    first = await post(raw)
    second = await post(b"Received: by another.example\r\n" + raw)
    assert (second.interaction, second.new) == (first.interaction, False)
    assert [await post.count(each) for each in ("interaction", "mail", "ticket", "message", "outbox")] == [1] * 5


async def test_mail_to_nobody_we_know_goes_to_the_default_queue_or_is_refused(post: Post, pool: Pool) -> None:
    received = await post(message(To="who@heronbay.example"))
    row = await pool.fetchrow(KEPT, received.interaction)
    assert row is not None
    assert row["queue"] == "support"
    await pool.execute("update queue set is_default = false")
    with pytest.raises(Invalid, match="no default queue"):
        await post(message(To="who@heronbay.example", Message_ID="<2@x>"))


async def test_the_envelope_is_believed_before_the_fields(post: Post, pool: Pool) -> None:
    received = await post(message(), recipients=("Bills@heronbay.example",))
    row = await pool.fetchrow(KEPT, received.interaction)
    assert row is not None
    assert row["queue"] == "billing"


async def test_an_answer_goes_out_in_the_thread_of_the_customers_message(post: Post, pool: Pool) -> None:
    received = await post(message())
    await answered(post, received.ticket)
    letter = (await post.letters())[-1]
    ticket = await post.state(received.ticket)
    key = await pool.fetchval("select link_key from organisation")
    assert (letter["recipient"], letter["text"]) == ("wang@customer.example", "Is it plugged in?")
    assert letter["subject"].startswith(f"Re: No light [#{ticket['number']}-")
    assert letter["thread"]["in_reply_to"] == "1@customer.example"
    assert letter["thread"]["reply_to"] == tagged_address(key, ticket["number"], "care@heronbay.example")


async def test_a_reply_is_known_by_its_ids_and_waits_in_the_tickets_queue(post: Post, pool: Pool) -> None:
    received = await post(message())
    letter = await answered(post, received.ticket)
    assert received.ticket is not None
    await tickets.change(
        post.log, received.ticket, changes={"state": "pending"}, version=None, actor=None, now=post.now
    )
    reply = await post(
        message(b"Yes.", Message_ID="<2@customer.example>", Subject="Quite another", References=f"<{letter}>")
    )
    assert reply.ticket == received.ticket
    assert (await post.state(reply.ticket))["state"] == "open"
    third = await post(
        message(b"And?", Message_ID="<3@customer.example>", Subject="x", In_Reply_To="<2@customer.example>")
    )
    assert third.ticket == received.ticket


async def test_a_reply_without_ids_is_known_by_the_token_and_never_by_its_subject(post: Post, pool: Pool) -> None:
    received = await post(message())
    number = (await post.state(received.ticket))["number"]
    key = await pool.fetchval("select link_key from organisation")
    address = tagged_address(key, number, "care@heronbay.example")
    reply = await post(message(b"Yes.", Message_ID="<2@customer.example>", To=address))
    assert reply.ticket == received.ticket
    forged = await post(message(b"Me.", Message_ID="<3@evil.example>", Subject=f"Re: No light [#{number}-aaaaaaaaaa]"))
    assert forged.ticket != received.ticket


@pytest.mark.parametrize(("to", "reopens"), [("care@heronbay.example", True), ("bills@heronbay.example", False)])
async def test_a_reply_to_a_closed_ticket_does_what_its_mailbox_says(post: Post, to: str, reopens: bool) -> None:
    received = await post(message(To=to))
    assert received.ticket is not None
    await tickets.change(post.log, received.ticket, changes={"state": "closed"}, version=None, actor=None, now=post.now)
    reply = await post(message(b"Again.", Message_ID="<2@x.example>", In_Reply_To="<1@customer.example>", To=to))
    assert (reply.ticket == received.ticket) is reopens
    assert (await post.state(received.ticket))["state"] == ("open" if reopens else "closed")
    if not reopens:
        assert await post.log.pool.fetchval("select count(*) from ticket_relation") >= 1


async def test_an_automatic_reply_is_kept_and_moves_nothing(post: Post, pool: Pool) -> None:
    received = await post(message())
    letter = await answered(post, received.ticket)
    assert received.ticket is not None
    await tickets.change(
        post.log, received.ticket, changes={"state": "resolved"}, version=None, actor=None, now=post.now
    )
    letters = len(await post.letters())
    away = await post(message(b"Away.", Message_ID="<2@x>", In_Reply_To=f"<{letter}>", Auto_Submitted="auto-replied"))
    row = await pool.fetchrow(KEPT, away.interaction)
    assert row is not None
    assert (row["state"], row["outcome"], row["queue"], row["ticket_id"]) == (
        "closed",
        "handled",
        None,
        received.ticket,
    )
    assert (await post.state(received.ticket))["state"] == "resolved"
    assert len(await post.letters()) == letters
    alone = await post(message(b"Away.", Message_ID="<3@x>", Subject="自动回复: x"))
    assert (alone.ticket, await post.count("ticket")) == (None, 1)


async def test_a_bounce_belongs_to_the_letter_and_marks_the_address_until_it_writes_again(
    post: Post, pool: Pool
) -> None:
    received = await post(message())
    letter = await answered(post, received.ticket)
    back = await post(bounce(letter))
    assert back.ticket == received.ticket
    row = await pool.fetchrow("select last_error, bounced_at from outbox where message_id = $1", letter)
    assert row is not None
    assert tuple(row) == ("550 5.1.1 User unknown", post.now)
    assert await pool.fetchval("select bounced_at from address") == post.now
    assert await pool.fetchval("select count(*) from contact_log where kind = 'message.failed'") == 1
    assert await post.count("ticket") == 1
    await post(message(Message_ID="<9@x>"))
    assert await pool.fetchval("select bounced_at from address") is None


async def test_an_acknowledgement_goes_once_an_hour_to_people_only(post: Post, now: datetime) -> None:
    await post(message())
    await post(message(Message_ID="<2@x>", Subject="Another"))
    await post(message(Message_ID="<3@x>", From="shop@list.example", Precedence="bulk"))
    (letter,) = await post.letters()
    assert (letter["template"], letter["recipient"], letter["language"]) == (
        "acknowledgement",
        "wang@customer.example",
        "zh_CN",
    )
    assert letter["thread"]["auto"] == "auto-replied"
    await post(message(Message_ID="<4@x>"), now=now + timedelta(hours=2))
    assert len(await post.letters()) == 2


async def test_mail_from_our_own_address_goes_round_no_circle(post: Post, pool: Pool) -> None:
    received = await post(message(From="care@heronbay.example"))
    row = await pool.fetchrow(KEPT, received.interaction)
    assert row is not None
    assert (row["state"], row["ticket_id"], await post.count("outbox")) == ("closed", None, 0)


async def test_a_question_starts_the_clock_of_the_next_response(post: Post, pool: Pool, amy: int) -> None:
    targets = {"first_response": "1h", "next_response": "1h"}
    await pool.execute("insert into sla_policy (name, place, targets) values ('all', 0, $1)", targets)
    received = await post(message())
    assert received.ticket is not None
    await tickets.reply(post.log, received.ticket, text="Is it on?", public=True, actor=amy, now=post.now)
    later = post.now + timedelta(minutes=5)
    await post(
        message(b"Off.", Message_ID="<2@x>", In_Reply_To="<1@customer.example>", Auto_Submitted="auto-replied"),
        now=later,
    )
    assert (
        await pool.fetchval("select count(*) from sla_clock where clock = 'next_response' and state = 'running'") == 0
    )
    await post(message(b"Yes.", Message_ID="<3@x>", In_Reply_To="<1@customer.example>"), now=later)
    due = await pool.fetchval("select due_at from sla_clock where clock = 'next_response' and state = 'running'")
    assert due == later + timedelta(hours=1)


async def test_a_message_that_says_nothing_is_kept_all_the_same(post: Post, pool: Pool) -> None:
    received = await post(b"\x00\xff")
    row = await pool.fetchrow(KEPT, received.interaction)
    assert row is not None
    assert (row["state"], row["raw"]) == ("queued", b"\x00\xff")
    assert "does not say whom it is from" in await pool.fetchval("select text from message")

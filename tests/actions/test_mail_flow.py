"""How much mail sets going: rates, circles, what colleagues pass on, tickets of long ago, bounces without an id."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter.actions import outbox, tickets
from callcenter.domain.outbox import Letter
from callcenter.domain.thread import tagged_address
from callcenter.store.log import ContactLog
from callcenter.store.outbox import Outgoing
from callcenter.store.pool import Pool
from channels.email.compose import address_of, compose
from tests.actions.postbox import Post, answered
from tests.channels.email.messages import bounce, message, multipart, part

LIMIT = {"messages_per_hour": 3}


async def write(post: Post, n: int, **fields: str) -> int | None:
    given = {"Message_ID": f"<m{n}@customer.example>", "Subject": f"Question {n}"} | fields
    return (await post(message(**given), now=post.now + timedelta(seconds=n))).ticket


async def test_too_many_messages_of_an_address_go_into_one_ticket(post: Post, pool: Pool) -> None:
    await pool.execute("update organisation set mail_rules = $1", LIMIT)
    found = [await write(post, n) for n in range(7)]
    assert len(set(found[:3])) == 3
    assert len(set(found[3:])) == 1
    assert found[3] not in found[:3]
    assert await pool.fetchval("select subject from ticket where id = $1", found[3]) == (
        "wang@customer.example (> 3/h): Question 3"
    )
    assert await post.count("mail") == 7
    assert await pool.fetchval("select count(*) from interaction where ticket_id = $1", found[3]) == 4
    # Somebody is offered the first of them, and no more.
    assert await pool.fetchval("select count(*) from interaction where state = 'queued'") == 4
    assert await pool.fetchval("select count(*) from outbox") == 1
    other = await write(post, 9, From="li@customer.example")
    assert await pool.fetchval("select subject from ticket where id = $1", other) == "Question 9"
    later = await post(message(Message_ID="<late@x>", Subject="Later"), now=post.now + timedelta(hours=2))
    assert later.ticket not in found


async def test_beyond_its_rate_a_reply_still_comes_to_its_ticket_and_reopens_it(post: Post, pool: Pool) -> None:
    await pool.execute("update organisation set mail_rules = $1", LIMIT)
    first, *_ = [await write(post, n) for n in range(3)]
    assert first is not None
    await tickets.change(post.log, first, changes={"state": "resolved"}, version=None, actor=None, now=post.now)
    assert await write(post, 4, In_Reply_To="<m0@customer.example>") == first
    assert (await post.state(first))["state"] == "open"


async def test_a_flood_goes_on_in_the_ticket_into_which_it_was_merged_and_anew_when_that_is_over(
    post: Post, pool: Pool
) -> None:
    await pool.execute("update organisation set mail_rules = $1", {"messages_per_hour": 1})
    (_, flood, again) = [await write(post, n) for n in range(3)]
    assert flood == again
    assert flood is not None
    await tickets.change(post.log, flood, changes={"state": "closed"}, version=None, actor=None, now=post.now)
    assert await write(post, 5) not in (None, flood)


async def go_out(log: ContactLog, now: datetime) -> list[Outgoing]:
    letters = []
    while letter := await outbox.take(log, domain="heronbay.example", lease=timedelta(minutes=3), now=now):
        await outbox.sent(log, letter, now=now)
        letters.append(letter)
    return letters


def as_message(letter: Outgoing, *, sender: str, now: datetime) -> bytes:
    text = Letter(letter.subject or "We have received your message", letter.text or "Thank you.")
    composed = compose(
        text,
        message_id=letter.message_id,
        sender=address_of(sender, "Heronbay"),
        recipient=address_of(letter.recipient, ""),
        language=None,
        now=now,
        thread=letter.thread,
    )
    return composed.as_bytes()


async def test_a_robot_that_answers_everything_anew_gets_one_answer(post: Post, pool: Pool) -> None:
    """It says nothing of what it is, keeps no thread, and changes its subject each time."""
    raw, rounds = message(From="shop@robot.example", Message_ID="<r0@robot.example>"), 0
    while rounds < 50:
        rounds += 1
        await post(raw, now=post.now + timedelta(seconds=rounds))
        if not await go_out(post.log, post.now + timedelta(seconds=rounds)):
            break
        raw = message(From="shop@robot.example", Message_ID=f"<r{rounds}@robot.example>", Subject=f"Got it {rounds}")
    assert rounds == 2
    assert await post.count("ticket") == 2


async def test_a_robot_that_keeps_to_the_thread_gets_one_answer_too(post: Post, pool: Pool) -> None:
    await post(message(From="shop@robot.example"))
    for n in range(10):
        (*_, letter) = [None, *(await go_out(post.log, post.now))]
        if letter is None:
            break
        reply = f"<{letter.message_id}>"
        await post(message(From="shop@robot.example", Message_ID=f"<r{n}@x>", Subject="Re: x", In_Reply_To=reply))
    assert n == 1
    assert await post.count("ticket") == 1


async def test_two_of_our_own_mailboxes_that_face_each_other_end_at_once(post: Post, pool: Pool) -> None:
    """One forwards to the other, and letters come from an address that is no mailbox."""
    await post(message(From="care@heronbay.example", To="bills@heronbay.example"))
    assert await post.count("outbox") == 0
    await post(message(From="li@customer.example", Message_ID="<2@x>"))
    (letter,) = await go_out(post.log, post.now)
    back = as_message(letter, sender="noreply@heronbay.example", now=post.now)
    received = await post(back, recipients=("bills@heronbay.example",))
    state = await pool.fetchrow("select state, queue_id from interaction where id = $1", received.interaction)
    assert state is not None
    assert tuple(state) == ("closed", None)
    # It belongs to the case of the letter that it is, and sets nothing going.
    assert await go_out(post.log, post.now) == []
    assert await post.count("ticket") == 1


@pytest.mark.parametrize("sender", ["no-reply@shop.example", "MAILER-DAEMON@shop.example", "list-bounces@x.example"])
async def test_nobody_acknowledges_to_an_address_that_nobody_reads(post: Post, sender: str) -> None:
    received = await post(message(From=sender))
    assert received.ticket is not None
    assert await post.count("outbox") == 0


async def test_letters_of_rules_are_withheld_from_programmes_and_beyond_their_rate(post: Post, pool: Pool) -> None:
    await pool.execute("update organisation set mail_rules = $1", {"automatic_per_hour": 2})
    ticket = await write(post, 1)
    assert ticket is not None
    for _ in range(3):
        await tickets.reply(post.log, ticket, text="By a rule.", public=True, actor=None, now=post.now)
    states = [(each["state"], each["last_error"]) for each in await post.letters() if each["template"] is None]
    assert [state for state, _ in states] == ["waiting", "failed", "failed"]  # the acknowledgement was the other
    assert "too many automatic letters" in (states[1][1] or "")
    failed = await pool.fetchval("select data ->> 'reason' from contact_log where kind = 'message.failed' limit 1")
    assert failed == "withheld"
    robot = await write(post, 2, From="noreply@shop.example")
    assert robot is not None
    await tickets.reply(post.log, robot, text="By a rule.", public=True, actor=None, now=post.now)
    assert (await post.letters())[-1]["state"] == "failed"


@pytest.fixture
async def colleague(post: Post, pool: Pool, amy: int) -> int:
    await pool.execute("update users set email = 'Amy@heronbay.example' where id = $1", amy)
    return amy


FORWARD = b"She calls every day.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Li Lei <li@other.example>\r\n"
FORWARD += b"Date: Tue\r\nSubject: Dark\r\nTo: amy@heronbay.example\r\n\r\nThe lamp is dark.\r\n"


async def test_what_a_colleague_forwards_is_a_ticket_of_its_first_sender(
    post: Post, pool: Pool, colleague: int
) -> None:
    received = await post(message(FORWARD, From="Amy Chen <amy@heronbay.example>", Subject="Fwd: Dark"))
    row = await pool.fetchrow(
        "select i.address, i.address_name, i.subject, i.state, m.sender, m.correspondent, m.html "
        "from interaction i join mail m on m.interaction_id = i.id where i.id = $1",
        received.interaction,
    )
    assert row is not None
    assert tuple(row) == (
        "li@other.example",
        "Li Lei",
        "Dark",
        "queued",
        "li@other.example",
        "amy@heronbay.example",
        None,
    )
    texts = await pool.fetch("select kind, public, text, author_id from message order by id")
    assert [tuple(each) for each in texts] == [
        ("inbound", True, "The lamp is dark.", None),
        ("note", False, "She calls every day.", colleague),
    ]
    assert await post.count("outbox") == 0
    await answered(post, received.ticket)
    assert (await post.letters())[-1]["recipient"] == "li@other.example"


async def test_a_message_that_is_attached_is_the_first_senders_and_its_id_leads_to_its_case(
    post: Post, pool: Pool, colleague: int
) -> None:
    first = await post(message())
    inner = message(From="Li Lei <li@other.example>", Message_ID="<deep@other.example>", Subject="Dark")
    raw = multipart(
        part(b"Please."), part(inner, "message/rfc822"), From="amy@heronbay.example", Message_ID="<f@heronbay.example>"
    )
    received = await post(raw)
    assert received.ticket != first.ticket
    assert (
        await pool.fetchval("select address from interaction where id = $1", received.interaction) == "li@other.example"
    )
    known = multipart(
        part(b""), part(message(), "message/rfc822"), From="amy@heronbay.example", Message_ID="<g@heronbay.example>"
    )
    assert (await post(known)).ticket == first.ticket


async def test_what_colleagues_passed_on_to_each_other_is_the_first_strangers(
    post: Post, pool: Pool, colleague: int, amy: int
) -> None:
    await pool.execute(
        "insert into users (name, full_name, role, email) values ('bo', 'Bo', 'agent', 'bo@heronbay.example')"
    )
    outer = b"For you.\r\n\r\n---------- Forwarded message ---------\r\nFrom: Bo <bo@heronbay.example>\r\nDate: Tue\r\n"
    outer += b"Subject: Fwd: Dark\r\nTo: amy@heronbay.example\r\n\r\n" + FORWARD
    received = await post(message(outer, From="amy@heronbay.example", Subject="Fwd: Fwd: Dark"))
    assert (
        await pool.fetchval("select address from interaction where id = $1", received.interaction) == "li@other.example"
    )
    assert await pool.fetchval("select text from message where kind = 'note'") == "For you.\n\nShe calls every day."


async def test_only_a_colleagues_forward_speaks_for_another(post: Post, pool: Pool, colleague: int) -> None:
    received = await post(message(FORWARD, From="evil@other.example", Subject="Fwd: Dark"))
    address = await pool.fetchval("select address from interaction where id = $1", received.interaction)
    assert address == "evil@other.example"
    own = await post(message(b"My lamp is dark.", From="amy@heronbay.example", Message_ID="<own@x>"))
    address = await pool.fetchval("select address from interaction where id = $1", own.interaction)
    assert address == "amy@heronbay.example"


@pytest.mark.parametrize(("days", "same"), [(13, True), (15, False)])
async def test_what_was_closed_long_ago_is_another_case(post: Post, pool: Pool, days: int, same: bool) -> None:
    await pool.execute("update mailbox set new_after = '14 days'")
    ticket = await write(post, 1)
    assert ticket is not None
    await tickets.change(post.log, ticket, changes={"state": "closed"}, version=None, actor=None, now=post.now)
    reply = message(b"Again.", Message_ID="<2@x>", In_Reply_To="<m1@customer.example>")
    received = await post(reply, now=post.now + timedelta(days=days))
    assert (received.ticket == ticket) is same
    assert (await post.state(ticket))["state"] == ("open" if same else "closed")
    assert await post.count("ticket_relation") == (0 if same else 1)


async def test_a_bounce_that_names_nothing_but_its_recipient_belongs_to_the_latest_letter(
    post: Post, pool: Pool
) -> None:
    received = await post(message())
    await answered(post, received.ticket)
    text = "您好，您发给 wang@customer.example 的邮件被退回。\n退信原因：收件人不存在 550 User unknown\n".encode()
    raw = message(text, From="PostMaster@qq.example", Subject="系统退信", Message_ID="<b@qq.example>", Return_Path="<>")
    back = await post(raw, now=post.now + timedelta(minutes=1))
    assert back.ticket == received.ticket
    row = await pool.fetchrow("select template, last_error from outbox where bounced_at is not null")
    assert row is not None
    assert tuple(row) == (None, "收件人不存在 550 User unknown")
    # Anybody may write so. It is told at the letter, and the address stays as it is.
    assert await pool.fetchval("select bounced_at from address") is None
    old = await post(raw.replace(b"<b@", b"<c@"), now=post.now + timedelta(days=9))
    assert old.ticket is None


async def test_a_report_that_names_nothing_does_not_forestall_the_true_one(post: Post, pool: Pool) -> None:
    received = await post(message())
    letter = await answered(post, received.ticket)
    text = "您发给 wang@customer.example 的邮件被退回。\n退信原因：收件人不存在 550 User unknown\n".encode()
    await post(message(text, From="PostMaster@qq.example", Subject="系统退信", Message_ID="<b@x>", Return_Path="<>"))
    assert await pool.fetchval("select bounced_at from address") is None
    await post(bounce(letter))
    assert await pool.fetchval("select bounced_at from address") == post.now
    assert await pool.fetchval("select count(*) from contact_log where kind = 'message.failed'") == 1


async def test_a_bounce_that_shows_the_token_of_the_letter_marks_the_address(post: Post, pool: Pool) -> None:
    received = await post(message())
    await answered(post, received.ticket)
    subject = (await post.letters())[-1]["subject"]
    text = f"您发给 wang@customer.example 的邮件被退回。\n主题: {subject}\n退信原因：收件人不存在 550 User unknown\n"
    raw = message(
        text.encode(), From="PostMaster@qq.example", Subject="系统退信", Message_ID="<b@qq.example>", Return_Path="<>"
    )
    await post(raw)
    assert await pool.fetchval("select bounced_at from address") == post.now


async def test_a_delay_is_no_failure(post: Post, pool: Pool) -> None:
    received = await post(message())
    letter = await answered(post, received.ticket)
    raw = bounce(letter, status="4.4.7").replace(b"Action: failed", b"Action: delayed")
    back = await post(raw)
    assert back.ticket == received.ticket
    assert await pool.fetchval("select count(*) from outbox where bounced_at is not null") == 0
    assert await pool.fetchval("select count(*) from contact_log where kind = 'message.failed'") == 0
    assert await pool.fetchval("select bounced_at from address") is None


@pytest.mark.parametrize(
    ("fields", "reopens"),
    [
        ({"Precedence": "bulk"}, False),
        ({"Precedence": "junk"}, False),
        ({"Auto_Submitted": "auto-generated"}, False),
        ({"Auto_Submitted": "auto-notified"}, False),
        ({"Precedence": "list", "List_Id": "<staff.customer.example>"}, True),
        ({"Subject": "Annual leave"}, False),
    ],
)
async def test_what_a_programme_answers_to_a_letter_of_ours_reopens_nothing(
    post: Post, fields: dict[str, Any], reopens: bool
) -> None:
    ticket = await write(post, 1)
    assert ticket is not None
    letter = await answered(post, ticket)
    await tickets.change(post.log, ticket, changes={"state": "resolved"}, version=None, actor=None, now=post.now)
    received = await post(message(b"Noted.", Message_ID="<r@x>", References=f"<{letter}>", **fields))
    assert received.ticket == ticket
    assert ((await post.state(ticket))["state"] == "open") is reopens


async def test_an_alert_that_follows_its_own_first_one_is_still_seen(post: Post) -> None:
    alert = {"From": "monitor@customer.example", "Auto_Submitted": "auto-generated", "Subject": "Line down"}
    ticket = (await post(message(Message_ID="<a1@x>", **alert))).ticket
    assert ticket is not None
    await tickets.change(post.log, ticket, changes={"state": "resolved"}, version=None, actor=None, now=post.now)
    again = await post(message(b"Again.", Message_ID="<a2@x>", References="<a1@x>", **alert))
    assert again.ticket == ticket
    assert (await post.state(ticket))["state"] == "open"


async def test_a_token_in_the_address_of_a_robot_reopens_nothing(post: Post, pool: Pool) -> None:
    ticket = await write(post, 1)
    assert ticket is not None
    await tickets.change(post.log, ticket, changes={"state": "resolved"}, version=None, actor=None, now=post.now)
    number = (await post.state(ticket))["number"]
    to = tagged_address(await pool.fetchval("select link_key from organisation"), number, "care@heronbay.example")
    challenge = message(b"Click here.", To=to, Message_ID="<c@x>", Subject="Please confirm your message")
    assert (await post(challenge)).ticket == ticket
    assert (await post.state(ticket))["state"] == "resolved"

"""Letters leave the outbox through a real mail server: once when all goes well, again under the same id when not."""

import asyncio
from datetime import datetime, timedelta

import pytest

from callcenter.actions import outbox, uploads
from callcenter.actions.outbox import GOOD_FOR, NewLetter
from callcenter.domain.events import Event
from callcenter.errors import Conflict
from callcenter.store import answers
from callcenter.store.log import ContactLog
from channels.email import sender as module
from channels.email.sender import LEASE, Sender
from tests.builders import NOW, eventually
from tests.channels.email.conftest import FakeLetters, PostOffice, nothing, post_office, relay_to


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def events(log: ContactLog) -> list[Event]:
    heard: list[Event] = []
    log.listen(heard.extend)
    return heard


def sender_of(log: ContactLog, office: PostOffice, clock: Clock, **relay) -> Sender:
    return Sender(log, relay_to(office, **relay), FakeLetters(), organisation=lambda: "Heronbay 鹭湾", clock=clock)


async def put(log: ContactLog, **given) -> int:
    letter = NewLetter(**{"recipient": "wang@post.example", "subject": "您好", "text": "Hello", **given})
    async with log.transaction() as tx:
        return await outbox.put(tx, letter, now=NOW)


async def put_template(log: ContactLog, **given) -> int:
    return await put(log, **{"subject": None, "text": None, "template": "survey", "language": "zh_CN", **given})


async def row(log: ContactLog, letter: int):
    return await log.pool.fetchrow("select * from outbox where id = $1", letter)


async def test_a_letter_is_handed_in_and_told_of(log, office, clock, events):
    letter = await put_template(log, recipient_name="王小明", data={"survey": 7})
    assert await sender_of(log, office, clock).send_due()
    [message] = office.taken
    assert message["To"] == "王小明 <wang@post.example>"
    assert message["From"] == "Heronbay 鹭湾 <care@heronbay.example>"
    assert message["Subject"] == "survey in zh_CN"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "zh-CN"
    assert message.get_body(("html",)).get_content().strip() == "<p>hello</p>"
    kept = await row(log, letter)
    assert message["Message-ID"] == f"<{kept['message_id']}>"
    assert kept["message_id"].endswith("@heronbay.example")
    assert (kept["state"], kept["attempts"], kept["ended_at"]) == ("sent", 1, NOW)
    [event] = events
    assert (event.kind, event.data["letter"]) == ("message.sent", letter)
    assert "post.example" not in str(event)


async def test_letters_that_follow_each_other_go_through_one_connection(log, office, clock):
    for _ in range(5):
        await put(log)
    sender = sender_of(log, office, clock)
    assert await sender.send_due()
    assert (len(office.taken), office.connections) == (5, 1)
    assert len({message["Message-ID"] for message in office.taken}) == 5
    assert sender.outcomes["sent"] == 5


async def test_nothing_that_is_not_due_is_sent(log, office, clock):
    async with log.transaction() as tx:
        letter = NewLetter(recipient="wang@post.example", subject="a", text="b")
        await outbox.put(tx, letter, now=NOW, due=NOW + timedelta(minutes=10))
    sender = sender_of(log, office, clock)
    assert await sender.send_due()
    assert office.connections == 0
    clock.move(timedelta(minutes=10))
    assert await sender.send_due()
    assert len(office.taken) == 1


async def test_a_letter_of_an_action_that_failed_is_never_sent(log, office, clock):
    async def fail() -> None:
        async with log.transaction() as tx:
            await outbox.put(tx, NewLetter(recipient="wang@post.example", subject="a", text="b"), now=NOW)
            raise Conflict("Somebody else moved it first.")

    with pytest.raises(Conflict):
        await fail()
    assert await sender_of(log, office, clock).send_due()
    assert office.taken == []


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_temporary_refusal_is_tried_again_later_under_the_same_id(log, office, clock, events, command):
    letter = await put(log)
    office.answers[command] = ["451 4.7.1 Greylisted, come back", "450 4.2.1 Mailbox busy"]
    sender = sender_of(log, office, clock)
    ids, pauses, kept = set(), [], await row(log, letter)
    for _ in range(2):
        assert await sender.send_due()
        kept = await row(log, letter)
        ids.add(kept["message_id"])
        pauses.append(kept["due_at"] - clock())
        assert await sender.send_due(), "not before it is due"
        clock.move(pauses[-1])
    assert timedelta(seconds=30) <= pauses[0] <= timedelta(seconds=60) <= pauses[1] <= timedelta(seconds=120)
    assert (kept["attempts"], kept["last_error"]) == (2, "450 4.2.1 Mailbox busy")
    assert (events, office.taken) == ([], [])
    assert await sender.send_due()
    [message] = office.taken
    assert {message["Message-ID"]} == {f"<{ident}>" for ident in ids}
    assert [event.kind for event in events] == ["message.sent"]
    assert sender.outcomes == {"sent": 1, "put_off": 2, "failed": 0}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_permanent_refusal_ends_it_with_the_servers_own_words(log, office, clock, events, command):
    letter, other = await put(log), await put(log, recipient="li@post.example")
    office.answers[command] = ["550 5.1.1 <wang@post.example>: no such user here"]
    assert await sender_of(log, office, clock).send_due()
    kept = await row(log, letter)
    assert (kept["state"], kept["last_error"]) == ("failed", "550 5.1.1 <wang@post.example>: no such user here")
    assert [(event.kind, event.data["letter"]) for event in events] == [
        ("message.failed", letter),
        ("message.sent", other),
    ]
    assert events[0].data["reason"] == "refused"
    assert "no such user" not in str(events[0]), "the words may name a person"
    clock.move(GOOD_FOR)
    assert await sender_of(log, office, clock).send_due()
    assert len(office.taken) == 1


async def test_a_letter_that_nobody_takes_in_time_is_given_up(log, clock, events, unused_tcp_port):
    letter = await put(log)
    sender = sender_of(log, PostOffice(port=unused_tcp_port), clock)
    kept = await row(log, letter)
    while kept["state"] == "waiting":
        clock.now = max(clock.now, kept["due_at"])
        assert not await sender.send_due()
        kept = await row(log, letter)
    assert [(event.kind, event.data["reason"]) for event in events] == [("message.failed", "expired")]
    assert kept["last_error"]
    assert GOOD_FOR - timedelta(hours=4) <= clock.now - NOW <= GOOD_FOR
    assert kept["attempts"] < 60


async def test_a_server_that_hangs_up_or_is_in_trouble_costs_no_letter(log, office, clock, events):
    letter = await put(log)
    office.answers["DATA"] = ["hang up"]
    office.answers["MAIL"] = ["421 4.3.2 Shutting down"]
    sender = sender_of(log, office, clock)
    for _ in range(2):
        assert not await sender.send_due()
        clock.now = (await row(log, letter))["due_at"]
    assert await sender.send_due()
    assert [event.kind for event in events] == ["message.sent"]


async def test_a_wrong_password_costs_no_letter_and_is_told_in_words(log, clock, events):
    async with post_office(password="right") as office:
        letter = await put(log)
        assert not await sender_of(log, office, clock, user="callcenter", password="wrong").send_due()
        kept = await row(log, letter)
        assert kept["state"] == "waiting"
        assert kept["last_error"].startswith("535 ")
        clock.now = kept["due_at"]
        assert await sender_of(log, office, clock, user="callcenter", password="right").send_due()
        assert [event.kind for event in events] == ["message.sent"]


async def test_two_servers_never_send_the_same_letter_at_once(log, office, clock):
    for _ in range(20):
        await put(log)
    senders = [sender_of(log, office, clock) for _ in range(4)]
    await asyncio.gather(*[sender.send_due() for sender in senders])
    assert len({message["Message-ID"] for message in office.taken}) == len(office.taken) == 20


async def test_a_server_killed_between_sending_and_writing_it_down_sends_it_again_under_the_same_id(
    log, office, clock, events
):
    letter = await put(log)
    killed = sender_of(log, office, clock)
    task = asyncio.create_task(killed.send_due())

    async def kill() -> None:
        task.cancel()
        await asyncio.wait([task])

    office.when_taken = kill
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await row(log, letter))["state"] == "waiting"
    office.when_taken = nothing
    survivor = sender_of(log, office, clock)
    assert await survivor.send_due()
    assert len(office.taken) == 1, "its lease is not over"
    clock.move(LEASE)
    assert await survivor.send_due()
    first, second = office.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert [event.kind for event in events] == ["message.sent"]


async def test_what_a_frozen_server_says_after_its_lease_changes_nothing(log, office, clock, events):
    await put(log)
    taken = await outbox.take(log, domain="heronbay.example", lease=LEASE, now=clock())
    assert taken is not None
    clock.move(LEASE)
    assert await sender_of(log, office, clock).send_due()
    await outbox.give_up(log, taken, error="late", reason="refused", now=clock())
    await outbox.put_off(log, taken, error="late", due=clock(), now=clock())
    await outbox.sent(log, taken, now=clock())
    assert [event.kind for event in events] == ["message.sent"]


async def test_a_letter_that_cannot_be_written_or_addressed_is_given_up_and_holds_up_no_other(
    log, office, clock, events
):
    await put_template(log, template="unknown")
    await put(log, recipient="nobody")
    await put(log, recipient="wáng@post.example")
    await put(log, recipient="wang@bücher.example")
    assert await sender_of(log, office, clock).send_due()
    # All are due at one moment: any order will do.
    assert sorted(event.kind for event in events) == ["message.failed"] * 3 + ["message.sent"]
    assert office.envelopes[0].rcpt_tos == ["wang@xn--bcher-kva.example"]


async def test_the_loop_goes_on_after_a_server_in_trouble(log, office, clock, monkeypatch):
    monkeypatch.setattr(module, "_EVERY", 0.01)  # a second between looks into the outbox is for production
    await put(log)
    office.answers["MAIL"] = ["421 4.3.2 Busy"]
    sender = sender_of(log, office, clock)
    sent = asyncio.Event()

    async def taken() -> None:
        sent.set()

    office.when_taken = taken
    task = asyncio.create_task(sender.run())

    async def was_put_off() -> bool:
        return bool(sender.outcomes["put_off"])

    await eventually(was_put_off)
    clock.move(timedelta(minutes=1))
    await asyncio.wait_for(sent.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_uploaded_with_the_message_goes_with_its_letter(log, office, clock):
    file = await uploads.keep(log, "guide.pdf", None, b"%PDF-1.4", now=NOW)
    letter = await put(log)
    message = await log.pool.fetchval(
        "insert into message (kind, public, text, at) values ('outbound', true, 'b', $1) returning id", NOW
    )
    async with log.transaction() as tx:
        await uploads.bind(tx, [file], message=message)
        await tx.connection.execute(answers.SQL.carry, letter, message)
    assert await sender_of(log, office, clock).send_due()
    [taken] = office.taken
    assert [(each.get_filename(), each.get_content()) for each in taken.iter_attachments()] == [
        ("guide.pdf", b"%PDF-1.4")
    ]

"""What a colleague writes by mail into somebody else's case is a note of theirs."""

from datetime import timedelta

import pytest

from callcenter import toml
from callcenter.actions import erasures, organisation, tickets
from callcenter.domain.organisation_file import understand
from callcenter.store.pool import Pool
from tests.actions.postbox import WANG, Post, answer, thread
from tests.channels.email.messages import attached, message, multipart, part

AMY = "amy@heronbay.example"


@pytest.fixture
async def colleague(pool: Pool, amy: int) -> int:
    await pool.execute("update users set email = 'Amy@heronbay.example' where id = $1", amy)
    return amy


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

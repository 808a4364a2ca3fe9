"""The words of the organisation in letters: around answers, in acknowledgements and closing notes."""

from datetime import timedelta

import pytest

from callcenter.actions import tickets
from callcenter.store.pool import Pool
from tests.actions.postbox import Post
from tests.channels.email.messages import message


@pytest.fixture
async def words(post: Post, pool: Pool, amy: int) -> int:
    """An answer's frame for a queue and for all, in Chinese too; Amy, who signs."""
    await pool.execute(
        "insert into letter_template (kind, queue_id, language, subject, text) "
        "select v.kind, q.id, v.language, v.subject, v.text "
        "from (values "
        "('answer', null, null, null, E'Hello {{ customer.name }},\\n\\n{{ answer }}\\n\\n{{ signature }}'), "
        "('answer', 'support', 'zh_CN', null, E'{{ customer.name }}，您好！\\n\\n{{ answer }}\\n\\n{{ signature }}'), "
        "('acknowledgement', 'support', null, 'Got {{ ticket.number }}', 'Hi. {{ expected.sentence }}')"
        ") v (kind, queue, language, subject, text) left join queue q on q.name = v.queue"
    )
    await pool.execute("update queue set signature = 'The {{ queue.name }} team'")
    await pool.execute("update users set signature = '{{ agent.full_name }}, Heronbay'")
    return amy


async def answer_to(post: Post, actor: int | None, **fields: str) -> str:
    received = await post(message(**{"Message_ID": f"<{len(fields)}{actor}@x>", **fields}))
    assert received.ticket is not None
    await tickets.reply(post.log, received.ticket, text="It is on.", public=True, actor=actor, now=post.now)
    return str((await post.letters())[-1]["text"])


async def test_an_answer_stands_in_the_frame_of_its_queue_and_language(post: Post, pool: Pool, words: int) -> None:
    assert await answer_to(post, words) == "Wang Fang，您好！\n\nIt is on.\n\nAmy, Heronbay"
    await pool.execute("update customer set language = 'en'")
    assert await answer_to(post, words, Subject="x") == "Hello Wang Fang,\n\nIt is on.\n\nAmy, Heronbay"
    await pool.execute("update users set signature = null")
    assert (await answer_to(post, words, Subject="x", To="bills@heronbay.example")).endswith("\n\nThe billing team")


async def test_what_is_written_by_hand_is_no_template(post: Post, pool: Pool, words: int) -> None:
    received = await post(message())
    assert received.ticket is not None
    text = "{{ customer.name }} {% if %}"
    await tickets.reply(post.log, received.ticket, text=text, public=True, actor=words, now=post.now)
    assert text in (await post.letters())[-1]["text"]
    assert await post.log.pool.fetchval("select text from message where kind = 'outbound'") == text


async def test_an_acknowledgement_takes_its_words_along(post: Post, words: int) -> None:
    await post(message(Date="Tue, 10 Mar 2026 16:20:00 +0900"))
    (letter,) = await post.letters()
    data = letter["data"]
    assert (data["subject"], data["text"]) == ("Got {{ ticket.number }}", "Hi. {{ expected.sentence }}")
    assert (data["values"]["customer.name"], data["values"]["queue.name"]) == ("Wang Fang", "support")
    assert (data["offset"], data["interaction"]) == (9 * 3600, letter["interaction_id"])


async def test_how_often_somebody_is_acknowledged_is_the_organisations_choice(post: Post, pool: Pool) -> None:
    await pool.execute("update organisation set mail_rules = $1", {"acknowledge_every": 4 * 3600})
    for hours in (0, 2, 5):
        raw = message(Message_ID=f"<{hours}@x>", Subject=f"Question {hours}")
        await post(raw, now=post.now + timedelta(hours=hours))
    assert len(await post.letters()) == 2


async def test_a_mailbox_may_tell_that_a_ticket_is_resolved_once(post: Post, pool: Pool, amy: int) -> None:
    await pool.execute("update mailbox set closing_note = true, acknowledge = false where address like 'care@%'")
    received = await post(message())
    assert received.ticket is not None
    for state in ("resolved", "closed"):
        await tickets.change(post.log, received.ticket, changes={"state": state}, version=None, actor=amy, now=post.now)
    (letter,) = await post.letters()
    assert (letter["template"], letter["recipient"], letter["thread"]["auto"]) == (
        "closing",
        "wang@customer.example",
        "auto-generated",
    )
    quiet = await post(message(To="bills@heronbay.example", Message_ID="<2@x>"))
    robot = await post(message(From="noreply@shop.example", Message_ID="<3@x>"))
    for each in (quiet.ticket, robot.ticket):
        assert each is not None
        await tickets.change(post.log, each, changes={"state": "resolved"}, version=None, actor=amy, now=post.now)
    assert [each["template"] for each in await post.letters()] == ["closing", "acknowledgement"]

"""Letters and signatures of an organisation file: what is refused, and that they come back as they went in."""

from datetime import datetime

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import OrganisationFile, understand
from callcenter.store.log import ContactLog
from callcenter.toml import BadFile

FILE = '''
[[users]]
name = "amy"
full_name = "Amy Chen"
role = "agent"
signature = """
{{ agent.full_name }}
{{ organisation.name }}"""

[[queues]]
name = "support"
signature = "The {{ queue.name }} team"

[[mailboxes]]
address = "care@heronbay.example"
queue = "support"
new_after = "14d"
closing_note = true

[mail]
acknowledge_every = "4h"
messages_per_hour = 7

[[letters]]
kind = "answer"
queue = "support"
language = "zh_CN"
text = "{{ customer.name }}，您好！\\n\\n{{ answer }}"

[[letters]]
kind = "acknowledgement"
subject = "Got it: {{ ticket.number }}"
text = "By {{ expected.by }}"
'''


def file(text: str) -> OrganisationFile:
    return understand(toml.parse(text, "org.toml"), {})


async def apply(log: ContactLog, text: str, now: datetime, *, prune: bool = False) -> list[str]:
    return list((await organisation.apply(log, file(text), prune=prune, actor=None, now=now)).lines())


async def test_letters_come_back_as_they_went_in(log: ContactLog, now: datetime) -> None:
    lines = await apply(log, FILE, now)
    assert "+ letter answer support zh_CN" in lines
    assert any(line.startswith("~ mail: acknowledge_every 1h → 4h") for line in lines)
    async with log.pool.acquire() as connection:
        text = await organisation.export(connection)
    written, given = file(text).organisation, file(FILE).organisation
    assert (written.letters, written.mail, written.mailboxes) == (given.letters, given.mail, given.mailboxes)
    assert written.users[0].signature == given.users[0].signature
    assert written.queues[0].signature == given.queues[0].signature
    assert not [line for line in await apply(log, FILE, now) if not line.startswith("!")]


async def test_a_changed_text_is_a_change_and_a_missing_one_goes_only_when_pruned(
    log: ContactLog, now: datetime
) -> None:
    await apply(log, FILE, now)
    changed = FILE.replace("By {{ expected.by }}", "Soon.")
    assert [line for line in await apply(log, changed, now) if line[0] == "~"] == [
        "~ letter acknowledgement: text By {{ expected.by }} → Soon."
    ]
    without = FILE[: FILE.index("[mail]")]
    assert not [line for line in await apply(log, without, now) if line[0] in "~-"]
    lines = await apply(log, without, now, prune=True)
    assert {"- letter answer support zh_CN", "- letter acknowledgement"} <= set(lines)
    assert any(line.startswith("~ mail:") for line in lines)
    assert await log.pool.fetchval("select count(*) from letter_template") == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[[letters]]\nkind = 'closing'\ntext = '''\nHello\n{{ ticket.nunber }}'''",
            "line 3: letters[1].text: line 2 of this text: there is no ticket.nunber to fill in; expected",
        ),
        ("[[letters]]\nkind = 'answer'\ntext = 'Dear customer'", "{{ answer }} is missing"),
        ("[[letters]]\nkind = 'answer'\nsubject = 'x'\ntext = '{{ answer }}'", "subject of what it answers"),
        ("[[letters]]\nkind = 'greeting'\ntext = 'x'", "letters[1].kind: expected 'acknowledgement', 'answer'"),
        (
            "[[letters]]\nkind='closing'\nlanguage='zh_CN'\ntext='x'\n[[letters]]\nkind='closing'\nlanguage='zh-CN'\ntext='y'",
            "line 5: letters[2]: these letters have a text already",
        ),
        ("[mail]\nacknowledge_every = '5s'", "line 2: mail.acknowledge_every: expected at least 1m"),
        ("[mail]\nmessages_per_hour = 0", "mail.messages_per_hour"),
        ("[[queues]]\nname = 'a'\nsignature = '{{ customer.name }}'", "queues[1].signature: line 1 of this text"),
        (
            "[[mailboxes]]\naddress='c@a.example'\nqueue='a'\nclosed='new'\nnew_after='3d'",
            "new_after is for mailboxes with closed",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadFile) as refused:
        file(text)
    assert words in str(refused.value)


async def test_a_text_for_a_queue_that_there_is_not_is_refused(log: ContactLog, now: datetime) -> None:
    text = "[[letters]]\nkind = 'closing'\nqueue = 'nowhere'\ntext = 'x'"
    with pytest.raises(BadFile, match="there are no queues of the name 'nowhere'"):
        await apply(log, text, now)

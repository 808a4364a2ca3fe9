"""What of reading mailboxes needs no mail server: names on the wire, progress and leases."""

from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from callcenter.errors import Conflict
from callcenter.settings import ImapSettings
from callcenter.store import imap_mailboxes, nodes
from callcenter.store.imap_mailboxes import LEASE
from callcenter.store.pool import Pool
from channels.email.mailbox import complaints, in_utf7


@pytest.mark.parametrize(
    ("name", "wire"),
    # The second one is the example of RFC 3501, section 5.1.3.
    [("INBOX", "INBOX"), ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"), ("R & D", "R &- D")],
)
def test_names_of_folders_are_written_in_modified_utf_7(name: str, wire: str):
    assert in_utf7(name) == wire


async def test_a_server_that_is_out_of_reach_is_complained_about():
    settings = ImapSettings(name="care", host="127.0.0.1", port=1, user="care", password=SecretStr("hush"))
    found = await complaints(settings)
    assert found[0].startswith("The mailbox care at 127.0.0.1:1 cannot be read: ")
    assert "hush" not in found[0]


async def test_one_node_has_a_mailbox_until_its_lease_ends(pool: Pool, now: datetime):
    one, two = [(await nodes.register(pool, name, agi_host="", agi_port=0, now=now)).id for name in ("one", "two")]
    progress = await imap_mailboxes.take(pool, "care", "care@mail/INBOX", node=one, now=now)
    assert progress is not None
    progress.begin(7)
    progress.last_uid, progress.unmarked = 12, {11, 12}
    await imap_mailboxes.note(pool, "care", progress, node=one, now=now)
    assert await imap_mailboxes.take(pool, "care", "care@mail/INBOX", node=two, now=now) is None
    late = now + LEASE + timedelta(seconds=1)
    taken = await imap_mailboxes.take(pool, "care", "care@mail/INBOX", node=two, now=late)
    assert taken == progress
    with pytest.raises(Conflict):
        await imap_mailboxes.note(pool, "care", progress, node=one, now=late)


async def test_another_folder_or_other_numbers_begin_anew(pool: Pool, now: datetime):
    node = (await nodes.register(pool, "one", agi_host="", agi_port=0, now=now)).id
    progress = await imap_mailboxes.take(pool, "care", "care@mail/INBOX", node=node, now=now)
    assert progress is not None
    assert not progress.begin(7)
    progress.last_uid, progress.unmarked = 12, {12}
    assert progress.begin(7)
    await imap_mailboxes.note(pool, "care", progress, node=node, now=now)
    moved = await imap_mailboxes.take(pool, "care", "care@mail/Other", node=node, now=now)
    assert moved is not None
    assert (moved.uidvalidity, moved.last_uid, moved.unmarked) == (None, 0, set())
    assert not progress.begin(8)
    assert (progress.last_uid, progress.unmarked) == (0, set())

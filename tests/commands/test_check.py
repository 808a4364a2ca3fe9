"""What `callcenter check` says of ways in which notices are to go and cannot."""

from pydantic import SecretStr

from callcenter import check, toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from callcenter.settings import Settings
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.builders import NOW

FILE = """
[[users]]
name = "sue"
full_name = "Sue"
role = "supervisor"
email = "sue@example.com"
notify = ["email"]
endpoint = "PJSIP/1003"
[[sla_policies]]
name = "all"
resolution = "1h"
escalations = [{ clock = "resolution", at = "+0m", actions = [{ notify = "role:supervisor", by = ["phone"] }] }]
"""


async def test_notices_that_nothing_carries_are_complained_about(database: str, pool: Pool):
    settings = Settings(database_url=SecretStr(database), http_port=0, agi_port=0)
    assert await check.run(settings) == []
    file = understand(toml.parse(FILE, "org.toml"), {})
    await organisation.apply(ContactLog(pool), file, prune=False, actor=None, now=NOW)
    found = "\n".join(await check.run(settings))
    assert "by mail, and no mail is sent" in found
    assert "by phone, and no PBX has AMI" in found

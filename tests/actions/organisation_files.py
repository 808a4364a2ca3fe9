"""Organisation files for tests, and what is complained of one."""

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from callcenter.toml import BadFile

SMALL = """
[[users]]
name = "amy"
full_name = "Amy"
role = "agent"
endpoint = "PJSIP/1001"

[[queues]]
name = "support"
numbers = ["95500"]
default = true
members = ["amy"]
"""
OVERFLOWING = (
    SMALL
    + """
overflow = [
  { after = "60s", to = "sales" },
]

[[queues]]
name = "sales"
overflow = [{ expected = "2m", to = "spare" }]

[[queues]]
name = "spare"
"""
)


def file(text: str, **environ: str):
    return understand(toml.parse(text, "org.toml"), environ)


def complaints(text: str, **environ: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        file(text, **environ)
    return [str(problem) for problem in caught.value.problems]


async def apply(log, now, text, *, prune=False, **environ):
    return await organisation.apply(log, file(text, **environ), prune=prune, actor=None, now=now)

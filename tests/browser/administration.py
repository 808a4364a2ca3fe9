"""Pictures of the administration pages: the demo organisation, a form, text, a plan and what was applied."""

import os
from collections.abc import Mapping
from pathlib import Path

from callcenter import toml
from callcenter.actions import organisation
from callcenter.app import clock
from callcenter.domain.organisation_file import understand
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from tests.browser.gallery import add_person

DEMO = Path(__file__).parents[2] / "config" / "demo.org.toml"


class _Any(dict[str, str]):
    def get(self, _key: str, _default: object = None) -> str:
        return "a secret that is long enough for anything"

    def __missing__(self, key: str) -> str:
        return self.get(key)


async def administration_pages(pool: Pool) -> Mapping[str, tuple[str, str]]:
    """The whole organisation of the demo."""
    await add_person(pool, "adminy", "Ada Min", role="administrator")
    file = understand(toml.read(DEMO), _Any(os.environ))
    await organisation.apply(ContactLog(pool), file, prune=False, actor=None, now=clock())
    rows = await pool.fetchrow("select (select name from hours limit 1), (select name from sla_policy limit 1)")
    assert rows is not None
    return {
        "admin-overview": ("adminy", "/admin"),
        "admin-text": ("adminy", "/admin/text"),
        "admin-history": ("adminy", "/admin/history"),
        "admin-hours": ("adminy", f"/admin/hours/{rows[0]}"),
        "admin-policy": ("adminy", f"/admin/sla_policies/{rows[1]}"),
        "admin-new": ("adminy", "/admin/new/triggers"),
    }

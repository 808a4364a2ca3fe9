"""Forms come from an organisation file, and what was asked by an earlier version keeps it."""

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from callcenter.store.log import ContactLog
from tests.builders import NOW

FILE = """
[[surveys]]
name = "after"
questions = [{{ name = "speed", kind = "score", text = "{}" }}]
"""


async def apply(pool, text: str, *, prune: bool = False):
    return await organisation.apply(
        ContactLog(pool), understand(toml.parse(text, "org.toml"), {}), prune=prune, actor=None, now=NOW
    )


async def versions(pool):
    return [tuple(row) for row in await pool.fetch("select version, active from form order by version")]


async def test_a_change_is_a_new_version_and_the_same_again_is_none(pool):
    plan = await apply(pool, FILE.format("How fast?"))
    assert plan.created == ("survey after",)
    assert (await apply(pool, FILE.format("How fast?"))).empty
    plan = await apply(pool, FILE.format("Fast?"))
    assert plan.changed[0].startswith("survey after: definition")
    assert await versions(pool) == [(1, False), (2, True)]
    async with pool.acquire() as connection:
        assert "Fast?" in await organisation.export(connection)


async def test_what_the_file_does_not_name_stays_unless_it_is_pruned(pool):
    await apply(pool, FILE.format("How fast?"))
    assert (await apply(pool, '[organisation]\nname = "x"')).removed == ()
    assert await versions(pool) == [(1, True)]
    assert (await apply(pool, '[organisation]\nname = "x"', prune=True)).removed == ("survey after",)
    assert await versions(pool) == [(1, False)]
    await apply(pool, FILE.format("How fast?"))
    assert await versions(pool) == [(1, False), (2, True)]


async def test_a_form_that_is_not_there_is_named_with_its_place(pool):
    with pytest.raises(toml.BadFile) as refused:
        await apply(pool, "[[queues]]\nname = 'a'\nsurvey = { ask = 'csat', form = 'x' }")
    assert "there are no surveys of the name 'x'" in str(refused.value)
    assert "line 3" in str(refused.value)

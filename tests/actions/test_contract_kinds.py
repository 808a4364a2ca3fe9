"""Kinds of contracts in an organisation file."""

import pytest

from callcenter import toml
from callcenter.actions import organisation
from callcenter.domain.organisation_file import understand
from callcenter.store.log import ContactLog
from callcenter.store.pool import Pool
from callcenter.toml import BadFile
from tests.actions.test_contracts import ORGANISATION
from tests.builders import NOW


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('quota = { cases = 2, per = "month" }', 'quota = { cases = 0, per = "month" }', "from 1 to 1000000"),
        ('quota = { cases = 2, per = "month" }', "quota = { hours = 2 }", "expected a quota like"),
        ('every = "3 months"', 'every = "3 moons"', "expected how often"),
        ('every = "3 months"', 'rule = "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"', "never happens"),
        ('every = "3 months"', 'rule = "FREQ=SECONDLY"', "expected a rule like"),
        ('age_shift = "10m"', 'age_shift = "-10m"', "above zero and of at most a day"),
        ('age_shift = "10m"', 'age_shift = "25h"', "above zero and of at most a day"),
        ('age_shift = "10m"', "age_shift = 10", "expected a duration"),
        ('queues = ["support"]', 'queues = ["nowhere"]', "no queues of the name 'nowhere'"),
        ('when = { contract = "care" }', 'when = { contract = "carr" }', "no contracts of the name 'carr'"),
        ('queue = "service", category', 'queue = "elsewhere", category', "no queues of the name 'elsewhere'"),
    ],
)
async def test_a_bad_kind_of_contract_is_refused_with_its_line(log: ContactLog, old: str, new: str, words: str):
    async def apply():
        file = understand(toml.parse(ORGANISATION.replace(old, new), "org.toml"), {})
        await organisation.apply(log, file, prune=False, actor=None, now=NOW)

    with pytest.raises(BadFile, match=words) as caught:
        await apply()
    assert "line" in str(caught.value)


async def test_kinds_of_contracts_read_back_as_they_were_written(log: ContactLog, pool: Pool):
    await organisation.apply(
        log, understand(toml.parse(ORGANISATION, "org.toml"), {}), prune=False, actor=None, now=NOW
    )
    async with pool.acquire() as connection:
        text = await organisation.export(connection)
    file = understand(toml.parse(text, "org.toml"), {})
    async with pool.acquire() as connection:
        assert (await organisation.plan(connection, file, prune=True)).empty

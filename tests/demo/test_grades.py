"""The demo has grades and firms to look at."""

from callcenter.demo.company import prepare, read_file
from callcenter.demo.history import Size
from callcenter.store.pool import Pool
from tests.builders import NOW


async def test_the_demo_begins_with_grades_of_its_agents_and_a_dispute(pool: Pool, database: str) -> None:
    await prepare(database, read_file(), size=Size(150, 1500), now=NOW, tell=lambda _: None)
    rows = await pool.fetch("select state, count(*) from evaluation group by 1")
    states: dict[str, int] = {row["state"]: row["count"] for row in rows}
    assert states.get("graded", 0) > 10
    assert states.get("disputed") == 1
    assert states.get("upheld") == 1
    assert await pool.fetchval("select count(distinct agent_id) from evaluation") > 5
    # Firms that customers are of, with the domains from which they write.
    firms = await pool.fetchrow(
        "select (select count(*) from customer where company_id is not null), count(*) filter (where domains <> '{}'),"
        " count(note) from company"
    )
    assert firms is not None
    people, known, noted = firms
    assert people > known > noted > 0
    assert await pool.fetchval("select bool_and((company_id is null) = (company is null)) from customer")

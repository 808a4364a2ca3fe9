"""The measuring tools measure what they say: calls are as Asterisk plays them, pops are matched to their calls."""

from pathlib import Path

import pytest

from tests.bench.dataset import Sizes, fill
from tests.bench.figures import Row, Target, Unit, paired, percentile, table
from tests.bench.load import Plan
from tests.bench.pbx import Channel, Wish
from tests.bench.rig import play
from tests.bench.servers import enrol, floor, product

_TINY = Sizes(customers=200, interactions=2_000, agents=5)


@pytest.fixture
async def company(empty_database: str) -> str:
    await fill(empty_database, _TINY)
    return empty_database


async def test_the_floor_pops_every_call(company: str, tmp_path: Path) -> None:
    async with floor(company, tmp_path) as server:
        seen = await play(server, Plan(0, calls=10, rate=50, customers=_TINY.customers), tmp_path, desks=3)
    assert seen.faults == []
    assert len(seen.pops) == len(seen.first_command) == 10
    assert min(seen.pops) > 0


async def test_the_product_pops_serves_and_wraps_up_every_call(company: str, tmp_path: Path) -> None:
    staff = await enrol(company, tmp_path, agents=_TINY.agents)
    async with product(company, tmp_path, staff) as server:
        plan = Plan(0, calls=6, rate=5, ring=0.02, talk=0.3, customers=_TINY.customers)
        seen = await play(server, plan, tmp_path, desks=_TINY.agents)
    assert seen.faults == []
    assert seen.wrapped == 6


def test_a_caller_who_left_is_told_of_once_and_only_dead_safe_commands_are_answered() -> None:
    channel = Channel()
    assert channel.take("EXEC Answer ,i").text == "200 result=0\n"
    channel.dead = True
    assert channel.take("SET MUSIC ON default").text.startswith("HANGUP\n511 ")
    assert channel.take('SET VARIABLE CC_DONE "1"').text == "200 result=1\n"
    assert channel.done


def test_a_dial_tells_who_is_to_be_asked_when_the_agent_answers() -> None:
    answer = Channel().take('EXEC Dial "PJSIP/1001,15,tTgmU(callcenter-answered^42)"')
    assert (answer.wish, answer.answered_id, answer.text) == (Wish.DIAL, "42", "")


def test_variables_are_kept_and_read_back() -> None:
    channel = Channel()
    channel.take('SET VARIABLE ticket "T-1"')
    assert channel.take("GET VARIABLE ticket").text == "200 result=1 (T-1)\n"
    assert channel.take("GET VARIABLE nothing").text == "200 result=0\n"


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    row = paired("pop", Unit.MS, [(1.0, 2.0), (2.0, 3.0), (1.0, 9.0)], Target(2.5, ratio=True))
    assert (row.floor, row.product, row.ratio) == (1.0, 3.0, 2.0)
    assert "| pop | 1.00 ms | 3.00 ms | 2.00 | ≤ 2.5 × | met |" in table([row])


def test_a_missed_target_shows() -> None:
    row = Row("calls", Unit.PER_SECOND, 10.0, floor=100.0, ratio=0.1, target=Target(1 / 6, ratio=True, least=True))
    assert "≥ 1/6 × | **missed** |" in table([row])


def test_percentiles_are_nearest_ranks() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(list(range(100)), 0.99) == 99

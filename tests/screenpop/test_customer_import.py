"""The page that brings in a list of customers."""

import asyncio
import html
import io

import orjson
import pytest

from tests.builders import import_customers
from tests.screenpop.conftest import House


@pytest.fixture
async def ada(house: House) -> House:
    """An administrator who reads Chinese."""
    await house.pool.execute("update users set role = 'administrator', language = 'zh_CN' where name = 'sue'")
    await house.directory.load()
    await house.sign_in("sue")
    return house


async def send(house: House, listed: str | bytes, *, dry: bool = False) -> list[dict[str, object]]:
    raw = listed if isinstance(listed, bytes) else listed.encode()
    headers = {"X-CSRF-Token": house.csrf["sue"], "HX-Request": "true"}
    response = await house.client.post(
        f"/customers/import?dry_run={str(dry).lower()}", data=io.BytesIO(raw), headers=headers
    )
    assert response.status == 200, await response.text()
    return [orjson.loads(line) async for line in response.content]


async def test_only_administrators_bring_lists_in(house: House) -> None:
    await house.sign_in("amy")
    assert (await house.client.get("/customers/import")).status == 403
    assert (await house.act("amy", "/customers/import")).status == 403
    assert "/customers/import" not in await (await house.client.get("/customers")).text()


async def test_a_list_is_tried_and_brought_in_step_by_step(ada: House) -> None:
    listed = "name\n" + "".join(f"Amy {n}\n" for n in range(450)) + '"",\n"<b>",1\n'
    assert "external_id" in await (await ada.client.get("/customers/import")).text()
    [tried] = await send(ada, listed, dry=True)
    assert await ada.pool.fetchval("select count(*) from customer where name like 'Amy%'") == 0
    *steps, done = await send(ada, listed)
    assert steps == [{"done": each, "of": 450} for each in (200, 400, 450)]
    assert await ada.pool.fetchval("select count(*) from customer where name like 'Amy %'") == 450
    for each in (tried, done):
        assert "<dd>450</dd>" in str(each["report"])
        assert "<bdi>&lt;b&gt;</bdi></td><td>单元格比列多。" in str(each["report"])
        assert "row 453: there are more cells than columns" in str(each["refused"])


async def test_why_a_row_is_refused_is_said_in_the_readers_language(ada: House) -> None:
    many = ";".join(f"p{n}@example.com" for n in range(101))
    twice = "external_id,name,emails\nA,Li,li@example.com\nB,Li,li@example.com\n"
    await import_customers(ada.log, twice)
    listed = (
        "external_id,name,tier,phones,emails,owner\n"
        "1,,,,,\n2,x,,,,,7\n3,x,,,,\n3,x,,,,\n\x01x,x,,,,\n4,x,,,,nobody here\n"
        f'5,x,,,{many},\n,Li,,,li@example.com,\n6,x,,"1""2",,\n7,x,,,mail,\n8,x,{"g" * 51},,,\n9,"a\x01",,,,\n'
    )
    [told] = await send(ada, listed, dry=True)
    reasons = str(told["refused"]).splitlines()[1:]
    assert len(reasons) == 11
    assert "<dd>1</dd>" in str(told["report"])
    words = html.unescape(str(told["report"]).partition("<tbody>")[2])
    for reason in reasons:
        assert reason.rpartition(": ")[2] not in words
    for said in ("没有姓名", "nobody here", "101", "外部编号", '1"2', "mail", "tier", "50"):
        assert said in words


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (b"name,born\n", "第 1 行：没有名为 'born' 的列"),
        (b"name\n\xff", "第 2 行不是 UTF-8"),
        (b"company\n", "第 1 行：缺少 name 列"),
        (b"name,name\n", "第 1 行：name 列出现了两次"),
        (b'name\n"' + b"x" * 1_000_001, "第 2 行不是 CSV"),
        (b"x" * 20_000_001, "列表超过 20 MB"),
    ],
)
async def test_a_file_that_is_no_list_is_refused_in_the_readers_language(ada: House, listed: bytes, said: str) -> None:
    [told] = await send(ada, listed)
    assert said in html.unescape(str(told["report"]))
    assert told["refused"] is None


async def test_two_lists_at_once_make_nobody_twice(ada: House) -> None:
    listed = "name,emails\n" + "".join(f"Amy {n},a{n}@example.com\n" for n in range(50))
    reports = await asyncio.gather(*[import_customers(ada.log, listed) for _ in range(2)])
    assert sorted(each.created for each in reports) == [0, 50]

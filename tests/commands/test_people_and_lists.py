"""Commands as a person types them: people, tokens, the organisation, lists of customers."""

import argparse
import csv
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from callcenter.actions import customer_merges
from callcenter.commands import customers, organisation, solutions, tokens, users
from callcenter.errors import Conflict, Invalid, NotFound
from callcenter.settings import Settings
from callcenter.store.log import ContactLog
from callcenter.store.users import find_token
from callcenter.toml import BadFile

Run = Callable[..., Awaitable[str]]
HEADER = "external_id,name,company,phones,emails,tier,language,note\n"


@pytest.fixture
def run(database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line that must succeed; gives what it printed."""

    async def run(*arguments: str | Path, stdin: str = "") -> str:
        parser = argparse.ArgumentParser()
        commands = parser.add_subparsers()
        for module in (customers, organisation, solutions, tokens, users):
            module.register(commands)
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        given = parser.parse_args([str(each) for each in arguments])
        assert await given.run(given, Settings(database_url=SecretStr(database))) == 0
        return capsys.readouterr().out

    return run


async def test_a_token_stands_alone_on_stdout_and_works(run: Run, pool, now) -> None:
    await run("user", "add", "amy", "--role", "agent")
    printed = await run("token", "create", "--user", "amy")
    assert printed == f"{printed.strip()}\n"
    account = await find_token(pool, printed.strip(), now=now)
    assert account is not None
    assert account.name == "amy"


async def test_a_revoked_token_is_good_for_nothing(run: Run, pool, now) -> None:
    await run("user", "add", "amy", "--role", "agent")
    report, other = [await run("token", "create", "--user", "amy", "--name", name) for name in ("report", "other")]
    assert await run("token", "revoke", "--user", "amy", "--name", "report") == "1 tokens of amy are revoked.\n"
    assert await find_token(pool, report.strip(), now=now) is None
    assert await find_token(pool, other.strip(), now=now) is not None
    await run("token", "revoke", "--user", "amy")
    assert await find_token(pool, other.strip(), now=now) is None


async def test_nobody_is_added_twice_or_with_a_bad_password(run: Run) -> None:
    await run("user", "add", "amy", "--role", "agent", stdin="a long walk home\n")
    with pytest.raises(Conflict):
        await run("user", "add", "amy", "--role", "agent")
    with pytest.raises(Invalid):
        await run("user", "add", "bo", "--role", "agent", stdin="short\n")
    with pytest.raises(NotFound):
        await run("token", "create", "--user", "bo")
    with pytest.raises(Invalid):
        await run("user", "password", "amy")


@pytest.mark.parametrize(
    "arguments", [["user", "add", "amy", "--role", "boss"], ["token", "create", "--user", "a", "--days", "0"]]
)
async def test_wrong_usage_is_exit_2(run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        await run(*arguments)
    assert caught.value.code == 2


async def test_a_dry_run_prints_the_plan_and_changes_nothing(run: Run, tmp_path: Path, db) -> None:
    file = tmp_path / "org.toml"
    file.write_text("[[queues]]\nname = 'support'\nnumbers = ['95500']\n")
    assert await run("apply", file, "--dry-run") == "+ queue support\n"
    assert await db.fetchval("select count(*) from queue") == 0
    assert await run("apply", file) == "+ queue support\n"
    assert await run("apply", file) == "Nothing to do.\n"
    exported = tmp_path / "exported.toml"
    exported.write_text(await run("export-org"), encoding="utf-8")
    assert await run("apply", exported, "--prune") == "Nothing to do.\n"


async def test_a_file_that_is_not_there_or_not_text_is_told(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        await run("apply", tmp_path / "nowhere.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="UTF-8"):
        await run("apply", binary)


async def test_good_rows_are_imported_and_bad_ones_come_back_with_reasons(run: Run, tmp_path: Path, db) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "\ufeff" + HEADER + 'C1,陈艾米,鹭湾,138 0013 8000; +14155552671,Amy@Example.org,gold,zh_CN,"two\nlines"\n'
        "C2,,x,,,,,\nC3,Bo,,hello,,,,\nC4,Bo,,,x@,,,\nC1,twin,,,,,,\n,no id,,,,,,\n"
        "C5,a\x00b,,,,,,\nC6,a,b,c,d,e,f,g,h,i\n",
        encoding="utf-8",
    )
    planned = "2 customers would be new, 0 changed, 0 left as they are, 6 rows refused."
    assert planned in await run("import", "customers", file, "--dry-run")
    assert await db.fetchval("select count(*) from customer") == 0
    printed = await run("import", "customers", file)
    assert printed.startswith("2 customers are new, 0 changed, 0 as they were, 6 rows refused.")
    with (tmp_path / "list.refused.csv").open(encoding="utf-8", newline="") as lines:
        reasons = {row["external_id"]: row["reason"] for row in csv.DictReader(lines)}
    assert reasons["C2"] == "row 3: the name is missing"
    assert reasons["C3"] == "row 4: 'hello' is no phone number"
    assert set(reasons) == {"C1", "C2", "C3", "C4", "C5", "C6"}
    values = await db.fetch("select value from address order by id")
    assert [row["value"] for row in values] == ["+8613800138000", "+14155552671", "amy@example.org"]


async def test_the_owner_of_a_customer_is_somebody_who_works_here(run: Run, tmp_path: Path, db) -> None:
    await run("user", "add", "amy", "--role", "agent")
    file = tmp_path / "list.csv"
    file.write_text("external_id,name,owner\nC1,Chen,amy\nC2,Wu,nobody\n", encoding="utf-8")
    assert "1 customers are new" in await run("import", "customers", file)
    assert "row 3: nobody named nobody works here" in (tmp_path / "list.refused.csv").read_text(encoding="utf-8")
    owner = "select u.name from customer c join users u on u.id = c.owner_id where c.external_id = 'C1'"
    assert await db.fetchval(owner) == "amy"


async def test_a_second_import_brings_up_to_date_and_takes_nothing_away(run: Run, tmp_path: Path, db) -> None:
    file = tmp_path / "list.csv"
    file.write_text(HEADER + "C1,Amy,Heron,13800138000,,gold,,\nC2,Bo,,,,,,\n")
    await run("import", "customers", file)
    file.write_text("external_id,name,phones,tier\nC1,Amy Chen,13800138000;13900139000,\nC2,Bo,,\n")
    assert (await run("import", "customers", file)).startswith("0 customers are new, 1 changed, 1 as they were")
    row = await db.fetchrow("select name, company, tier from customer where external_id = 'C1'")
    assert tuple(row) == ("Amy Chen", "Heron", "gold")
    assert await db.fetchval("select count(*) from address") == 2


async def test_the_same_list_again_leaves_all_as_they_are_with_and_without_external_ids(
    run: Run, tmp_path: Path, db
) -> None:
    file = tmp_path / "list.csv"
    # The second means the customer of the last, the fourth that of the third; two have no address.
    file.write_text(
        "name,external_id,company,phones,emails,tier\n"
        "Bo,,Heron,13800138000,,\nAmy,,,,amy@example.com,gold\nCy,,,,cy@example.com,\nCy,,,13900139000,CY@example.com,\n"
        "Di,,,,,\nDi,,HERON,,,\nWu,,,,cy@example.com,\nAmy,C1,,,amy@example.com,\n",
        encoding="utf-8",
    )
    assert (await run("import", "customers", file, "--dry-run")).startswith(
        "6 customers would be new, 2 changed, 0 left as they are, 0 rows refused."
    )
    first = await run("import", "customers", file)
    assert first.startswith("6 customers are new, 2 changed, 0 as they were, 0 rows refused.")
    version = await db.fetchval("select sum(version) from customer")
    dry = await run("import", "customers", file, "--dry-run")
    assert dry.startswith("0 customers would be new, 0 changed, 8 left as they are, 0 rows refused.")
    again = await run("import", "customers", file)
    assert again.startswith("0 customers are new, 0 changed, 8 as they were, 0 rows refused.")
    assert await db.fetchval("select count(*) from customer") == 6
    assert await db.fetchval("select sum(version) from customer") == version


async def test_a_row_that_may_mean_two_customers_or_has_too_many_addresses_is_refused_alone(
    run: Run, tmp_path: Path, db
) -> None:
    file = tmp_path / "list.csv"
    many = ";".join(f"p{n}@example.com" for n in range(150))
    file.write_text(
        "external_id,name,emails\nC1,Amy,amy@example.com\nC2,Amy,amy@example.com;a@example.com\n,Amy,amy@example.com\n"
        f",Amy,a@example.com\n,Bo,{many}\n,Cy,{many[:300].rpartition(';')[0]}\n",
        encoding="utf-8",
    )
    planned = await run("import", "customers", file, "--dry-run")
    assert planned.startswith("3 customers would be new, 0 changed, 1 left as they are, 2 rows refused.")
    done = await run("import", "customers", file)
    assert done.startswith("3 customers are new, 0 changed, 1 as they were, 2 rows refused.")
    with (tmp_path / "list.refused.csv").open(encoding="utf-8", newline="") as lines:
        reasons = [row["reason"] for row in csv.DictReader(lines)]
    ids = [row[0] for row in await db.fetch("select id from customer where name = 'Amy' order by id")]
    assert reasons == [
        f"row 4: 2 customers have this name and one of the addresses ({ids[0]}, {ids[1]}): give the external_id",
        "row 6: at most 100 addresses, these are 150",
    ]


async def test_a_row_without_an_external_id_finds_who_was_merged_meanwhile(run: Run, tmp_path: Path, pool, now) -> None:
    file = tmp_path / "list.csv"
    file.write_text("name,emails\nAmy,amy@example.com\nAmy Chen,chen@example.com\n", encoding="utf-8")
    await run("import", "customers", file)
    amy, chen = [row[0] for row in await pool.fetch("select id from customer order by id")]
    await customer_merges.merge(ContactLog(pool), amy, into=chen, actor=None, now=now)
    again = await run("import", "customers", file)
    assert again.startswith("0 customers are new, 0 changed, 2 as they were, 0 rows refused.")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,name\n1,x\n", "'id' is no column"),
        (b"external_id\n1\n", "the column name is missing"),
        (b"name\n\xff\n", "Line 2 is not in UTF-8"),
        (b"", "the column name is missing"),
    ],
)
async def test_what_is_no_such_list_is_refused_as_a_whole(run: Run, tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    with pytest.raises(Invalid, match=words):
        await run("import", "customers", file)


async def test_a_long_list_is_imported_in_batches(run: Run, tmp_path: Path, db) -> None:
    file = tmp_path / "list.csv"
    file.write_text(HEADER + "".join(f"C{n},Customer {n},,,,,,\n" for n in range(450)))
    assert (await run("import", "customers", file)).startswith("450 customers are new")
    assert await db.fetchval("select count(distinct xid) from contact_log") == 3


REFUNDS = """+++
category = "payment"
tags = ["card"]
public = true
+++
# Refund times

Three days.
"""


async def test_a_folder_of_markdown_becomes_articles_and_new_versions_of_them(run: Run, pool, tmp_path: Path) -> None:
    (tmp_path / "refunds.en.md").write_text(REFUNDS, encoding="utf-8")
    (tmp_path / "refunds.zh_CN.md").write_text("# 退款多久到账\n\n三天。\n", encoding="utf-8")
    (tmp_path / "README.txt").write_text("not an article", encoding="utf-8")
    assert await run("solutions", "import", tmp_path, "--dry-run") == "1 articles can be imported.\n"
    said = await run("solutions", "import", tmp_path, "--publish")
    assert said == "1 articles are new, 0 changed, 0 as they were.\n"
    assert await run("solutions", "import", tmp_path) == "0 articles are new, 0 changed, 1 as they were.\n"
    (tmp_path / "refunds.en.md").write_text(REFUNDS.replace("Three", "Four"), encoding="utf-8")
    assert await run("solutions", "import", tmp_path) == "0 articles are new, 1 changed, 0 as they were.\n"
    rows = await pool.fetch("select language, latest, live, title from solution_text order by 1")
    assert [tuple(row) for row in rows] == [("en", 2, 1, "Refund times"), ("zh_CN", 1, 1, "退款多久到账")]
    assert (
        await pool.fetchval("select category || array_to_string(tags, '') || public from solution") == "paymentcardtrue"
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("refunds.md", "# T\n\nx", "NAME.LANGUAGE.md"),
        ("refunds.english.md", "# T\n\nx", "written like en"),
        ("refunds.en.md", "no title", "must begin with its title"),
        ("refunds.en.md", "# T\n", "Write something"),
        ("refunds.en.md", "+++\npublic = true\n# T\n\nx", "second [+]{3} is missing"),
        ("refunds.en.md", "+++\ncolour = 1\n+++\n# T\n\nx", "colour is no property"),
        ("refunds.en.md", '+++\npublic = "yes"\n+++\n# T\n\nx', "public is true or false"),
        ("refunds.en.md", "+++\ntags = [1]\n+++\n# T\n\nx", "tags is a list"),
        ("refunds.txt", "# T\n\nx", "no files named"),
    ],
)
async def test_a_folder_that_cannot_be_meant_is_refused_with_the_file(
    run: Run, tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match=words) as refusal:
        await run("solutions", "import", tmp_path)
    assert str(tmp_path) in str(refusal.value)


async def test_contracts_and_orders_come_from_lists_and_what_does_not_fit_is_said(run: Run, pool, tmp_path) -> None:
    organisation_file = tmp_path / "org.toml"
    organisation_file.write_text('[[contracts]]\nname = "care"\ntitle = "Care"\n', encoding="utf-8")
    await run("apply", organisation_file)
    people = tmp_path / "people.csv"
    people.write_text(HEADER + "HB-1,Ann,,13800138000,,,,\n", encoding="utf-8")
    await run("import", "customers", people)
    contracts = tmp_path / "contracts.csv"
    contracts.write_text(
        "external_id,customer,kind,name,starts_on,ends_on\nC-1,HB-1,care,Kitchen,2026-01-01,2026-12-31\n"
        "C-2,HB-9,care,,2026-01-01,\nC-3,HB-1,plus,,2026-01-01,\nC-4,HB-1,care,,soon,\nC-1,HB-1,care,,2026-01-01,\n",
        encoding="utf-8",
    )
    assert "1 contracts are new, 0 changed, 0 as they were, 4 rows refused" in await run(
        "import", "contracts", contracts
    )
    refused = list(csv.DictReader((tmp_path / "contracts.refused.csv").read_text("utf-8").splitlines()))
    assert [row["external_id"] for row in refused] == ["C-3", "C-4", "C-1", "C-2"]
    assert refused[-1]["reason"] == "row 3: there is no customer with the external id HB-9"
    assert "0 contracts are new, 0 changed, 1 as they were" in await run("import", "contracts", contracts)
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "number,external_id,phone,amount,currency,date\n1,HB-1,,10.50,CNY,2026-01-01\n2,,13800138000,1,USD,2026-01-02\n"
        "3,HB-9,,1,CNY,2026-01-01\n4,HB-1,,1e3x,CNY,2026-01-01\n",
        encoding="utf-8",
    )
    assert "2 orders are new, 0 changed, 0 as they were, 2 rows refused" in await run("import", "orders", orders)
    assert "0 orders are new, 0 changed, 2 as they were" in await run("import", "orders", orders)
    assert await pool.fetchval("select sum(amount)::text from customer_order") == "11.50"

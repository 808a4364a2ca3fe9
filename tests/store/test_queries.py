"""Named queries: found by name, documented, and right for the schema we have."""

import importlib
import re
from pathlib import Path

import asyncpg
import pytest

from callcenter.store.queries import PACKAGES, ROOT, Queries, all_query_files


def load(folder: Path, text: str) -> Queries:
    path = folder / "sample.sql"
    path.write_text(text, encoding="utf-8")
    return Queries(path)


def test_queries_are_attributes_and_keep_what_was_promised_above_them(tmp_path):
    queries = load(
        tmp_path,
        "-- All the things of a file.\n\n-- One thing.\n-- At most.\n-- name: one\nselect 1\nlimit 1;\n\n"
        "-- Many things.\n-- name: many\n-- inside\nselect 2;\n",
    )
    assert queries.names == ("one", "many")
    assert queries.one == "select 1\nlimit 1"
    assert queries.many == "-- inside\nselect 2"
    assert queries.doc("one") == "One thing.\nAt most."
    assert queries.doc("many") == "Many things."


def test_a_name_that_is_not_there_is_an_attribute_error_with_the_file(tmp_path):
    with pytest.raises(AttributeError, match=r"sample\.sql has no query named two"):
        _ = load(tmp_path, "-- name: one\nselect 1;").two


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-- name: a\nselect 1;\n-- name: a\nselect 2;", "two queries are named a"),
        ("-- name: a\n\n-- name: b\nselect 1", "a is empty"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        load(tmp_path, text)


@pytest.mark.parametrize("path", all_query_files(), ids=lambda path: str(path.relative_to(ROOT)))
async def test_every_query_is_right_for_the_migrated_schema(path: Path, db: asyncpg.Connection):
    queries = Queries(path)
    wrong = {}
    for name in queries.names:
        try:
            await db.prepare(getattr(queries, name))
        except asyncpg.PostgresError as error:
            wrong[name] = str(error)
    assert not wrong


def test_every_query_that_a_module_names_is_in_its_file():
    # Nothing else sees a name that is gone before the moment at which it is needed.
    lost = []
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "SQL" not in text or path.name == "__main__.py":
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, queries in vars(module).items():
            if isinstance(queries, Queries):
                used = re.findall(rf"(?<![\w.]){name}\.(\w+)", text)
                known = {*queries.names, *dir(Queries)}
                lost += [f"{path.relative_to(ROOT)}: {name}.{query}" for query in used if query not in known]
    assert not lost


FACTS = "interaction|segment|reservation|ticket|ticket_note|agent|customer|address|message|contact_log|users|queue"


def test_queries_outside_the_store_never_change_a_fact():
    writes = re.compile(rf"(?i)\b(insert\s+into|update|delete\s+from|merge\s+into)\s+(only\s+)?({FACTS})\b")
    outside = [path for path in all_query_files() if not path.is_relative_to(ROOT / "callcenter" / "store")]
    loaded = {path: Queries(path) for path in outside}
    assert not [
        f"{path.relative_to(ROOT)}: {name}"
        for path, queries in loaded.items()
        for name in queries.names
        if writes.search(getattr(queries, name))
    ]

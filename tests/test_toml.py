"""Complaints about a TOML file name the line and the key."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from callcenter.toml import BadFile, Location, parse, read

TEXT = '''\
# A comment with = and [brackets]
title = "a # is no comment" # this is
[owner]
name."first name" = 'Amy'
bio = """
[not.a.table]
x = 1
"""

[[queues]]
name = "support"
steps = [
  { after = "30s", needs = { billing = 1 } },   # one
  # between
  { after = "60s", needs = {} },
]
hours.weekly = { mon = ["09:00-12:00", "13:30-18:00"] }

[[queues]]
name = "sales"
[queues.wrap_up]
limit = 2026-01-01 10:00:00Z
[[queues.tags]]
t = [[1, 2], [3]]
'''


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("title",), 2),
        (("owner",), 3),
        (("owner", "name", "first name"), 4),
        (("owner", "bio"), 5),
        (("queues", 0), 10),
        (("queues", 0, "steps", 0, "needs", "billing"), 13),
        (("queues", 0, "steps", 1, "after"), 15),
        (("queues", 0, "hours", "weekly", "mon", 1), 17),
        (("queues", 1, "name"), 20),
        (("queues", 1, "wrap_up", "limit"), 22),
        (("queues", 1, "tags", 0, "t", 1, 0), 24),
    ],
)
def test_every_key_and_item_has_its_line(location: Location, line: int):
    assert parse(TEXT, "file").lines[location] == line


def every_location(value: Any, around: Location = ()) -> set[Location]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {around} | {found for key, inner in members for found in every_location(inner, (*around, key))}


def test_no_location_is_left_out_and_none_is_invented():
    assert set(parse(TEXT, "file").lines) == every_location(tomllib.loads(TEXT)) - {()}


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=6)
LEAVES = st.one_of(st.booleans(), st.integers(-9, 9), st.text(st.characters(codec="ascii"), max_size=9))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


def quoted(text: str) -> str:
    return '"' + "".join(c if c.isalnum() or c in " []{}#='," else f"\\U{ord(c):08x}" for c in text) + '"'


def written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return "[\n" + "".join(f"{written(item)}, # ]\n" for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {written(inner)}" for key, inner in value.items()) + "}"
        case _:
            return str(value)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=3))
def test_any_document_is_walked_to_its_end(top: dict[str, Any], tables: list[dict[str, Any]]):
    top.pop("table", None)
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in top.items())
    for table in tables:
        text += "[[table]]\n" + "".join(f"{quoted(key)} = {written(value)}\n" for key, value in table.items())
    assert set(parse(text, "file").lines) == every_location(tomllib.loads(text)) - {()}


def test_what_is_not_toml_is_refused_with_its_line():
    with pytest.raises(BadFile, match=r"file, line 2: not TOML: "):
        parse("a = 1\nb = = 2\n", "file")
    with pytest.raises(BadFile, match=r"file, line \d: not TOML: "):
        parse('a = 1\nb = """\n', "file")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(BadFile, match=r"nowhere\.toml: cannot be read: No such file"):
        read(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(BadFile, match="UTF-8 text was expected; byte 8 is not"):
        read(tmp_path / "latin.toml")


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    after: int
    needs: dict[str, int] = {}


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: list[Step]


def test_a_document_that_breaks_a_rule_is_refused_with_line_key_and_what_was_expected():
    text = "steps = [\n  { after = 1 },\n  { after = 'x',\n    needs = { zh = 'y' }, colour = 3 },\n  { }]\n"
    with pytest.raises(BadFile) as caught:
        parse(text.replace("'x',\n   ", "'x',"), "plan.toml").read_as(TypeAdapter(Plan))
    assert str(caught.value).splitlines() == [
        "plan.toml, line 3: steps[2].after: expected a valid integer, unable to parse string as an integer, not 'x'",
        "plan.toml, line 3: steps[2].needs.zh: expected a valid integer, unable to parse string as an integer, not 'y'",
        "plan.toml, line 3: steps[2].colour: there is no such key",
        "plan.toml, line 4: steps[3].after: this key is needed",
    ]

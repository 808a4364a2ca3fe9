"""Entries of an organisation file as forms: what is shown and sent back unchanged says what it said."""

from pathlib import Path

import pytest

from callcenter import toml
from callcenter.domain.organisation_edit import MANY, ONCE, drop, entries, ident_of, place_of, put, to_text, users_of
from callcenter.domain.organisation_file import understand
from callcenter.domain.organisation_form import Complaints, Field, Shape, fields_of, read_entry
from callcenter.domain.organisation_text import to_toml

CONFIG = Path(__file__).parents[2] / "config"


class _Any(dict[str, str]):
    """Every variable is set."""

    def __missing__(self, key: str) -> str:
        return "a secret that is long enough for all"

    def get(self, key, default=None):
        return self[key]


def exported(name: str) -> toml.Document:
    file = understand(toml.read(CONFIG / name), _Any())
    return toml.parse(to_toml(file.organisation), "organisation")


def organisation(data):
    return understand(toml.parse(to_text(data), "organisation"), {}).organisation


def sent(fields: tuple[Field, ...]) -> dict[str, list[str]]:
    """As a browser sends a form back."""
    typed: dict[str, list[str]] = {}
    for each in fields:
        match each.shape:
            case Shape.TABLE:
                typed |= sent(each.fields)
            case Shape.TABLES:
                typed[f"{each.path}#"] = [str(len(each.rows))]
                for row in each.rows:
                    typed |= sent(row)
            case Shape.MAP:
                typed[f"{each.path}#key"] = [*(key for key, _ in each.rows), ""]
                typed[f"{each.path}#value"] = [*(value for _, value in each.rows), ""]
            case Shape.CHOICES:
                if each.values:
                    typed[each.path] = list(each.values)
            case Shape.TOML:
                typed[f"toml:{each.path}"] = [each.value]
            case _:
                typed[each.path] = [each.value.replace("\n", "\r\n")]
    return typed


@pytest.mark.parametrize("name", ["demo.org.toml", "org.example.toml"])
def test_every_entry_of_a_file_goes_through_its_form_unchanged(name):
    data = exported(name).data
    before = organisation(data)
    seen = 0
    for kind in (*MANY, *ONCE):
        tables = entries(data, kind) if kind in MANY else [data[kind]] if kind in data else []
        for at, table in enumerate(tables):
            fields = fields_of(kind, table, Complaints([]))
            read, unreadable = read_entry(kind, sent(fields))
            assert unreadable == []
            after = organisation(put(data, kind, at, read))
            assert after == before, (kind, ident_of(kind, table))
            seen += 1
    assert seen > 20


def test_a_text_that_is_written_again_says_the_same():
    data = exported("org.example.toml").data
    assert toml.parse(to_text(data), "again").data == data


def test_complaints_stand_beside_their_field_and_the_others_are_left_over():
    complaints = Complaints([("weekly.mon", "late"), ("closed[2]", "no date"), ("", "no open time")])
    table = {"name": "office", "timezone": "UTC", "weekly": {"mon": ["09:00-08:00"]}, "closed": ["x", "y"]}
    by_path: dict[str, tuple[str, ...]] = {}
    for each in fields_of("hours", table, complaints):
        by_path |= {each.path: each.problems} | {child.path: child.problems for child in each.fields}
    assert by_path["weekly.mon"] == ("late",)
    assert by_path["closed"] == ("no date",)
    assert by_path["weekly"] == ()
    assert complaints.left == [("", "no open time")]


def test_what_is_typed_and_is_no_toml_is_named_and_kept():
    typed = {"name": ["t"], "on": ["opened"], "toml:when": ["{ priority = "], "then#": ["1"], "then[1].tag": ["x"]}
    table, unreadable = read_entry("triggers", typed)
    assert [path for path, _ in unreadable] == ["when"]
    shown = {each.path: each for each in fields_of("triggers", table, Complaints(unreadable))}
    assert shown["when"].value == "{ priority = "
    assert shown["when"].problems
    assert table["then"] == [{"tag": "x"}]


def test_a_number_that_is_none_is_left_for_the_rules_of_the_file_to_refuse():
    table, _ = read_entry("users", {"name": ["amy"], "skills#key": ["billing"], "skills#value": ["much"]})
    assert table == {"name": "amy", "skills": {"billing": "much"}}


def test_who_names_an_entry_is_known_by_its_kind_and_name():
    document = exported("org.example.toml")
    found = users_of(document)
    assert ("queues", "support") in found["hours", "office"]


def test_entries_are_found_by_what_they_are_known_by_and_dropped():
    data = exported("demo.org.toml").data
    for kind in MANY:
        for table in entries(data, kind):
            at = place_of(data, kind, ident_of(kind, table))
            assert at is not None
            assert entries(data, kind)[at] == table
            assert len(entries(drop(data, kind, at), kind)) == len(entries(data, kind)) - 1

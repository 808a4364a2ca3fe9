"""Logs: one JSON object a line, whoever wrote it, and no person's number in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from callcenter import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Give what is logged, and put logging back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_a_json_object_with_time_level_and_event(lines):
    logs.configure(stream=lines)
    structlog.get_logger("callcenter.test").info("call arrived", interaction=7)
    entry = json.loads(lines.getvalue())
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "call arrived", "interaction": 7, "level": "info", "logger": "callcenter.test"}


def test_the_standard_librarys_lines_come_out_the_same_way(lines):
    logs.configure(stream=lines)
    logging.getLogger("aiohttp.server").warning("odd request from %s", "somebody")
    entry = json.loads(lines.getvalue())
    assert (entry["event"], entry["level"], entry["logger"]) == (
        "odd request from somebody",
        "warning",
        "aiohttp.server",
    )


def test_an_exception_is_part_of_its_line(lines):
    logs.configure(stream=lines)
    try:
        raise OSError("out of reach")
    except OSError:
        structlog.get_logger().exception("it failed")
    assert json.loads(lines.getvalue())["exception"][0]["exc_value"] == "out of reach"


def test_numbers_are_masked_but_for_their_end(lines):
    logs.configure(stream=lines)
    structlog.get_logger().info("call arrived", phone="+8613800138000", called="95500", email="amy@example.com")
    entry = json.loads(lines.getvalue())
    assert (entry["phone"], entry["called"], entry["email"]) == ("…000", "…", "…com")


def test_lines_below_the_level_are_not_written(lines):
    logs.configure(level="warning", stream=lines)
    structlog.get_logger().info("not this")
    logging.getLogger("x").info("nor this")
    assert lines.getvalue() == ""


def test_a_person_gets_text(lines):
    logs.configure(style="console", stream=lines)
    structlog.get_logger().info("call arrived", interaction=7)
    assert "call arrived" in lines.getvalue()
    assert "interaction=7" in lines.getvalue()


@pytest.mark.parametrize(("number", "masked"), [("+8613800138000", "…000"), ("95500", "…"), ("", ""), (None, "")])
def test_a_short_number_is_hidden_whole(number, masked):
    assert logs.mask(number) == masked


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_shows_no_values(lines, style):
    logs.configure(style=style, stream=lines)
    number = "+86138" + "00138000"
    try:
        raise ValueError(len(number))
    except ValueError:
        structlog.get_logger().error("failed", exc_info=True)
    assert "ValueError" in lines.getvalue()
    assert number not in lines.getvalue()

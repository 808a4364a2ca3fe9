"""The command that plays a scenario: its table, its JSON, its drawing, and what it refuses."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from callcenter.cli import main

SCENARIO = """
[simulation]
length = "3h"
replications = 2

[[flows]]
queue = "A&B"
per_hour = 60
handle = { fixed = "1m" }
service_level = { within = "20s" }

[[staff]]
count = 3
queues = ["A&B"]
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.toml"
    path.write_text(SCENARIO.replace("A&B", "support"))
    return path


def test_the_figures_come_as_a_table_and_as_json(scenario: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(scenario)]) == 0
    table = capsys.readouterr().out
    assert table.split("\n")[0].split()[:4] == ["queue", "service", "level", "ASA"]
    assert main(["simulate", str(scenario), "--json"]) == 0
    support = json.loads(capsys.readouterr().out)["queues"]["support"]
    figures = {"service_level", "asa_seconds", "abandonment", "occupancy", "answered", "offered", "unserved"}
    assert set(support) == figures
    assert all(set(each) == {"mean", "ci95"} for each in support.values())


def test_the_drawing_is_well_formed_and_has_a_line_a_queue(scenario: Path, tmp_path: Path) -> None:
    drawing = tmp_path / "day.svg"
    assert main(["simulate", str(scenario), "--plot", str(drawing)]) == 0
    root = ElementTree.fromstring(drawing.read_text())
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 1


def test_who_is_never_answered_stands_in_the_table_and_in_the_drawing(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.write_text(scenario.read_text() + 'shifts = [{ begin = "1h", end = "1h" }]\n')
    drawing = tmp_path / "day.svg"
    assert main(["simulate", str(scenario), "--plot", str(drawing)]) == 0
    head, row = capsys.readouterr().out.strip().split("\n")
    assert head.split()[-1] == "unserved"
    assert "– ± –" in row  # nobody was answered, so nobody waited for an answer
    assert "a day unserved" in drawing.read_text()
    assert main(["simulate", str(scenario), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["queues"]["support"]["asa_seconds"] == {"mean": None, "ci95": None}


def test_what_is_wrong_with_a_scenario_is_named_with_its_line(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario.write_text(SCENARIO)
    assert main(["simulate", str(scenario)]) == 1
    assert "scenario.toml, line 7: flows[1].queue" in capsys.readouterr().err
    assert main(["simulate", str(tmp_path / "nowhere.toml")]) == 1
    assert "nowhere.toml" in capsys.readouterr().err

"""How the command begins, and what a worker process of it has to import."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from callcenter.cli import ELSEWHERE, parser

_ROOT = Path(__file__).parent.parent
# What such a process does before it draws a page: the module of the script that it was started from, and its own.
_BEGUN = """
import sys
from importlib import import_module
getattr(import_module(sys.argv[1]), sys.argv[2])
import callcenter.web.fax_drawing
print(*sorted(sys.modules))
"""


def test_a_worker_process_imports_nothing_of_the_server() -> None:
    with (_ROOT / "pyproject.toml").open("rb") as file:
        begins = tomllib.load(file)["project"]["scripts"]["callcenter"]
    words = [sys.executable, "-c", _BEGUN, *begins.split(":")]
    found = subprocess.run(words, cwd=_ROOT, capture_output=True, check=True, text=True).stdout.split()
    assert "pypdfium2" in found
    assert {"aiohttp", "asyncpg", "pydantic", "structlog", "callcenter.app"}.isdisjoint(found)


def test_the_command_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "callcenter", "--help"], cwd=_ROOT, capture_output=True, check=True, text=True
    )
    assert "serve" in done.stdout


@pytest.mark.parametrize("command", ["--help", "token --help", "nothing"])
def test_what_there_is_to_run_is_said_without_loading_it(command: str) -> None:
    words = [sys.executable, "-X", "importtime", "-m", "callcenter", *command.split()]
    done = subprocess.run(words, cwd=_ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == (2 if command == "nothing" else 0)
    assert "callcenter.app" not in done.stderr
    assert "create" in done.stdout or all(name in done.stdout + done.stderr for name in ELSEWHERE)


@pytest.mark.parametrize("command", list(ELSEWHERE))
def test_every_command_that_is_named_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        parser(command).parse_args([command, "--help"])
    assert done.value.code == 0
    assert f"usage: callcenter {command}" in capsys.readouterr().out

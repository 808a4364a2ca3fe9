"""How far a long command has come."""

import io

from callcenter.commands.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_that_ends_its_line(monkeypatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    told = progress_bar()
    told(200, 400)
    told(400, 400)
    half = "#" * 15 + " " * 15
    assert screen.getvalue() == f"\r[{half}] 200/400\r[{'#' * 30}] 400/400\n"


def test_a_file_or_a_pipe_gets_nothing(monkeypatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("sys.stderr", pipe)
    progress_bar()(1, 2)
    assert pipe.getvalue() == ""

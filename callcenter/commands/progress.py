"""A bar on stderr for what takes a while; only where somebody looks at a terminal."""

import sys
from collections.abc import Callable

_WIDTH = 30


def progress_bar() -> Callable[[int, int], None]:
    """To be told how many are done, of how many."""
    return _draw if sys.stderr.isatty() else _silent


def _silent(_done: int, _of: int) -> None:
    pass


def _draw(done: int, of: int) -> None:
    filled = _WIDTH * done // of
    end = "\n" if done == of else ""
    print(f"\r[{'#' * filled}{' ' * (_WIDTH - filled)}] {done}/{of}", end=end, file=sys.stderr, flush=True)
